package import Model

/// Who owns which shard: rendezvous hashing, bounded so that loads differ by one shard at most, and sticky.
///
/// Pure: the same arguments give the same plan everywhere. From a plan of its own, a leave moves exactly the leaver's
/// shards, and a join moves at most ⌈shards/workers⌉, all of them to the joiner.
package enum PlacementPlanner {
    /// - Parameters:
    ///   - workers: who may own shards; order and repetition do not matter.
    ///   - previous: by shard, who owned it; those of whom no run is among `workers` have left. May be shorter than `shards`.
    /// - Returns: by shard, who owns it; nil only when there are no workers.
    package static func plan(shards: Int, workers: [WorkerID], previous: [WorkerID?]) -> [WorkerID?] {
        precondition(shards >= 0, "a count cannot be negative")
        let workers = Set(workers).sorted()
        guard !workers.isEmpty else { return Array(repeating: nil, count: shards) }
        var draft = Draft(shards: shards, workers: workers, previous: previous)
        draft.shed()
        draft.place()
        return draft.owners.map { $0.map { workers[$0] } }
    }

    /// How much a shard belongs to a worker: the same for every run of one worker, so that a restart tends to get back
    /// what it had.
    static func weight(_ worker: WorkerID, _ shard: Int) -> UInt64 {
        var writer = ByteWriter(reserving: 40)
        writer.string(worker.name)
        writer.varint(UInt64(shard))
        return Hashing.hash64(writer.bytes)
    }
}

/// A plan in the making: owners are indices into the workers.
private struct Draft {
    let workers: [WorkerID]
    /// Every worker gets this many, and `extras` of them one more.
    let least: Int
    let extras: Int
    var owners: [Int?]
    var loads: [Int]

    init(shards: Int, workers: [WorkerID], previous: [WorkerID?]) {
        self.workers = workers
        least = shards / workers.count
        extras = shards % workers.count
        owners = Array(repeating: nil, count: shards)
        loads = Array(repeating: 0, count: workers.count)
        // A name is a worker, whichever run of it: a restart moves nothing.
        let indices = Dictionary(zip(workers.map(\.name), workers.indices)) { _, later in later }
        for shard in 0..<min(shards, previous.count) {
            guard let owner = previous[shard], let index = indices[owner.name] else { continue }
            owners[shard] = index
            loads[index] += 1
        }
    }

    /// Takes shards away from whoever has more than a balanced plan allows.
    mutating func shed() {
        let most = extras > 0 ? least + 1 : least
        for worker in workers.indices { shed(from: worker, downTo: most) }
        guard extras > 0 else { return }
        // Too many have one more than the least: the first by name keep it.
        let full = workers.indices.filter { loads[$0] == most }
        for worker in full.dropFirst(extras) { shed(from: worker, downTo: least) }
    }

    /// Gives up the shards that belong least to the worker.
    private mutating func shed(from worker: Int, downTo load: Int) {
        guard loads[worker] > load else { return }
        let own = owners.indices.filter { owners[$0] == worker }
            .map { (weight: PlacementPlanner.weight(workers[worker], $0), shard: $0) }
            .sorted { ($0.weight, $0.shard) < ($1.weight, $1.shard) }
        for (_, shard) in own.prefix(loads[worker] - load) { owners[shard] = nil }
        loads[worker] = load
    }

    /// Gives each shard without an owner to the worker it belongs to most, of those that have room.
    mutating func place() {
        var extrasLeft = extras - loads.count { $0 > least }
        for shard in owners.indices where owners[shard] == nil {
            let candidates = workers.indices.filter { loads[$0] < least || (loads[$0] == least && extrasLeft > 0) }
            let weights = candidates.map { (weight: PlacementPlanner.weight(workers[$0], shard), worker: $0) }
            guard let best = weights.max(by: { ($0.weight, $0.worker) < ($1.weight, $1.worker) }) else {
                preconditionFailure("loads \(loads) leave no room for shard \(shard) of \(owners.count)")
            }
            if loads[best.worker] == least { extrasLeft -= 1 }
            owners[shard] = best.worker
            loads[best.worker] += 1
        }
    }
}
