import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import loadtest

@Suite struct InputPublisherTests {
    private static func shards(_ count: Int) throws -> ShardMap { try #require(ShardMap(shards: count)) }

    @Test(arguments: 0..<12) func `every batch is written once and in order, whatever goes wrong`(seed: Int) async throws {
        let map = try Self.shards(4)
        let logs = SimulatedLogStore(clock: ManualClock(at: ReferenceWorkload.start))
        let publisher = try await InputPublisher(logs: logs, shards: map.all, retryAfter: .zero)
        logs.setFaults(SimulatedFaults.some(seed: UInt64(seed)))
        for number in 0..<150 {
            for shard in map.all { try await publisher.send(Array("\(shard)-\(number)".utf8), to: shard) }
        }
        try await publisher.drain()
        logs.setFaults(.none)
        for shard in map.all {
            let texts = logs.contents(of: .input(shard)).map { String(decoding: $0.payload, as: UTF8.self) }
            #expect(texts == (0..<150).map { "\(shard)-\($0)" })
            #expect(await publisher.last(of: shard) == 150)
        }
        #expect(await publisher.repeats > 0, "the faults must have struck")
    }

    @Test func `another writer is found out`() async throws {
        let shard = ShardID(0)
        let logs = SimulatedLogStore(clock: ManualClock(at: ReferenceWorkload.start))
        let publisher = try await InputPublisher(logs: logs, shards: [shard], retryAfter: .zero)
        _ = try await logs.append(to: .input(shard), [1])
        _ = try await logs.append(to: .input(shard), [2])
        try await publisher.send([3], to: shard)
        await #expect(throws: LoadError.self) { try await publisher.drain() }
    }

    @Test func `the workload reaches every shard whole, in order, and the closing clock last`() async throws {
        let workload = try #require(ReferenceWorkload(customers: 300, events: 20_000))
        let map = try Self.shards(4)
        let logs = SimulatedLogStore(clock: ManualClock(at: ReferenceWorkload.start))
        let publisher = try await InputPublisher(logs: logs, shards: map.all)
        let sent = Counter()
        let closing = try await WorkloadSender(workload: workload, map: map, publisher: publisher, handedOver: sent).send()
        #expect(sent.value == 20_000)
        var expected: [ShardID: [Event]] = [:]
        for index in 0..<workload.events {
            let event = workload.event(at: index).input(seed: 42)
            expected[map.shard(of: event.customer), default: []].append(event)
        }
        for shard in map.all {
            let records = logs.contents(of: .input(shard))
            #expect(closing[shard] == UInt64(records.count))
            #expect(records.allSatisfy { $0.payload.count <= Limits.batchBytesMax })
            #expect(records.count < 6, "they travel in batches, not alone")
            var events: [Event] = []
            for record in records.dropLast() {
                guard case .events(let batch) = try InputMessage.decoded(record.payload) else {
                    Issue.record("shard \(shard): a clock record too early")
                    continue
                }
                events += batch
            }
            #expect(events == expected[shard])
            let last = try #require(records.last)
            #expect(try InputMessage.decoded(last.payload) == .clock(ReferenceWorkload.closing))
        }
    }
}
