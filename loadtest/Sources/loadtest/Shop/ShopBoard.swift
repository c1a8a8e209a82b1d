import Model
import Ports
import Synchronization
import Workload

/// What the shards have made of the shop, summed from their commits. Safe to use from any thread.
final class ShopBoard: Sendable {
    struct View: Sendable {
        var customers: Int64 = 0
        var events: Int64 = 0
        var orders: Int64 = 0
        var revenue: Int64 = 0
        var armed: Int64 = 0
        /// Must stay 0.
        var repeats: Int64 = 0
        var setAside: Int64 = 0
        var opened: [RuleID: Int64] = [:]
        var suppressed: Int64 = 0
        var postponed: Int64 = 0
        var commits = 0
        var commitBytes = 0
        /// Shards that have run everything.
        var complete: Set<ShardID> = []
        /// When the last one had.
        var completed: ContinuousClock.Instant?
    }

    private struct State {
        var view = View()
        /// Of each shard's last step.
        var inputs: [ShardID: UInt64] = [:]
        var clocks: [ShardID: Instant] = [:]
        var closing: [ShardID: UInt64] = [:]
    }

    private let shards: [ShardID]
    private let closingTime: Instant
    private let state = Mutex(State())

    init(shards: [ShardID], closing: Instant) {
        self.shards = shards
        closingTime = closing
    }

    var view: View { state.withLock { $0.view } }

    /// Reads a shard's commits from the first one until the task is cancelled.
    func follow(_ shard: ShardID, of logs: any LogStore) async throws {
        let reader = try await logs.read(.commits(shard), from: 1)
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 16) { try add(record, of: shard) }
        }
    }

    /// Where each shard's closing clock record stands.
    func close(at closing: [ShardID: UInt64]) {
        state.withLock { state in
            state.closing = closing
            for shard in shards { check(shard, &state) }
        }
    }

    private func add(_ record: LogRecord, of shard: ShardID) throws {
        let steps = try Commit.decoded(record.payload).commit.steps
        let effects = try steps.flatMap { try $0.decodedEffects() }
        state.withLock { state in
            state.view.commits += 1
            state.view.commitBytes += record.payload.count
            for effect in effects { Self.add(effect, to: &state.view) }
            if let last = steps.last {
                state.inputs[shard] = last.inputSequence
                state.clocks[shard] = last.clock
            }
            check(shard, &state)
        }
    }

    private func check(_ shard: ShardID, _ state: inout State) {
        guard let closing = state.closing[shard], state.inputs[shard] ?? 0 >= closing,
            state.clocks[shard] ?? .distantPast >= closingTime
        else { return }
        guard state.view.complete.insert(shard).inserted, state.view.complete.count == shards.count else { return }
        state.view.completed = .now
    }

    private static func add(_ effect: Effect, to view: inout View) {
        switch effect {
        case .actionOpened(let opened): view.opened[opened.rule, default: 0] += 1
        case .suppressed: view.suppressed += 1
        case .postponed: view.postponed += 1
        case .sums(let deltas): for delta in deltas { add(delta, to: &view) }
        default: break
        }
    }

    private static func add(_ delta: SumDelta, to view: inout View) {
        switch delta.counter {
        case .customers: view.customers += delta.amount
        case .events: view.events += delta.amount
        case .orders: view.orders += delta.amount
        case .revenue: view.revenue += delta.amount
        case .timersArmed: view.armed += delta.amount
        case .repeats: view.repeats += delta.amount
        case .setAside: view.setAside += delta.amount
        case .members, .reachableMembers: break
        }
    }
}
