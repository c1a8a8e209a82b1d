import Engine
import Model
import Workload

/// A piece of work, made ready: `run` does it and says how often.
struct Bench {
    var times: Int
    var run: () throws -> Int
}

/// One piece of an event's way. All that it needs is made before it is measured, the same on every machine.
struct Benchmark {
    var name: String
    /// What one time of it is.
    var unit: String
    var prepare: (MainThread) throws -> Bench

    /// In the order in which an event meets them.
    static func all() -> [Benchmark] {
        [
            Benchmark(name: "two-arrays", unit: "pair of arrays: two allocations, to see that they are counted") { _ in
                Bench(times: 1000) { (0..<1000).reduce(0) { $0 + twoArrays($1) } }
            },
            Benchmark(name: "encode-batch", unit: "event") { _ in try encodeBatch() },
            Benchmark(name: "decode-events", unit: "event") { _ in try decodeEvents() },
            Benchmark(name: "order", unit: "event") { try apply(.order, $0) },
            Benchmark(name: "first-order", unit: "event of a new customer") { try firstOrders($0) },
            Benchmark(name: "view", unit: "event") { try apply(.view, $0) },
            Benchmark(name: "click", unit: "event") { try apply(.click, $0) },
            Benchmark(name: "mixed", unit: "event of the reference workload, wake-ups included") { try mixed($0) },
            Benchmark(name: "wake-up", unit: "customer woken") { try wakeUps($0) },
            Benchmark(name: "calendar", unit: "wake-up noted, and taken out when due") { _ in calendar() },
            Benchmark(name: "encode-commit", unit: "commit of the reference workload") { try encodeCommits($0) },
            Benchmark(name: "decode-commit", unit: "commit of the reference workload, with its effects") {
                try decodeCommits($0)
            },
            Benchmark(name: "look-at", unit: "customer shown") { try lookAt($0) },
            Benchmark(name: "capture", unit: "customer written into a snapshot") { try capture($0) },
            Benchmark(name: "restore", unit: "customer read from a snapshot") { try restore($0) },
        ]
    }

    private static let batches = 16

    @inline(never) private static func twoArrays(_ number: Int) -> Int {
        let first = [Int](repeating: number, count: 3)
        let second = [UInt64](repeating: UInt64(first.count), count: 4 + number % 2)
        return second.count > 3 && first[0] == number ? 1 : 0
    }

    private static func encodeBatch() throws -> Bench {
        guard let workload = ReferenceWorkload(customers: 1000, events: 100_000) else { throw BenchError("no workload") }
        let events = (0..<BenchShard.batchEvents).map { workload.event(at: UInt64($0)).input(seed: 1) }
        return Bench(times: batches * BenchShard.batchEvents) {
            var count = 0
            for _ in 0..<batches {
                var builder = EventBatchBuilder(base: ReferenceWorkload.start)
                for event in events { builder.append(event) }
                count += builder.count
                if builder.finish().isEmpty { return 0 }
            }
            return count
        }
    }

    private static func decodeEvents() throws -> Bench {
        let messages = try BenchShard.asTheyCome(0..<batches)
        return Bench(times: batches * BenchShard.batchEvents) {
            var count = 0
            for message in messages {
                guard case .events(var reader) = try InputContent.read(message) else { continue }
                while let header = try reader.next() {
                    if try header.event(message).time >= ReferenceWorkload.start { count += 1 }
                }
            }
            return count
        }
    }

    /// Events of one kind, of customers that have ordered and looked before.
    private static func apply(_ kind: ReferenceEvent.Kind, _ executor: MainThread) throws -> Bench {
        let shard = try BenchShard.grown(executor)
        let messages = try BenchShard.batches(batches, of: kind)
        return Bench(times: batches * BenchShard.batchEvents) { shard.apply(messages).events }
    }

    private static func firstOrders(_ executor: MainThread) throws -> Bench {
        let shard = try BenchShard(executor)
        let messages = BenchShard.firstOrders(batches)
        return Bench(times: batches * BenchShard.batchEvents) { shard.apply(messages).events }
    }

    /// As they come, with a clock record after each batch.
    private static func mixed(_ executor: MainThread) throws -> Bench {
        let shard = try BenchShard.grown(executor)
        let messages = try BenchShard.asTheyCome(BenchShard.grownBatches..<BenchShard.grownBatches + 2 * batches)
        return Bench(times: 2 * batches * BenchShard.batchEvents) { shard.apply(messages).events }
    }

    /// Each customer asks for a review of its one order.
    private static func wakeUps(_ executor: MainThread) throws -> Bench {
        let shard = try BenchShard(executor)
        shard.apply(BenchShard.firstOrders(batches))
        let due = ReferenceWorkload.start + ReferenceRules.reviewMilliseconds + Milliseconds.day
        let clock = InputMessage.clock(due).encoded()
        return Bench(times: batches * BenchShard.batchEvents) { shard.apply([clock]).wakeUps }
    }

    private static func calendar() -> Bench {
        let count = 20_000
        let random = SplitMix(seed: 5)
        let start = ReferenceWorkload.start.milliseconds
        let entries = (0..<count).map { index in
            WakeUpCalendar.Entry(
                due: start + Int64(random.value(at: UInt64(index)) % UInt64(ReferenceWorkload.spanMilliseconds)),
                slot: UInt32(index))
        }
        return Bench(times: count) {
            var calendar = WakeUpCalendar()
            for entry in entries { calendar.insert(entry) }
            var (taken, time, before) = (0, start, start)
            while time < start + ReferenceWorkload.spanMilliseconds {
                time += Milliseconds.hour
                while let entry = calendar.next(through: time, isCurrent: { _ in true }) {
                    if entry.due >= before { taken += 1 }
                    before = entry.due
                }
            }
            return taken
        }
    }

    /// Commits as a worker makes them: many steps each.
    private static func commits(_ executor: MainThread) throws -> [Commit] {
        let shard = try BenchShard.grown(executor)
        let next = BenchShard.grownBatches..<BenchShard.grownBatches + 4 * batches
        let steps = shard.apply(try BenchShard.asTheyCome(next)).steps
        return stride(from: 0, to: steps.count, by: 8).map { first in
            Commit(
                kind: .steps, shard: shard.id, epoch: 1, number: UInt64(first + 2), previousHash: 1, brain: brainVersion,
                owner: "micro", steps: Array(steps[first..<min(first + 8, steps.count)]))
        }
    }

    private static func encodeCommits(_ executor: MainThread) throws -> Bench {
        let commits = try commits(executor)
        return Bench(times: 8 * commits.count) {
            var count = 0
            for _ in 0..<8 { for commit in commits where commit.encoded().hash != 0 { count += 1 } }
            return count
        }
    }

    private static func decodeCommits(_ executor: MainThread) throws -> Bench {
        let encoded = try commits(executor).map { $0.encoded().bytes }
        return Bench(times: encoded.count) {
            var count = 0
            for bytes in encoded {
                var effects = 0
                for step in try Commit.decoded(bytes).commit.steps { effects += try step.decodedEffects().count }
                if effects > 0 { count += 1 }
            }
            return count
        }
    }

    private static func lookAt(_ executor: MainThread) throws -> Bench {
        let shard = try BenchShard.grown(executor)
        let keys = (0..<BenchShard.customers).map { CustomerKey.user(String($0)) }
        return Bench(times: keys.count) { keys.count { shard.shard.view(of: $0).found } }
    }

    private static func capture(_ executor: MainThread) throws -> Bench {
        let shard = try BenchShard.grown(executor)
        return Bench(times: shard.shard.customers) {
            shard.shard.beginSnapshot(whole: true)
            var bytes = 0
            while let chunk = shard.shard.nextSnapshotChunk() { bytes += chunk.count }
            shard.shard.endSnapshot(written: true)
            return bytes > 0 ? shard.shard.customers : 0
        }
    }

    private static func restore(_ executor: MainThread) throws -> Bench {
        let chunks = try BenchShard.grown(executor).shard.encoded()
        return Bench(times: Int(BenchShard.customers)) {
            let shard = try BenchShard(executor)
            try shard.shard.restore([chunks])
            return shard.shard.customers
        }
    }
}
