import Engine
import Model
import Ports
import Synchronization

/// The configuration's revisions, compiled; the newest is followed as it is applied.
///
/// Safe to use from any thread.
final class RuleRevisions: Sendable {
    private let logs: any LogStore
    private let state = Mutex(State())
    private let changed: @Sendable () -> Void

    private struct State {
        var newest = CompiledRules(RuleSet())
        var older: [UInt64: CompiledRules] = [:]
    }

    /// `changed` is called, on any thread, when there is a newer revision.
    init(logs: any LogStore, changed: @escaping @Sendable () -> Void) {
        self.logs = logs
        self.changed = changed
    }

    var newest: CompiledRules { state.withLock { $0.newest } }

    /// One revision; 0 is the empty rule set before the first.
    func revision(_ number: UInt64) async throws -> CompiledRules {
        if number == 0 { return CompiledRules(RuleSet()) }
        let known = state.withLock { $0.newest.set.revision == number ? $0.newest : $0.older[number] }
        if let known { return known }
        guard let record = try await logs.record(number, of: .configuration) else {
            throw WorkerFault("configuration revision \(number) is not in CONFIG")
        }
        let rules = CompiledRules(try RuleSet.decoded(record.payload, revision: number))
        state.withLock { $0.older[number] = rules }
        return rules
    }

    /// Loads the newest revision there is now: what is served from here on knows at least that one.
    func loadNewest() async throws {
        if let record = try await logs.last(of: .configuration) { try take(record) }
    }

    /// Follows CONFIG until the task is cancelled.
    func follow() async throws {
        let reader = try await logs.read(.configuration, from: newest.set.revision + 1)
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 16) { try take(record) }
        }
    }

    private func take(_ record: LogRecord) throws {
        let rules = CompiledRules(try RuleSet.decoded(record.payload, revision: record.sequence))
        let isNewer = state.withLock { state in
            guard rules.set.revision > state.newest.set.revision else { return false }
            state.older[state.newest.set.revision] = state.newest
            state.newest = rules
            return true
        }
        if isNewer { changed() }
    }
}

/// Why a shard cannot be served by this worker; the text is for people.
struct WorkerFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
