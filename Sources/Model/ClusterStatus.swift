// What roles tell each other for reading only, as JSON. Nothing here decides anything.

/// Answer to `coordinator.status`.
package struct ClusterStatus: Codable, Equatable, Sendable {
    package struct Worker: Codable, Equatable, Sendable {
        package var id: WorkerID
        package var alive: Bool
        /// It is to own nothing: it stops, or a person said so.
        package var draining: Bool
        package var lastHeardMillisecondsAgo: Int64
        package var shards: [ShardStatus]
        package var residentBytes: UInt64

        package init(
            id: WorkerID, alive: Bool, draining: Bool = false, lastHeardMillisecondsAgo: Int64, shards: [ShardStatus],
            residentBytes: UInt64
        ) {
            self.id = id
            self.alive = alive
            self.draining = draining
            self.lastHeardMillisecondsAgo = lastHeardMillisecondsAgo
            self.shards = shards
            self.residentBytes = residentBytes
        }
    }

    package var coordinator: String
    package var epoch: UInt64
    package var shards: Int
    /// `live` or `event-time`.
    package var timeMode: String
    package var placement: PlacementRecord
    package var workers: [Worker]
    /// What is wrong with the workers, for people.
    package var faults: [String]
    /// Commits of all shards that the sums do not contain yet.
    package var sumsLagCommits: UInt64
    /// Why the sums of some shards do not go on; none is right.
    package var sumsProblems: [String]

    package init(
        coordinator: String, epoch: UInt64, shards: Int, timeMode: String, placement: PlacementRecord, workers: [Worker],
        faults: [String] = [], sumsLagCommits: UInt64, sumsProblems: [String] = []
    ) {
        self.coordinator = coordinator
        self.epoch = epoch
        self.shards = shards
        self.timeMode = timeMode
        self.placement = placement
        self.workers = workers
        self.faults = faults
        self.sumsLagCommits = sumsLagCommits
        self.sumsProblems = sumsProblems
    }
}
