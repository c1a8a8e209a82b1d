// What roles tell each other for reading only, as JSON. Nothing here decides anything.

package enum ShardPhase: String, Codable, Sendable {
    /// Waits for the owner before to release it.
    case waiting
    /// Loads a snapshot and replays the log.
    case recovering
    case serving
    /// Commits what is left and releases it.
    case releasing
    /// Stopped by a fault that stands in `problem`.
    case failed
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
    /// Events applied since the shard was taken over.
    package var events: UInt64
    /// Set aside since the installation began, and how many of those were replayed.
    package var setAside: UInt64
    package var replayed: UInt64
    package var problem: String?

    package init(
        shard: Int, phase: ShardPhase, epoch: UInt64 = 0, commit: UInt64 = 0, inputApplied: UInt64 = 0, inputLast: UInt64 = 0,
        clockMilliseconds: Int64 = 0, customers: Int = 0, openActions: Int = 0, events: UInt64 = 0, setAside: UInt64 = 0,
        replayed: UInt64 = 0,
        problem: String? = nil
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
        self.events = events
        self.setAside = setAside
        self.replayed = replayed
        self.problem = problem
    }
}
