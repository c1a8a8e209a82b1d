/// One record of COORD: who leads, and who owns what from now on. Fenced like a shard's commits: each expects the
/// sequence before it, and a new coordinator's first record has an epoch one higher.
package struct CoordinatorRecord: Codable, Equatable, Sendable {
    package static let currentVersion = 3

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

    /// Looks at the version before anything else, which may have another form in another version.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        version = try fields.decode(Int.self, forKey: .version)
        guard version == Self.currentVersion else {
            throw UnknownVersion(of: "a record of COORD", found: version, known: Self.currentVersion)
        }
        epoch = try fields.decode(UInt64.self, forKey: .epoch)
        coordinator = try fields.decode(String.self, forKey: .coordinator)
        placement = try fields.decode(PlacementRecord.self, forKey: .placement)
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
    /// Whose records may be taken as the truth by a worker of another brain, by shard number ascending.
    package var trusted: [TrustedEnd]
    /// Which recorded commits end workers that run them again, by shard, commit and build ascending.
    package var traps: [ReplayTrap]

    package init(
        alive: [WorkerID], owners: [Int?], standbys: [[Int]] = [], drained: [String] = [], trusted: [TrustedEnd] = [],
        traps: [ReplayTrap] = []
    ) {
        self.alive = alive
        self.owners = owners
        self.standbys = standbys
        self.drained = drained
        self.trusted = trusted
        self.traps = traps
    }
}

/// A person's word that whoever owns the shard may take what its LOG records up to this commit as the truth, whatever brain
/// decided it. It holds as long as that commit is the last: the takeover itself ends it.
package struct TrustedEnd: Codable, Hashable, Sendable {
    package var shard: Int
    package var commit: UInt64

    package init(shard: Int, commit: UInt64) {
        self.shard = shard
        self.commit = commit
    }
}
