import Engine
import Model
import Workload

/// A shard that holds all customers, fed from memory. Used on the main thread only.
final class BenchShard {
    static let customers: UInt64 = 512
    static let batchEvents = 256
    /// Batches that a grown shard has applied: sixteen events of each customer, in 45 days of the workload's time.
    static let grownBatches = 32

    let id = ShardID(0)
    let shard: Shard
    private var sequence: UInt64 = 0

    /// Empty.
    init(_ executor: MainThread) throws {
        guard let map = ShardMap(shards: 1) else { throw BenchError("a map of one shard") }
        shard = Shard(
            id: id, installation: Installation(shards: map, timeMode: .eventTime, replicas: 1),
            rules: CompiledRules(ReferenceRules.ruleSet), executor: executor)
    }

    /// With customers that have ordered and looked, and timers that wait.
    static func grown(_ executor: MainThread) throws -> BenchShard {
        let made = try BenchShard(executor)
        let messages = try asTheyCome(0..<grownBatches)
        guard made.apply(messages).events == grownBatches * batchEvents else { throw BenchError("events were not applied") }
        return made
    }

    /// What some messages came to.
    struct Done {
        var events = 0
        var wakeUps = 0
        var steps: [Step] = []
    }

    @discardableResult
    func apply(_ messages: [[UInt8]]) -> Done {
        let before = shard.eventsApplied
        var done = Done()
        for message in messages {
            sequence += 1
            var queue = InputQueue()
            queue.append(LogRecord(sequence: sequence, time: .distantPast, payload: message))
            while let step = shard.runStep(&queue, now: .distantPast) {
                done.wakeUps += Int(step.wakeUps)
                done.steps.append(step)
            }
        }
        done.events = Int(shard.eventsApplied - before)
        return done
    }

    /// These batches of the workload, a clock record after each.
    static func asTheyCome(_ numbers: Range<Int>) throws -> [[UInt8]] {
        guard let workload = ReferenceWorkload(customers: customers, events: 64 * customers, seed: 9) else {
            throw BenchError("no workload of \(customers) customers")
        }
        return numbers.flatMap { number in
            let events = (number * batchEvents..<(number + 1) * batchEvents).map {
                workload.event(at: UInt64($0)).input(seed: workload.seed)
            }
            let last = events.last?.time ?? ReferenceWorkload.start
            return [batch(events), InputMessage.clock(last).encoded()]
        }
    }

    /// So many batches of events of one kind, of customers in no order, all at the moment at which a shard is grown.
    static func batches(_ count: Int, of kind: ReferenceEvent.Kind) throws -> [[UInt8]] {
        // Others than those that the shard has grown by.
        guard let workload = ReferenceWorkload(customers: customers, events: ReferenceWorkload.countMax, seed: 10) else {
            throw BenchError("no workload of \(customers) customers")
        }
        let end = ReferenceWorkload.start + ReferenceWorkload.spanMilliseconds * Int64(grownBatches) / 128
        var index: UInt64 = 1_000_000
        return (0..<count).map { _ in
            var events: [Event] = []
            while events.count < batchEvents {
                let event = workload.event(at: index)
                index += 1
                guard event.kind == kind else { continue }
                var input = event.input(seed: workload.seed)
                input.time = end
                events.append(input)
            }
            return batch(events)
        }
    }

    /// So many batches of orders, each of another customer, all at one moment.
    static func firstOrders(_ count: Int) -> [[UInt8]] {
        (0..<count).map { number in
            batch(
                (number * batchEvents..<(number + 1) * batchEvents).map {
                    let line = OrderLine(product: Product(id: "p\($0 % 1000)"), quantity: 1, price: 1000)
                    let order = OrderEvent(orderID: "o\($0)", change: .placed, revenue: nil, lines: [line])
                    return Event(
                        messageID: UInt128($0 + 1), customer: .user("\($0)"), time: ReferenceWorkload.start,
                        body: .order(order))
                })
        }
    }

    private static func batch(_ events: [Event]) -> [UInt8] {
        var builder = EventBatchBuilder(base: events.first?.time ?? .distantPast)
        for event in events { builder.append(event) }
        return builder.finish()
    }
}
