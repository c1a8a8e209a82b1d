internal import Model
package import Ports

/// What the log suite needs of an implementation: an installation of at least four shards whose logs are all empty.
package struct LogFixture: Sendable {
    package var store: any LogStore
    /// Arranges that the log's next append is written and answers `ambiguous`; nil when the implementation cannot.
    package var loseAcknowledgement: (@Sendable (LogName) async throws -> Void)?
    /// A log whose bound is at most 1 MB, with that bound; nil when there is none.
    package var bounded: (log: LogName, bytesMax: UInt64)?

    package init(
        store: any LogStore, loseAcknowledgement: (@Sendable (LogName) async throws -> Void)? = nil,
        bounded: (log: LogName, bytesMax: UInt64)? = nil
    ) {
        self.store = store
        self.loseAcknowledgement = loseAcknowledgement
        self.bounded = bounded
    }

    func log(_ shard: Int) -> LogName { .commits(ShardID(index: shard)) }

    /// Hands all payloads over at once and waits for all results, in the order of the calls.
    func pipeline(
        _ payloads: [[UInt8]], to log: LogName, expectingFrom first: UInt64? = nil, ids: [String]? = nil
    ) async -> [Result<UInt64, LogError>] {
        let (answers, answered) = AsyncStream<(Int, Result<UInt64, LogError>)>.makeStream()
        for (index, payload) in payloads.enumerated() {
            store.append(to: log, payload, expecting: first.map { $0 + UInt64(index) }, id: ids?[index]) {
                answered.yield((index, $0))
            }
        }
        var results: [Int: Result<UInt64, LogError>] = [:]
        for await (index, result) in answers {
            results[index] = result
            if results.count == payloads.count { break }
        }
        return payloads.indices.compactMap { results[$0] }
    }

    /// Reads exactly so many records.
    func read(_ count: Int, of log: LogName, from sequence: UInt64 = 1) async throws -> [LogRecord] {
        let reader = try await store.read(log, from: sequence)
        defer { reader.close() }
        var records: [LogRecord] = []
        while records.count < count { records += try await reader.next(max: count - records.count) }
        return records
    }

    /// What the log holds; two readings of an unchanged log are equal, whenever they were made.
    func held(_ log: LogName) async throws -> LogState {
        var state = try await store.state(of: log)
        state.time = nil
        return state
    }

    /// The error's code of what must fail.
    func failure<Value>(
        _ what: String, file: String = #fileID, line: Int = #line, of body: () async throws -> Value
    ) async throws -> LogError.Code {
        do { _ = try await body() } catch let error as LogError { return error.code }
        throw ConformanceFailure("\(what) did not fail", file, line)
    }
}

extension Result where Success == UInt64, Failure == LogError {
    var sequence: UInt64? { try? get() }
    var code: LogError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
