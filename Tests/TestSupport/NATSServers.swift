internal import Foundation
package import NATS

/// The nats-servers that tests stand on: one, or three that form a cluster where REPRISE_TEST_REPLICAS says 3. End with the
/// test process at the latest.
package final class NATSServers: Sendable {
    package let servers: [NATSServer]

    private init(_ servers: [NATSServer]) { self.servers = servers }

    /// Copies of each stream in installations of tests: REPRISE_TEST_REPLICAS, 1 or 3; 1 where it is not set.
    package static var replicas: Int {
        get throws {
            let text = ProcessInfo.processInfo.environment["REPRISE_TEST_REPLICAS"] ?? "1"
            guard let replicas = Int(text), replicas == 1 || replicas == 3 else {
                throw TestSupportError("REPRISE_TEST_REPLICAS is '\(text)'; allowed are 1 and 3")
            }
            return replicas
        }
    }

    /// Starts as many as there are to be copies, and waits until JetStream answers.
    package static func start() async throws -> NATSServers {
        let count = try replicas
        guard count > 1 else { return NATSServers([try await NATSServer.start()]) }
        let ports = try (0..<count).map { _ in try freePort() }
        let routes = ports.map { "\"nats://127.0.0.1:\($0)\"" }.joined(separator: ", ")
        let servers = try ports.enumerated().map { index, port in
            try NATSServer.launch(
                configuration: """
                    server_name: test-\(index)
                    cluster { name: test, listen: "127.0.0.1:\(port)", routes: [\(routes)] }
                    """)
        }
        for server in servers { try await server.waitUntilReady() }
        return NATSServers(servers)
    }

    /// All addresses, a comma between.
    package var url: String { servers.map(\.url).joined(separator: ",") }

    /// A connection to one of them, whichever answers, which the caller closes.
    package func connect() async throws -> NATSConnection {
        try await NATSConnection.connect(
            NATSConnection.Options(urls: servers.map(\.url), name: "test"), waitUpTo: .seconds(10), log: testLog)
    }

    /// Kills them and removes their data.
    package func stop() async throws {
        for server in servers { try await server.stop() }
    }
}
