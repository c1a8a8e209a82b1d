import Model
import Ports
import Synchronization

/// Watches LOG of all shards for timers that run. Safe to use from any thread.
final class TimerWatch: Sendable {
    /// Timers of a shard that ran in one commit, in its order, and when the log took it.
    struct Fired: Sendable {
        var time: Instant
        var dues: [Instant]
    }

    private struct State {
        var fired: [ShardID: [Fired]] = [:]
        var count = 0
        var orders = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }
    /// Orders that commits have counted.
    var orders: Int { state.withLock { $0.orders } }

    /// Of each shard, in the order of its commits.
    var fired: [ShardID: [Fired]] { state.withLock { $0.fired } }

    /// Until the task is cancelled, or the log cannot be read.
    func follow(_ shard: ShardID, _ logs: any LogStore) async throws {
        let reader = try await logs.read(.commits(shard), from: 1)
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 64) { try see(record, of: shard) }
        }
    }

    private func see(_ record: LogRecord, of shard: ShardID) throws {
        var dues: [Instant] = []
        var orders = 0
        for step in try Commit.decoded(record.payload).commit.steps {
            for effect in try step.decodedEffects() {
                switch effect {
                case .actionOpened(let opened): dues.append(opened.due)
                case .sums(let deltas): for delta in deltas where delta.counter == .orders { orders += Int(delta.amount) }
                default: break
                }
            }
        }
        state.withLock { state in
            state.orders += orders
            guard !dues.isEmpty else { return }
            state.count += dues.count
            state.fired[shard, default: []].append(Fired(time: record.time, dues: dues))
        }
    }
}

/// How a shard caught up.
struct CatchUp: Equatable, Sendable {
    var count = 0
    /// Timers that ran before one that was due later.
    var outOfOrder = 0
    var first = Instant.distantPast
    var last = Instant.distantPast

    init(_ fired: [TimerWatch.Fired]) {
        first = fired.first?.time ?? .distantPast
        last = fired.last?.time ?? .distantPast
        var before: Instant?
        for due in fired.flatMap(\.dues) {
            count += 1
            if let before, due > before { outOfOrder += 1 }
            before = due
        }
    }

    /// So many the pace allows in this time, and in a second more: the log's times are not the owner's.
    var bound: Int {
        let portions = (last - first + Milliseconds.second) / Limits.latePortionMilliseconds + 1
        return Int(portions) * Limits.latePortion
    }
}
