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
    /// Names of workers that a person has drained, ascending; none of them is among the roster's placeable.
    package var drained: [String]

    package init(
        roster: Roster, standbys: Int = 0, moving: Set<Int> = [], movesAtOnceMax: Int = .max, drained: [String] = []
    ) {
        self.roster = roster
        self.standbys = standbys
        self.moving = moving
        self.movesAtOnceMax = movesAtOnceMax
        self.drained = drained
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
        let previous = ownersByShard.map { $0.flatMap { living[$0.name] } }
        var owners = PlacementPlanner.plan(shards: shards, workers: roster.placeable, previous: previous)
        var room = max(0, basis.movesAtOnceMax - basis.moving.count)
        for shard in owners.indices where !roster.placeable.isEmpty && shard < previous.count {
            guard let before = previous[shard], before != owners[shard] else { continue }
            if room > 0 && !basis.moving.contains(shard) { room -= 1 } else { owners[shard] = before }
        }
        let standbys = StandbyPlanner.plan(owners: owners, workers: roster.placeable, count: basis.standbys)
        return PlacementRecord(
            alive: roster.alive, owners: owners.map { $0.flatMap { indices[$0] } },
            standbys: standbys.map { $0.compactMap { indices[$0] } }, drained: basis.drained)
    }
}
