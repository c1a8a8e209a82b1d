import Model
import Ports
import Synchronization
import Workload

/// The answers as they grow while the shards' LOGs are read. Safe to use from any thread.
final class AnswerBoard: Sendable {
    struct View: Sendable {
        var fold = AnswerFold()
        /// Shards that have run everything.
        var complete: Set<ShardID> = []
        /// When the last shard became complete.
        var completed: ContinuousClock.Instant?
        /// Commits and their bytes.
        var commits = 0
        var bytes = 0
    }

    private struct State {
        var view = View()
        var closing: [ShardID: UInt64] = [:]
    }

    private let state = Mutex(State())
    private let shards: [ShardID]

    private let observe: @Sendable (Commit, Instant) -> Void

    /// `observe` is called with each commit and when the log took it.
    init(shards: [ShardID], observe: @escaping @Sendable (Commit, Instant) -> Void = { _, _ in }) {
        self.shards = shards
        self.observe = observe
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

    private func add(_ record: LogRecord, of shard: ShardID) throws {
        let (commit, hash) = try Commit.decoded(record.payload)
        observe(commit, record.time)
        try state.withLock { state in
            try state.view.fold.add(commit, hash: hash)
            state.view.commits += 1
            state.view.bytes += record.payload.count
            check(shard, &state)
        }
    }

    /// Where each shard's closing clock record stands.
    func close(at closing: [ShardID: UInt64]) {
        state.withLock { state in
            state.closing = closing
            for shard in shards { check(shard, &state) }
        }
    }

    private func check(_ shard: ShardID, _ state: inout State) {
        guard let sequence = state.closing[shard], state.view.fold.isComplete(shard, closingSequence: sequence) else { return }
        guard state.view.complete.insert(shard).inserted, state.view.complete.count == shards.count else { return }
        state.view.completed = .now
    }
}
