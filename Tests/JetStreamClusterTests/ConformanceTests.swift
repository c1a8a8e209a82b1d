import JetStreamPorts
import Model
import NATS
import Ports
import PortsConformance
import TestSupport
import Testing

@Suite struct JetStreamConformanceTests {
    @Test(arguments: LogConformance.cases)
    func `the JetStream log store keeps`(_ promise: ConformanceCase<LogFixture>) async throws {
        var bounds = StreamBounds.small
        bounds.configurationBytes = 512 << 10
        try await SharedServer.withInstallation(bounds: bounds) { installation, _ async throws in
            try await promise.check(LogFixture(store: installation.logs, bounded: (.configuration, 512 << 10)))
        }
    }

    @Test(arguments: SnapshotConformance.cases)
    func `the JetStream snapshot store keeps`(_ promise: ConformanceCase<SnapshotFixture>) async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            let stored = StoredSnapshots(installation: installation, connection: connection)
            try await promise.check(
                SnapshotFixture(
                    store: installation.snapshots, damage: { try await stored.damage($0, commit: $1, chunk: $2) },
                    damageManifest: { try await stored.damageManifest(of: $0) }))
        }
    }

    @Test(arguments: MessagingConformance.cases)
    func `messaging over NATS keeps`(_ promise: ConformanceCase<MessagingFixture>) async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            try await promise.check(MessagingFixture(messaging: installation.messaging))
        }
    }
}
