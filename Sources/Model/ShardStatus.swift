// What roles tell each other for reading only, as JSON. Nothing here decides anything.

package enum ShardPhase: String, Codable, Sendable {
    /// Loads a snapshot and replays the log.
    case recovering
    /// Has replayed the log and follows it, as a standby or until its turn comes.
    case following
    case serving
    /// Commits what is left and releases it.
    case releasing
    /// Stopped by a fault that stands in `problem`.
    case failed
}

/// Request to `shard.N.following`, to whoever serves the shard: how far who is to own it next has followed. No answer.
package struct FollowerProgress: Codable, Equatable, Sendable {
    package private(set) var version = MessageVersion()
    package var worker: WorkerID
    /// Version of the deciding code that it runs. Another than the owner's takes the shard over at a release point only.
    package var brain: UInt32
    /// Number of the last commit that it has run again, or has seen when that is another brain's.
    package var commit: UInt64

    package init(worker: WorkerID, brain: UInt32, commit: UInt64) {
        self.worker = worker
        self.brain = brain
        self.commit = commit
    }
}

package struct ShardStatus: Codable, Equatable, Sendable {
    package var shard: Int
    package var phase: ShardPhase
    package var epoch: UInt64
    /// Number of the last acknowledged commit.
    package var commit: UInt64
    /// Sequence of the last input applied, and the last one that is known to exist.
    package var inputApplied: UInt64
    package var inputLast: UInt64
    package var clockMilliseconds: Int64
    package var customers: Int
    package var openActions: Int
    /// Messages that other shards' inputs do not have yet.
    package var messagesWaiting: Int
    /// Events applied since the shard was taken over.
    package var events: UInt64
    /// Commit of the newest snapshot, and when it was captured; nil = there is none.
    package var snapshotCommit: UInt64?
    package var snapshotMilliseconds: Int64?
    /// Of the shard's LOG, when it was last trimmed.
    package var logBytes: UInt64?
    /// Set aside since the installation began, and how many of those were replayed.
    package var setAside: UInt64
    package var replayed: UInt64
    /// Of the time the shard was taken: from the last commit of the owner before to the fence, by the log's clock.
    package var pauseMilliseconds: Int64?
    package var problem: String?
    /// The brain whose workers alone can take the shard over now, when this worker was to and cannot.
    package var neededBrain: UInt32?

    package init(
        shard: Int, phase: ShardPhase, epoch: UInt64 = 0, commit: UInt64 = 0, inputApplied: UInt64 = 0, inputLast: UInt64 = 0,
        clockMilliseconds: Int64 = 0, customers: Int = 0, openActions: Int = 0, messagesWaiting: Int = 0, events: UInt64 = 0,
        setAside: UInt64 = 0, replayed: UInt64 = 0, pauseMilliseconds: Int64? = nil, problem: String? = nil
    ) {
        self.shard = shard
        self.phase = phase
        self.epoch = epoch
        self.commit = commit
        self.inputApplied = inputApplied
        self.inputLast = inputLast
        self.clockMilliseconds = clockMilliseconds
        self.customers = customers
        self.openActions = openActions
        self.messagesWaiting = messagesWaiting
        self.events = events
        self.setAside = setAside
        self.replayed = replayed
        self.pauseMilliseconds = pauseMilliseconds
        self.problem = problem
    }
}
