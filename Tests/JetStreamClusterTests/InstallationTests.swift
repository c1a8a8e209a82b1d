import Model
import NATS
import Ports
import TestSupport
import Testing

@testable import JetStreamPorts

@Suite struct InstallationTests {
    @Test func `the settings are read back`() async throws {
        try await SharedServer.withConnection { connection async throws in
            let shards = try #require(ShardMap(shards: 8))
            let settings = Installation(shards: shards, timeMode: .eventTime, replicas: try NATSServers.replicas)
            let bounds = StreamBounds(totalBytes: 64 << 20, shards: 8)
            let created = try await JetStreamInstallation.create(
                settings, bounds: bounds, prefix: "settings", connection: connection, log: testLog)
            #expect(created.settings == settings)
            let opened = try await JetStreamInstallation.open(prefix: "settings", connection: connection, log: testLog)
            #expect(opened.settings == settings)
            // The same again is no error.
            _ = try await JetStreamInstallation.create(
                settings, bounds: bounds, prefix: "settings", connection: connection, log: testLog)
            let other = Installation(shards: shards, timeMode: .live, replicas: try NATSServers.replicas)
            let error = await #expect(throws: InstallationError.self) {
                try await JetStreamInstallation.create(
                    other, bounds: bounds, prefix: "settings", connection: connection, log: testLog)
            }
            #expect(error?.code == .exists)
            #expect(error?.message.contains("8 shards, event-time mode, ") == true)
        }
    }

    @Test func `what was not created cannot be opened`() async throws {
        try await SharedServer.withConnection { connection async throws in
            let error = await #expect(throws: InstallationError.self) {
                try await JetStreamInstallation.open(prefix: "nothing", connection: connection, log: testLog)
            }
            #expect(error?.code == .missing)
            let invalid = await #expect(throws: InstallationError.self) {
                try await JetStreamInstallation.open(prefix: "a.b", connection: connection, log: testLog)
            }
            #expect(invalid?.code == .invalid)
        }
    }

    @Test func `the servers' versions are read`() async throws {
        try await SharedServer.withConnection { connection async throws in
            let versions = await connection.serverVersions()
            #expect(versions.count == (try NATSServers.replicas))
            #expect(versions.values.allSatisfy { $0 >= ServerVersion(2, 9, 0) })
        }
    }

    @Test func `three copies are refused by a server alone, and by an old one for what it is`() async throws {
        let server = try await NATSServer.start()
        let connection = try await server.connect()
        let version = try #require(await connection.serverVersions().values.first)
        let settings = Installation(shards: try #require(ShardMap(shards: 4)), timeMode: .live, replicas: 3)
        let error = await #expect(throws: InstallationError.self) {
            try await JetStreamInstallation.create(
                settings, bounds: .small, prefix: "copies", connection: connection, log: testLog)
        }
        #expect(
            error?.code == (version < ServerVersion(2, 12, 0) ? .serverTooOld : .unavailable),
            "\(version): \(error?.message ?? "")")
        connection.close()
        try await server.stop()
    }

    @Test(arguments: [
        ("2.9.10", 1, true), ("2.9.10", 3, false), ("2.11.9", 3, false), ("2.12.0", 3, true), ("2.15.1", 5, true),
        ("2.8.4", 1, false), ("2.12.0", 2, false), ("v2.12.1-RC.2", 3, true),
    ])
    func `replicas are refused on servers that do not check when applying`(_ text: String, replicas: Int, allowed: Bool) throws {
        let version = try #require(ServerVersion(text: text))
        if allowed {
            try ServerRequirement.check(["a:4222": version], replicas: replicas)
        } else {
            let error = #expect(throws: InstallationError.self) {
                try ServerRequirement.check(["a:4222": version], replicas: replicas)
            }
            #expect(error?.message.isEmpty == false)
        }
    }

    @Test func `one old server among new ones is enough to refuse`() throws {
        let error = #expect(throws: InstallationError.self) {
            try ServerRequirement.check(["a:1": ServerVersion(2, 15, 1), "b:2": ServerVersion(2, 9, 10)], replicas: 3)
        }
        #expect(error?.code == .serverTooOld)
        #expect(error?.message.contains("b:2") == true)
    }

    @Test(arguments: ["", "2", "a.b.c", "2.x.1", "2.12.1 beta", "2.12.1.4"])
    func `what is no version is not taken for one`(_ text: String) {
        #expect(ServerVersion(text: text) == nil)
    }
}
