package import Model

/// Who stands by for which shard. Pure.
///
/// The first standby of a shard is whoever would own it if its owner left now, so that a takeover goes to a worker that has
/// followed. Further ones by rendezvous weight.
package enum StandbyPlanner {
    /// - Parameters:
    ///   - owners: by shard.
    ///   - workers: who may stand by.
    ///   - count: how many for each shard; fewer when there are not so many others.
    /// - Returns: by shard; empty when there are to be none.
    package static func plan(owners: [WorkerID?], workers: [WorkerID], count: Int) -> [[WorkerID]] {
        guard count > 0, workers.count > 1 else { return [] }
        var standbys = owners.map { _ in [WorkerID]() }
        for leaver in Set(owners.compactMap(\.self)).sorted() {
            let others = workers.filter { $0.name != leaver.name }
            let without = PlacementPlanner.plan(shards: owners.count, workers: others, previous: owners)
            for shard in owners.indices where owners[shard] == leaver {
                guard let first = without[shard] else { continue }
                standbys[shard] = [first]
                guard count > 1 else { continue }
                let further = others.filter { $0 != first }.map { (weight: PlacementPlanner.weight($0, shard), worker: $0) }
                standbys[shard] += further.sorted { ($0.weight, $0.worker) > ($1.weight, $1.worker) }.prefix(count - 1).map(
                    \.worker)
            }
        }
        return standbys
    }
}
