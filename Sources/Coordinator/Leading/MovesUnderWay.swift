internal import Model

/// Which shards are on their way to the worker that the placement names. Pure.
///
///     (served) --placed on another that lives--> under way --that one serves it, or reports a fault--> (served)
///     under way --too long--> no longer counted, until it is placed elsewhere
struct MovesUnderWay: Sendable {
    private var began: [Int: (owner: WorkerID, at: Instant)] = [:]

    /// - Parameter alive: workers that live; a shard of anybody else is not under way but lost, and placed at once.
    mutating func underWay(
        _ placement: PlacementRecord, alive: [WorkerID], heartbeats: [WorkerID: WorkerHeartbeat], now: Instant
    ) -> Set<Int> {
        var served: [WorkerID: Set<Int>] = [:]
        for worker in alive {
            served[worker] = Set(
                heartbeats[worker]?.shards.filter { $0.phase == .serving || $0.phase == .failed }.map(\.shard) ?? [])
        }
        var moving: Set<Int> = []
        for (shard, index) in placement.owners.enumerated() {
            let owner = index.flatMap { placement.alive.indices.contains($0) ? placement.alive[$0] : nil }
            guard let owner, let shards = served[owner], !shards.contains(shard) else {
                began[shard] = nil
                continue
            }
            if began[shard]?.owner != owner { began[shard] = (owner, now) }
            if let since = began[shard]?.at, now - since < Limits.moveMilliseconds { moving.insert(shard) }
        }
        return moving
    }
}
