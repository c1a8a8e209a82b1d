import Model
import Ports
import Synchronization

/// Watches the commits of all shards: orders that were applied, timers that fired, and when. Safe to use from any thread.
final class FireWatch: Sendable {
    struct View: Sendable {
        var applied: Int64 = 0
        var armed: Int64 = 0
        var fired = 0
        /// Sum of the due times of those, milliseconds modulo 2^64.
        var dueSum: UInt64 = 0
        /// What else was in the commits that no run of orders and their timers has; the first of it, for people.
        var unexpected: String?
    }

    private struct State {
        var view = View()
        /// Milliseconds from due until the log had the commit, by the log's clock.
        var lateness: [Double] = []
    }

    private let keepsLateness: Bool
    private let state = Mutex(State())

    init(keepsLateness: Bool) { self.keepsLateness = keepsLateness }

    var view: View { state.withLock { $0.view } }
    var lateness: [Double] { state.withLock { $0.lateness } }

    /// Reads all shards' commits from the first one until the task is cancelled or a log cannot be read.
    func follow(_ shards: [ShardID], _ logs: any LogStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in shards {
                group.addTask {
                    let reader = try await logs.read(.commits(shard), from: 1)
                    defer { reader.close() }
                    while true { for record in try await reader.next(max: 64) { try self.see(record) } }
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func see(_ record: LogRecord) throws {
        var seen = View()
        var late: [Double] = []
        for step in try Commit.decoded(record.payload).commit.steps {
            for effect in try step.decodedEffects() {
                switch effect {
                case .actionOpened(let opened):
                    seen.fired += 1
                    seen.dueSum &+= UInt64(bitPattern: opened.due.milliseconds)
                    if keepsLateness { late.append(Double(record.time - opened.due)) }
                case .sums(let deltas):
                    for delta in deltas where delta.counter == .events { seen.applied += delta.amount }
                    for delta in deltas where delta.counter == .timersArmed { seen.armed += delta.amount }
                case .actionClosed, .attributed: break
                default: seen.unexpected = seen.unexpected ?? "\(effect)"
                }
            }
        }
        state.withLock { state in
            state.view.applied += seen.applied
            state.view.armed += seen.armed
            state.view.fired += seen.fired
            state.view.dueSum &+= seen.dueSum
            state.view.unexpected = state.view.unexpected ?? seen.unexpected
            state.lateness += late
        }
    }

    /// Returns when that holds; throws when nothing has changed for `patience`.
    func wait(patience: Duration, showing text: (View) -> String, until holds: (View) -> Bool) async throws {
        var progress = Progress()
        var last = view
        var moved = ContinuousClock.now
        while true {
            let now = view
            if let unexpected = now.unexpected { throw LoadError("an effect that this workload cannot have: \(unexpected)") }
            if holds(now) { return }
            if now.applied != last.applied || now.fired != last.fired {
                (last, moved) = (now, .now)
            } else if moved.duration(to: .now) > patience {
                throw LoadError("nothing was committed for \(patience): \(text(now))")
            }
            progress.show(text(now))
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
