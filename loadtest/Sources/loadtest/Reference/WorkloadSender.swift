import Model
import Synchronization
import Workload

/// Turns the workload into batches, as the gateway would: one shard each, sent when they reach the target size.
struct WorkloadSender: Sendable {
    let workload: ReferenceWorkload
    let map: ShardMap
    let publisher: InputPublisher
    /// Counts the events that were handed over; for showing.
    let handedOver: Counter

    /// Everything is durable when it returns. Then the closing clock record is written to every shard; their sequences.
    func send() async throws -> [ShardID: UInt64] {
        var batches = map.all.map { _ in EventBatchBuilder(base: ReferenceWorkload.start) }
        for index in 0..<workload.events {
            let event = workload.event(at: index).input(seed: workload.seed)
            let shard = map.shard(of: event.customer)
            let number = Int(shard.number)
            if batches[number].count == 0 { batches[number] = EventBatchBuilder(base: event.time) }
            batches[number].append(event)
            if batches[number].byteCount >= Limits.batchBytesTarget || batches[number].count == Limits.batchEventsMax {
                try await flush(&batches[number], to: shard)
            }
        }
        for shard in map.all where batches[Int(shard.number)].count > 0 {
            try await flush(&batches[Int(shard.number)], to: shard)
        }
        try await publisher.drain()
        let clock = InputMessage.clock(ReferenceWorkload.closing).encoded()
        for shard in map.all { try await publisher.send(clock, to: shard) }
        try await publisher.drain()
        var closing: [ShardID: UInt64] = [:]
        for shard in map.all { closing[shard] = await publisher.last(of: shard) }
        return closing
    }

    private func flush(_ batch: inout EventBatchBuilder, to shard: ShardID) async throws {
        let full = batch
        batch = EventBatchBuilder(base: ReferenceWorkload.start)
        try await publisher.send(full.finish(), to: shard)
        handedOver.add(UInt64(full.count))
    }
}

/// A number that several tasks look at.
final class Counter: Sendable {
    private let number = Atomic<UInt64>(0)

    var value: UInt64 { number.load(ordering: .relaxed) }
    func add(_ amount: UInt64) { number.wrappingAdd(amount, ordering: .relaxed) }
}
