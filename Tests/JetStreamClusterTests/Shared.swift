import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport

/// One server, or a cluster of them, for all tests that leave it running; each has an installation of its own in it.
actor SharedServer {
    static let shared = SharedServer()
    private var starting: Task<NATSServers, any Error>?
    private static let installations = Atomic<Int>(0)

    private func server() async throws -> NATSServers {
        if let starting { return try await starting.value }
        let task = Task { try await NATSServers.start() }
        starting = task
        return try await task.value
    }

    /// A fresh installation of four shards, on a connection of its own that is closed afterwards; then its streams go.
    nonisolated static func withInstallation(
        shards: Int = 4, bounds: StreamBounds = .small,
        _ body: (JetStreamInstallation, NATSConnection) async throws -> Void
    ) async throws {
        let connection = try await shared.server().connect()
        defer { connection.close() }
        let number = installations.add(1, ordering: .relaxed).newValue
        let installation = try await makeInstallation(
            connection, shards: shards, bounds: bounds, prefix: "t\(number)", replicas: try NATSServers.replicas)
        do {
            try await body(installation, connection)
        } catch {
            try await removeStreams(connection, prefix: installation.prefix)
            throw error
        }
        try await removeStreams(connection, prefix: installation.prefix)
    }

    /// Copies cost the servers work for as long as they are there.
    private nonisolated static func removeStreams(_ connection: NATSConnection, prefix: String) async throws {
        let answer = try await connection.request(
            "$JS.API.STREAM.NAMES", Array(#"{"subject":"\#(prefix).>"}"#.utf8), timeout: .seconds(10))
        let names = try JSONDecoder().decode(StreamNamesAnswer.self, from: Data(answer.payload)).streams ?? []
        for name in names { try await JetStream(connection, log: testLog).deleteStream(name) }
    }

    private struct StreamNamesAnswer: Decodable {
        var streams: [String]?
    }

    nonisolated static func withConnection(_ body: (NATSConnection) async throws -> Void) async throws {
        let connection = try await shared.server().connect()
        defer { connection.close() }
        try await body(connection)
    }
}

func makeInstallation(
    _ connection: NATSConnection, shards: Int = 4, bounds: StreamBounds = .small, prefix: String = "t",
    appendTimeout: Duration = .seconds(5), replicas: Int = 1
) async throws -> JetStreamInstallation {
    guard let map = ShardMap(shards: shards) else { throw TestSupportError("\(shards) shards are not possible") }
    return try await JetStreamInstallation.create(
        Installation(shards: map, timeMode: .live, replicas: replicas), bounds: bounds, prefix: prefix, connection: connection,
        appendTimeout: appendTimeout, log: testLog)
}

extension StreamBounds {
    /// So that many installations fit on one server.
    static var small: StreamBounds { StreamBounds(totalBytes: 256 << 20, shards: 4) }
}

/// Hands all payloads over at once; the results in the order of the calls.
func pipeline(
    _ payloads: [[UInt8]], to log: LogName, of store: any LogStore, expectingFrom first: UInt64? = nil
) async -> [Result<UInt64, LogError>] {
    let (answers, answered) = AsyncStream<(Int, Result<UInt64, LogError>)>.makeStream()
    for (index, payload) in payloads.enumerated() {
        store.append(to: log, payload, expecting: first.map { $0 + UInt64(index) }, id: nil) { answered.yield((index, $0)) }
    }
    var results: [Int: Result<UInt64, LogError>] = [:]
    for await (index, result) in answers {
        results[index] = result
        if results.count == payloads.count { break }
    }
    return payloads.indices.compactMap { results[$0] }
}

extension Result where Success == UInt64, Failure == LogError {
    var sequence: UInt64? { if case .success(let sequence) = self { sequence } else { nil } }
    var code: LogError.Code? { if case .failure(let error) = self { error.code } else { nil } }
}
