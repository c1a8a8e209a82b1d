import Model
import Testing

@testable import Worker

@Suite("Snapshots by the measured rate")
struct ReplayRateTests {
    @Test("F3 the rate is the measured one, within its bounds, and the least until enough was measured")
    func measured() {
        var rate = ReplayRate()
        rate.add(work: Limits.replayMeasuredMin - 1, milliseconds: 80)
        #expect(rate.nanoseconds == Limits.replayNanosecondsMin)
        rate.add(work: 1, milliseconds: -5)
        #expect(rate.nanoseconds == Limits.replayNanosecondsMin)
        for _ in 0..<40 { rate.add(work: 2000, milliseconds: 10) }
        #expect((4700...5200).contains(rate.nanoseconds))
        for _ in 0..<40 { rate.add(work: 2000, milliseconds: 200) }
        #expect(rate.nanoseconds == Limits.replayNanosecondsMax)
        for _ in 0..<200 { rate.add(work: 2000, milliseconds: 0) }
        #expect(rate.nanoseconds == Limits.replayNanosecondsMin)
    }

    @Test("F3 a slower machine takes snapshots sooner, and shards become due one after another")
    func schedule() {
        let now = Instant(milliseconds: 0)
        func due(_ nanoseconds: Int64, phase: UInt8 = 0) -> UInt64 {
            var schedule = SnapshotSchedule(shardsPerThread: 32, inputBytesMax: nil, commitBytesMax: nil, phase: phase)
            var work: UInt64 = 0
            while !schedule.isDue(now: now, nanoseconds: nanoseconds) {
                schedule.add(.init(work: 10))
                work += 10
            }
            return work
        }
        // Twice the average tail of 32 shards, which together may take as long as allowed.
        let longest = UInt64(2 * Limits.replayMillisecondsMax * 1_000_000 / 2000 / 32)
        #expect((longest...longest + 10).contains(due(2000)))
        #expect((longest / 4...longest / 4 + 10).contains(due(8000)))
        #expect((longest / 2...longest / 2 + 10).contains(due(2000, phase: 128)))
    }

    @Test("who is urgent has the next turn, the others theirs in order")
    func turns() async {
        let turns = Turns(1)
        let (names, said) = AsyncStream<String>.makeStream()
        await turns.take {
            for (index, name) in ["first", "second", "urgent"].enumerated() {
                Task { await turns.take(isUrgent: name == "urgent") { _ = said.yield(name) } }
                while turns.waitingCount == index { await Task.yield() }
            }
        }
        var order: [String] = []
        for await name in names {
            order.append(name)
            if order.count == 3 { break }
        }
        #expect(order == ["urgent", "first", "second"])
    }
}
