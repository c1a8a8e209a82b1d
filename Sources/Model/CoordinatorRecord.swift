/// One record of COORD: who leads, and who owns what from now on. Fenced like a shard's commits: each expects the
/// sequence before it, and a new coordinator's first record has an epoch one higher.
package struct CoordinatorRecord: Codable, Equatable, Sendable {
    package static let currentVersion = 2

    package var version: Int
    package var epoch: UInt64
    package var coordinator: String
    package var placement: PlacementRecord

    package init(epoch: UInt64, coordinator: String, placement: PlacementRecord) {
        version = Self.currentVersion
        self.epoch = epoch
        self.coordinator = coordinator
        self.placement = placement
    }
}

/// Who owns which shard. A worker that finds itself named follows the shard's log and takes it over: at once when the last
/// commit is a release, or its owner is not among `alive`; otherwise when that owner has released it.
package struct PlacementRecord: Codable, Equatable, Sendable {
    /// The workers that are believed to live, ascending.
    package var alive: [WorkerID]
    /// By shard number: an index into `alive`, or nil when nobody can own it.
    package var owners: [Int?]
    /// By shard number: who follows it all the time, as indices into `alive`, the first to take it over first. Empty = nobody
    /// does for any shard.
    package var standbys: [[Int]]
    /// Names of the workers that a person has told to own nothing, ascending; alive or not.
    package var drained: [String]

    package init(alive: [WorkerID], owners: [Int?], standbys: [[Int]] = [], drained: [String] = []) {
        self.alive = alive
        self.owners = owners
        self.standbys = standbys
        self.drained = drained
    }
}
