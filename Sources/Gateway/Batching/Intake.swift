internal import Logging
package import Model
package import Ports
internal import Synchronization

/// Sees events into the input logs: one ``BatchAssembler`` a shard, and what performs its actions. Any thread may submit.
package final class Intake: Sendable {
    private struct Waiter {
        var shardsLeft: Int
        var failure: LogError?
        let continuation: CheckedContinuation<LogError?, Never>
    }

    private struct Alarm: Sendable {
        let at: Instant
        let shard: ShardID
        let isRetry: Bool
    }

    /// A lock that can stand in an array.
    private final class Lane: Sendable {
        let assembler: Mutex<BatchAssembler>
        init(_ settings: BatchAssembler.Settings) { assembler = Mutex(BatchAssembler(settings: settings)) }
    }

    private let logs: any LogStore
    private let clock: any WallClock
    private let shards: ShardMap
    private let metrics: GatewayMetrics
    /// Random for each run, so that batch ids of two gateways never meet.
    private let instance: String
    private let lanes: [Lane]
    private let waiters = Mutex<(next: UInt64, waiting: [UInt64: Waiter])>((1, [:]))
    private let alarms: AsyncStream<Alarm>
    private let alarmSource: AsyncStream<Alarm>.Continuation

    package init(
        logs: any LogStore, clock: any WallClock, shards: ShardMap, settings: BatchAssembler.Settings, metrics: GatewayMetrics,
        instance: UInt64 = .random(in: .min ... .max)
    ) {
        self.logs = logs
        self.clock = clock
        self.shards = shards
        self.metrics = metrics
        self.instance = String(instance, radix: 16)
        lanes = shards.all.map { _ in Lane(settings) }
        (alarms, alarmSource) = AsyncStream.makeStream()
    }

    /// What a request brings to each shard.
    package typealias Parts = [(shard: ShardID, events: PackedEvents)]

    package func parts(_ events: PackedEvents) -> Parts { events.parts(shards) }

    /// Whether events of one of these shards have waited too long for the log: more of them would only wait behind.
    package func isBehind(_ parts: Parts, now: Instant) -> Bool {
        parts.contains { part in
            let oldest = lane(part.shard).assembler.withLock { $0.oldest }
            return oldest.map { now - $0 > Limits.logWaitMilliseconds } ?? false
        }
    }

    /// Returns when every event is durable (nil), or when it is clear that some are not: then the request is to be sent
    /// again as a whole, and those that were written are recognised by their message ids.
    package func submit(_ parts: Parts) async -> LogError? {
        guard !parts.isEmpty else { return nil }
        return await withCheckedContinuation { continuation in
            let ticket = waiters.withLock { state in
                let ticket = state.next
                state.next += 1
                state.waiting[ticket] = Waiter(shardsLeft: parts.count, failure: nil, continuation: continuation)
                return ticket
            }
            let now = clock.now()
            for (shard, events) in parts {
                perform(lane(shard).assembler.withLock { $0.add(events, ticket: ticket, now: now) }, of: shard)
            }
        }
    }

    /// Runs the alarms until the task is cancelled. Without it nothing leaves that waits for its linger.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await alarm in alarms {
                if alarm.isRetry {
                    group.addTask { await self.ring(alarm) }
                } else {
                    await ring(alarm)
                }
            }
        }
    }

    private func ring(_ alarm: Alarm) async {
        do {
            if alarm.at > clock.now() { try await clock.sleep(until: alarm.at) }
        } catch {
            // Cancelled: the role ends, and has no open request left.
            return
        }
        // The clock may have been set back meanwhile; the alarm's own time has come in any case.
        let now = max(clock.now(), alarm.at)
        perform(lane(alarm.shard).assembler.withLock { $0.wake(now: now) }, of: alarm.shard)
    }

    private func lane(_ shard: ShardID) -> Lane { lanes[Int(shard.number)] }

    private func perform(_ actions: [BatchAssembler.Action], of shard: ShardID) {
        for action in actions {
            switch action {
            case .append(let batch, let bytes, let events): append(batch, bytes, events: events, to: shard)
            case .settle(let ticket, let failure): settle(ticket, failure)
            case .linger(let until): alarmSource.yield(Alarm(at: until, shard: shard, isRetry: false))
            case .retry(let at):
                metrics.count(.retries)
                alarmSource.yield(Alarm(at: at, shard: shard, isRetry: true))
            }
        }
    }

    private func append(_ batch: UInt64, _ bytes: [UInt8], events: Int, to shard: ShardID) {
        logs.append(to: .input(shard), bytes, expecting: nil, id: "\(instance)-\(batch)") { [self] result in
            if case .success = result { metrics.batchAppended(bytes: bytes.count, events: events) }
            let now = clock.now()
            perform(lane(shard).assembler.withLock { $0.finished(batch, result, now: now) }, of: shard)
        }
    }

    private func settle(_ ticket: UInt64, _ failure: LogError?) {
        let done: Waiter? = waiters.withLock { state in
            guard var waiter = state.waiting[ticket] else { return nil }
            waiter.shardsLeft -= 1
            waiter.failure = waiter.failure ?? failure
            state.waiting[ticket] = waiter.shardsLeft == 0 ? nil : waiter
            return waiter.shardsLeft == 0 ? waiter : nil
        }
        if let done { done.continuation.resume(returning: done.failure) }
    }
}
