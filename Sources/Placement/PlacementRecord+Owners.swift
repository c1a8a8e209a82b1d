package import Model

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

    /// The placement that follows from this one when the roster is another, or who can take a shard is.
    package func next(
        shards: Int, roster: Roster, eligible: [Int: Set<WorkerID>] = [:], trusted: [TrustedEnd] = []
    ) -> PlacementRecord {
        let owners = PlacementPlanner.plan(
            shards: shards, workers: roster.placeable, previous: ownersByShard, eligible: eligible)
        let indices = Dictionary(uniqueKeysWithValues: zip(roster.alive, roster.alive.indices))
        return PlacementRecord(alive: roster.alive, owners: owners.map { $0.flatMap { indices[$0] } }, trusted: trusted)
    }
}
