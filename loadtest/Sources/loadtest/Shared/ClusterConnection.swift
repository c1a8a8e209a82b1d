import JetStreamPorts
import Logging
import Model
import NATS
import Ports

/// The installation that is tested. Ends with `close`.
struct ClusterConnection: Sendable {
    let installation: Installation
    let logs: any LogStore
    let messaging: any Messaging
    let snapshots: any SnapshotStore
    private let connection: NATSConnection

    static func open(_ options: ClusterOptions) async throws -> ClusterConnection {
        var log = Logger(label: "loadtest", factory: { StreamLogHandler.standardError(label: $0) })
        log.logLevel = .warning
        let urls = options.nats.split(separator: ",").map(String.init)
        let connection = try await NATSConnection.connect(
            NATSConnection.Options(urls: urls, name: "loadtest"), waitUpTo: .seconds(options.wait), log: log)
        let installation = try await JetStreamInstallation.open(prefix: options.prefix, connection: connection, log: log)
        return ClusterConnection(
            installation: installation.settings, logs: installation.logs, messaging: installation.messaging,
            snapshots: installation.snapshots, connection: connection)
    }

    func close() { connection.close() }
}
