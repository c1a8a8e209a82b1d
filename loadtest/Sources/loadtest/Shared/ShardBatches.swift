import Model

/// Events on their way into batches, one under way for each shard, as the gateway would pack them.
struct ShardBatches {
    let map: ShardMap
    private var builders: [EventBatchBuilder]

    init(map: ShardMap) {
        self.map = map
        builders = map.all.map { _ in EventBatchBuilder(base: .distantPast) }
    }

    /// Returns the event's shard.
    mutating func append(_ event: Event) -> ShardID {
        let shard = map.shard(of: event.customer)
        let number = Int(shard.number)
        if builders[number].count == 0 { builders[number] = EventBatchBuilder(base: event.time) }
        builders[number].append(event)
        return shard
    }

    func count(_ shard: ShardID) -> Int { builders[Int(shard.number)].count }

    func isFull(_ shard: ShardID) -> Bool {
        let builder = builders[Int(shard.number)]
        return builder.byteCount >= Limits.batchBytesTarget || builder.count == Limits.batchEventsMax
    }

    /// The shard's batch, which begins anew.
    mutating func take(_ shard: ShardID) -> [UInt8] {
        let full = builders[Int(shard.number)]
        builders[Int(shard.number)] = EventBatchBuilder(base: .distantPast)
        return full.finish()
    }
}
