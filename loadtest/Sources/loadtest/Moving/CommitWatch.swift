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

    private struct Shard {
        var owner = ""
        var lastSteps = Instant.distantPast
        var wasReleased = false
        /// Index of its newest takeover, while nothing was served since.
        var open: Int?
        /// Batches sent, by their sequence from `completed` + 1 on.
        var sent: [ContinuousClock.Instant] = []
        var completed: UInt64 = 0
    }

    private struct State {
        var shards: [ShardID: Shard] = [:]
        var takeovers: [Takeover] = []
        var latencies: [Double] = []
    }

    private let state = Mutex(State())

    var takeovers: [Takeover] { state.withLock { $0.takeovers } }

    /// A batch is handed over; batches of a shard are numbered from 1.
    func sending(to shard: ShardID) {
        state.withLock { $0.shards[shard, default: Shard()].sent.append(.now) }
    }

    /// Latencies of the batches committed since the call before, milliseconds.
    func takeLatencies() -> [Double] {
        state.withLock { state in
            defer { state.latencies = [] }
            return state.latencies
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
                complete(commit.steps.last?.inputSequence ?? 0, &shard, &state.latencies)
            }
            shard.owner = commit.owner
            state.shards[commit.shard] = shard
        }
    }

    private func complete(_ sequence: UInt64, _ shard: inout Shard, _ latencies: inout [Double]) {
        guard sequence > shard.completed else { return }
        let count = min(Int(sequence - shard.completed), shard.sent.count)
        for sent in shard.sent.prefix(count) { latencies.append(sent.duration(to: .now) / .milliseconds(1)) }
        shard.sent.removeFirst(count)
        shard.completed += UInt64(count)
    }
}
