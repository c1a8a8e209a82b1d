package import Model

/// What a placement follows from, beside the one before.
package struct PlacementBasis: Equatable, Sendable {
    package var roster: Roster
    /// Workers that follow each shard without owning it.
    package var standbys: Int
    /// Shards whose owner of now lives and does not serve them yet.
    package var moving: Set<Int>
    /// Planned moves that may be under way at once, those of `moving` among them.
    package var movesAtOnceMax: Int
    /// Names of workers that a person has drained, ascending; none of them is among the roster's placeable
    /// unless all that are left are.
    package var drained: [String]
    /// Shards whose log a person trusts.
    package var trusted: [TrustedEnd]
    /// Recorded commits that end workers that run them again.
    package var traps: [ReplayTrap]
    /// By shard number, who alone can take it over now; everybody can take those that are missing.
    package var eligible: [Int: Set<WorkerID>]

    package init(
        roster: Roster, standbys: Int = 0, moving: Set<Int> = [], movesAtOnceMax: Int = .max, drained: [String] = [],
        trusted: [TrustedEnd] = [], traps: [ReplayTrap] = [], eligible: [Int: Set<WorkerID>] = [:]
    ) {
        self.roster = roster
        self.standbys = standbys
        self.moving = moving
        self.movesAtOnceMax = movesAtOnceMax
        self.drained = drained
        self.trusted = trusted
        self.traps = traps
        self.eligible = eligible
    }
}

extension PlacementRecord {
    /// Nobody lives, nobody owns.
    package static func empty(shards: Int) -> PlacementRecord {
        PlacementRecord(alive: [], owners: Array(repeating: nil, count: shards))
    }

    /// By shard; nil where nobody is named, or the index names nobody.
    package var ownersByShard: [WorkerID?] {
        owners.map { index in
            guard let index, alive.indices.contains(index) else { return nil }
            return alive[index]
        }
    }

    /// The placement that follows from this one: a step towards the plan. A shard whose owner has gone is placed at once,
    /// one that only balance or draining moves when there is room among the moves under way.
    package func next(shards: Int, basis: PlacementBasis) -> PlacementRecord {
        let roster = basis.roster
        let indices = Dictionary(uniqueKeysWithValues: zip(roster.alive, roster.alive.indices))
        let living = Dictionary(roster.alive.map { ($0.name, $0) }) { _, later in later }
        // Who cannot take a shard over has it no more than somebody who has gone.
        let previous = ownersByShard.enumerated().map { shard, owner -> WorkerID? in
            guard let run = owner.flatMap({ living[$0.name] }) else { return nil }
            return basis.eligible[shard].map { $0.contains(run) } ?? true ? run : nil
        }
        var owners = PlacementPlanner.plan(
            shards: shards, workers: roster.placeable, previous: previous, eligible: basis.eligible)
        var room = max(0, basis.movesAtOnceMax - basis.moving.count)
        for shard in owners.indices where !roster.placeable.isEmpty && shard < previous.count {
            guard let before = previous[shard], before != owners[shard] else { continue }
            if room > 0 && !basis.moving.contains(shard) { room -= 1 } else { owners[shard] = before }
        }
        let standbys = StandbyPlanner.plan(owners: owners, workers: roster.placeable, count: basis.standbys)
        return PlacementRecord(
            alive: roster.alive, owners: owners.map { $0.flatMap { indices[$0] } },
            standbys: standbys.map { $0.compactMap { indices[$0] } }, drained: basis.drained,
            trusted: basis.trusted, traps: basis.traps)
    }
}
