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
        var batches = ShardBatches(map: map)
        for index in 0..<workload.events {
            let shard = batches.append(workload.event(at: index).input(seed: workload.seed))
            if batches.isFull(shard) { try await flush(&batches, shard) }
        }
        for shard in map.all where batches.count(shard) > 0 { try await flush(&batches, shard) }
        try await publisher.drain()
        let clock = InputMessage.clock(ReferenceWorkload.closing).encoded()
        for shard in map.all { try await publisher.send(clock, to: shard) }
        try await publisher.drain()
        var closing: [ShardID: UInt64] = [:]
        for shard in map.all { closing[shard] = await publisher.last(of: shard) }
        return closing
    }

    private func flush(_ batches: inout ShardBatches, _ shard: ShardID) async throws {
        let count = UInt64(batches.count(shard))
        try await publisher.send(batches.take(shard), to: shard)
        handedOver.add(count)
    }
}

/// A number that several tasks look at.
final class Counter: Sendable {
    private let number = Atomic<UInt64>(0)

    var value: UInt64 { number.load(ordering: .relaxed) }
    func add(_ amount: UInt64) { number.wrappingAdd(amount, ordering: .relaxed) }
}
