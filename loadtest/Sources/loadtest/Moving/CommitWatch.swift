import Model
import Synchronization

/// Watches the commits as they come in: who takes which shard from whom, and how long each batch took from its sending to
/// its commit. Safe to use from any thread.
final class CommitWatch: Sendable {
    /// A shard that went from one worker to another. Log times are the log's clock, the others this process's.
    struct Takeover: Sendable {
        let shard: ShardID
        let from: String
        let to: String
        /// The owner before had written its release.
        let wasReleased: Bool
        let lastCommit: Instant
        let fence: Instant
        /// The first commit of the new owner with events in it; nil = none yet.
        var served: ContinuousClock.Instant?

        /// From the last step of one owner to the first commit the other can make.
        var pauseMilliseconds: Int64 { fence - lastCommit }
    }

    /// A batch that is committed: when it was handed over here, and when its commit was read here.
    struct Batch: Sendable {
        let events: Int
        let sent: ContinuousClock.Instant
        let committed: ContinuousClock.Instant

        var milliseconds: Double { sent.duration(to: committed) / .milliseconds(1) }
    }

    private struct Shard {
        var owner = ""
        var lastSteps = Instant.distantPast
        var wasReleased = false
        /// Index of its newest takeover, while nothing was served since.
        var open: Int?
        /// Batches sent, by their sequence from `completed` + 1 on.
        var sent: [(time: ContinuousClock.Instant, events: Int)] = []
        var completed: UInt64 = 0
    }

    private struct State {
        var shards: [ShardID: Shard] = [:]
        var takeovers: [Takeover] = []
        var batches: [Batch] = []
    }

    private let state = Mutex(State())

    var takeovers: [Takeover] { state.withLock { $0.takeovers } }

    /// A batch is handed over; batches of a shard are numbered from 1.
    func sending(to shard: ShardID, events: Int) {
        state.withLock { $0.shards[shard, default: Shard()].sent.append((.now, events)) }
    }

    /// Latencies of the batches committed since the call before, milliseconds.
    func takeLatencies() -> [Double] { takeBatches().map(\.milliseconds) }

    /// The batches committed since the call before, in the order in which their commits were read.
    func takeBatches() -> [Batch] {
        state.withLock { state in
            defer { state.batches = [] }
            return state.batches
        }
    }

    func see(_ commit: Commit, at time: Instant) {
        state.withLock { state in
            var shard = state.shards[commit.shard] ?? Shard()
            switch commit.kind {
            case .released, .releasePoint: shard.wasReleased = true
            case .attempt: break
            case .fence, .trusted:
                if !shard.owner.isEmpty && shard.lastSteps > .distantPast {
                    shard.open = state.takeovers.count
                    state.takeovers.append(
                        Takeover(
                            shard: commit.shard, from: shard.owner, to: commit.owner, wasReleased: shard.wasReleased,
                            lastCommit: shard.lastSteps, fence: time))
                }
                shard.wasReleased = false
            case .steps:
                shard.lastSteps = time
                if let open = shard.open { state.takeovers[open].served = .now }
                shard.open = nil
                complete(commit.steps.last?.inputSequence ?? 0, &shard, &state.batches)
            }
            shard.owner = commit.owner
            state.shards[commit.shard] = shard
        }
    }

    private func complete(_ sequence: UInt64, _ shard: inout Shard, _ batches: inout [Batch]) {
        guard sequence > shard.completed else { return }
        let count = min(Int(sequence - shard.completed), shard.sent.count)
        let now = ContinuousClock.now
        for sent in shard.sent.prefix(count) { batches.append(Batch(events: sent.events, sent: sent.time, committed: now)) }
        shard.sent.removeFirst(count)
        shard.completed += UInt64(count)
    }
}
