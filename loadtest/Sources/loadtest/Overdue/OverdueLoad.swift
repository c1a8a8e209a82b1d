import Model
import Ports

/// Customers with one timer each: every one orders once, and the only rule (``FirstOrders/rules(lapseAfter:)``) wakes it some
/// time after.
enum OverdueLoad {
    private static let portions = 100
    private static let pause = Duration.milliseconds(50)

    /// Writes the orders into the shards' inputs, over five seconds and more, so that their timers are due one after the
    /// other; they are durable when it returns.
    static func send(customers: Int, map: ShardMap, logs: any LogStore) async throws {
        let publisher = try await InputPublisher(logs: logs, shards: map.all)
        // In live mode an event happens when the log takes it, whatever it says.
        let time = Instant(milliseconds: 0)
        var builders = map.all.map { _ in EventBatchBuilder(base: time) }
        func flush(_ shard: ShardID) async throws {
            let full = builders[Int(shard.number)]
            builders[Int(shard.number)] = EventBatchBuilder(base: time)
            try await publisher.send(full.finish(), to: shard)
        }
        func flushAll() async throws {
            for shard in map.all where builders[Int(shard.number)].count > 0 { try await flush(shard) }
        }
        let run = UInt128(UInt64.random(in: .min ... .max)) << 64
        for number in 1...customers {
            let event = Event(
                messageID: run | UInt128(number), customer: .user("t\(number)"), time: time,
                body: .order(OrderEvent(orderID: "o\(number)", change: .placed, revenue: 100)))
            let shard = map.shard(of: event.customer)
            builders[Int(shard.number)].append(event)
            let (bytes, count) = (builders[Int(shard.number)].byteCount, builders[Int(shard.number)].count)
            if bytes >= Limits.batchBytesTarget || count == Limits.batchEventsMax { try await flush(shard) }
            if number % max(1, customers / portions) == 0 {
                try await flushAll()
                try await Task.sleep(for: pause)
            }
        }
        try await flushAll()
        try await publisher.drain()
    }
}
