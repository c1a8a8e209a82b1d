import Model
import Synchronization
import Workload

/// Sends a workload in two parts: as fast as it is taken, then so many events a second, until told to hurry. One batch per
/// shard and tick, so that every shard has something to do all the time.
final class PacedSender: Sendable {
    /// How the events of a second are spread over it. Can be changed while they are sent.
    final class Tempo: Sendable {
        private let milliseconds = Atomic(20)

        var tick: Duration { .milliseconds(milliseconds.load(ordering: .relaxed)) }
        /// All events of so long come at its end, at once.
        func set(tickMilliseconds: Int) { milliseconds.store(tickMilliseconds, ordering: .relaxed) }
    }

    private let workload: ReferenceWorkload
    private let map: ShardMap
    private let publisher: InputPublisher
    private let watch: CommitWatch
    private let tempo: Tempo
    private let isHurried = Atomic(false)

    init(workload: ReferenceWorkload, map: ShardMap, publisher: InputPublisher, watch: CommitWatch, tempo: Tempo) {
        self.workload = workload
        self.map = map
        self.publisher = publisher
        self.watch = watch
        self.tempo = tempo
    }

    /// What is left is sent as fast as it is taken.
    func hurry() { isHurried.store(true, ordering: .relaxed) }

    /// Events `range` as fast as they are taken.
    func sendAll(_ range: Range<UInt64>) async throws {
        var batches = ShardBatches(map: map)
        for index in range {
            let shard = batches.append(workload.event(at: index).input(seed: workload.seed))
            if batches.isFull(shard) { try await send(&batches, shard) }
        }
        for shard in map.all where batches.count(shard) > 0 { try await send(&batches, shard) }
        try await publisher.drain()
    }

    /// Events from `first` to the workload's end, `rate` a second. Returns how many went before it was hurried.
    func sendPaced(from first: UInt64, rate: UInt64) async throws -> UInt64 {
        let began = ContinuousClock.now
        var next = first
        var batches = ShardBatches(map: map)
        while next < workload.events && !isHurried.load(ordering: .relaxed) {
            try await Task.sleep(for: tempo.tick)
            let due = first + UInt64(Double(rate) * (began.duration(to: .now) / .seconds(1)))
            while next < min(due, workload.events) {
                let shard = batches.append(workload.event(at: next).input(seed: workload.seed))
                if batches.isFull(shard) { try await send(&batches, shard) }
                next += 1
            }
            for shard in map.all where batches.count(shard) > 0 { try await send(&batches, shard) }
        }
        let paced = next - first
        try await sendAll(next..<workload.events)
        return paced
    }

    /// The closing clock record to every shard; where they stand.
    func close() async throws -> [ShardID: UInt64] {
        let clock = InputMessage.clock(ReferenceWorkload.closing).encoded()
        for shard in map.all { try await publisher.send(clock, to: shard) }
        try await publisher.drain()
        var closing: [ShardID: UInt64] = [:]
        for shard in map.all { closing[shard] = await publisher.last(of: shard) }
        return closing
    }

    private func send(_ batches: inout ShardBatches, _ shard: ShardID) async throws {
        watch.sending(to: shard, events: batches.count(shard))
        try await publisher.send(batches.take(shard), to: shard)
    }
}
