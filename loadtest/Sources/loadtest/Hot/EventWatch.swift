import Model
import Ports
import Synchronization

/// Watches IN and LOG of all shards: when the event of a customer that has one under way stands in a commit. Safe to use from
/// any thread.
final class EventWatch: Sendable {
    struct Latency: Sendable {
        let shard: ShardID
        let milliseconds: Double
    }

    private struct State {
        /// Customers with an event that was sent.
        var sent: [CustomerKey: ContinuousClock.Instant] = [:]
        /// Seen in IN and in no commit yet, by shard and sequence of the message.
        var standing: [ShardID: [(sequence: UInt64, customer: CustomerKey)]] = [:]
        var committed: [ShardID: UInt64] = [:]
        var latencies: [Latency] = []
    }

    private let state = Mutex(State())

    /// False when the customer has one under way.
    func sending(_ customer: CustomerKey) -> Bool {
        state.withLock { $0.sent.updateValue(.now, forKey: customer) == nil }
    }

    /// It was not taken, or its sender does not know.
    func forget(_ customer: CustomerKey) { state.withLock { $0.sent[customer] = nil } }

    var underWay: Int { state.withLock { $0.sent.count } }

    func takeLatencies() -> [Latency] {
        state.withLock { state in
            defer { state.latencies = [] }
            return state.latencies
        }
    }

    /// Until the task is cancelled, or a log cannot be read.
    func follow(_ shard: ShardID, _ logs: any LogStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let reader = try await logs.read(.input(shard), from: 1)
                defer { reader.close() }
                while true { for record in try await reader.next(max: 64) { try self.see(input: record, of: shard) } }
            }
            group.addTask {
                let reader = try await logs.read(.commits(shard), from: 1)
                defer { reader.close() }
                while true { for record in try await reader.next(max: 64) { try self.see(commit: record, of: shard) } }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func see(input record: LogRecord, of shard: ShardID) throws {
        guard case .events(let events) = try InputMessage.decoded(record.payload) else { return }
        state.withLock { state in
            for event in events where state.sent[event.customer] != nil {
                state.standing[shard, default: []].append((record.sequence, event.customer))
            }
            settle(shard, &state)
        }
    }

    private func see(commit record: LogRecord, of shard: ShardID) throws {
        // A message stands in one commit: only one of more events than a gateway packs is cut.
        guard let last = try Commit.decoded(record.payload).commit.steps.last else { return }
        state.withLock { state in
            state.committed[shard] = last.inputSequence
            settle(shard, &state)
        }
    }

    private func settle(_ shard: ShardID, _ state: inout State) {
        let through = state.committed[shard] ?? 0
        while let first = state.standing[shard]?.first, first.sequence <= through {
            state.standing[shard]?.removeFirst()
            guard let since = state.sent.removeValue(forKey: first.customer) else { continue }
            state.latencies.append(Latency(shard: shard, milliseconds: since.duration(to: .now) / .milliseconds(1)))
        }
    }
}
