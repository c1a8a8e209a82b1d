import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport

/// One server for all tests that leave it running; each has an installation of its own in it.
actor SharedServer {
    static let shared = SharedServer()
    private var starting: Task<NATSServer, any Error>?
    private static let installations = Atomic<Int>(0)

    private func server() async throws -> NATSServer {
        if let starting { return try await starting.value }
        let task = Task { try await NATSServer.start() }
        starting = task
        return try await task.value
    }

    /// A fresh installation of four shards, on a connection of its own that is closed afterwards; then its streams go.
    nonisolated static func withInstallation(
        shards: Int = 4, bounds: StreamBounds = StreamBounds(),
        _ body: (JetStreamInstallation, NATSConnection) async throws -> Void
    ) async throws {
        let connection = try await shared.server().connect()
        defer { connection.close() }
        let number = installations.add(1, ordering: .relaxed).newValue
        let installation = try await makeInstallation(connection, shards: shards, bounds: bounds, prefix: "t\(number)")
        try await body(installation, connection)
    }

    nonisolated static func withConnection(_ body: (NATSConnection) async throws -> Void) async throws {
        let connection = try await shared.server().connect()
        defer { connection.close() }
        try await body(connection)
    }
}

func makeInstallation(
    _ connection: NATSConnection, shards: Int = 4, bounds: StreamBounds = StreamBounds(), prefix: String = "t",
    appendTimeout: Duration = .seconds(5)
) async throws -> JetStreamInstallation {
    guard let map = ShardMap(shards: shards) else { throw TestSupportError("\(shards) shards are not possible") }
    return try await JetStreamInstallation.create(
        Installation(shards: map, timeMode: .live, replicas: 1), bounds: bounds, prefix: prefix, connection: connection,
        appendTimeout: appendTimeout, log: testLog)
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
