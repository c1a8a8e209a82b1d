import Model
import Ports
import PortsConformance
import SimulatedPorts
import Testing

@Suite struct SimulatedPortsConformanceTests {
    @Test(arguments: LogConformance.cases)
    func `the simulated log store keeps`(_ promise: ConformanceCase<LogFixture>) async throws {
        let store = SimulatedLogStore(clock: ManualClock())
        let bounded = LogName.input(ShardID(3))
        store.setBound(bounded, bytesMax: 300_000)
        try await promise.check(
            LogFixture(
                store: store, loseAcknowledgement: { store.script(.writtenAmbiguous, on: $0) }, bounded: (bounded, 300_000)))
    }

    @Test(arguments: SnapshotConformance.cases)
    func `the simulated snapshot store keeps`(_ promise: ConformanceCase<SnapshotFixture>) async throws {
        let store = SimulatedSnapshotStore()
        try await promise.check(
            SnapshotFixture(
                store: store, damage: { store.damage($0, commit: $1, chunk: $2) },
                damageManifest: { store.damageManifest(of: $0) }))
    }

    @Test(arguments: MessagingConformance.cases)
    func `the simulated messaging keeps`(_ promise: ConformanceCase<MessagingFixture>) async throws {
        let clock = ManualClock()
        try await promise.check(
            MessagingFixture(messaging: SimulatedMessaging(clock: clock)) { duration in
                await clock.waitForSleepers(1)
                clock.advance(
                    milliseconds: duration.components.attoseconds / 1_000_000_000_000_000 + duration.components.seconds * 1000)
            })
    }
}
