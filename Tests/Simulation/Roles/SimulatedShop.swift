package import Model
package import Ports
internal import SimulatedPorts

/// Brings the plan's events into IN as a gateway and its shops do: in batches, again when no answer came, and with a clock
/// record behind each day in event-time mode.
// Sendable: used on the simulation's thread alone.
package final class SimulatedShop: @unchecked Sendable {
    private let plan: ShopPlan
    private let installation: Installation
    private let logs: any LogStore
    private let clock: any WallClock
    private var random: SplitMix
    private let begin: Instant
    private let eventsBegin: Instant
    /// How long the days of the plan take here.
    private let lengthMilliseconds: Int64
    package private(set) var isDone = false

    package init(
        plan: ShopPlan, installation: Installation, logs: any LogStore, clock: any WallClock, seed: UInt64, eventsBegin: Instant,
        lengthMilliseconds: Int64
    ) {
        self.plan = plan
        self.installation = installation
        self.logs = logs
        self.clock = clock
        random = SplitMix(seed: seed)
        begin = clock.now()
        self.eventsBegin = eventsBegin
        self.lengthMilliseconds = lengthMilliseconds
    }

    package func run() async throws {
        var rest = plan.entries[...]
        let portions: Int64 = installation.timeMode == .live ? 200 : 24
        for portion in 1...portions {
            try await clock.sleep(until: begin + lengthMilliseconds * portion / portions)
            let end = plan.lengthMilliseconds * portion / portions
            let now = rest.prefix { $0.at < end }
            rest = rest.dropFirst(now.count)
            try await bring(now.map(\.event))
            guard installation.timeMode == .eventTime else { continue }
            try await bringClock(eventsBegin + end)
        }
        // A while after the last event, so that what it set off comes due too.
        if installation.timeMode == .eventTime { try await bringClock(eventsBegin + 2 * plan.lengthMilliseconds) }
        isDone = true
    }

    /// Each shard's events in one batch or more, all shards at once.
    private func bring(_ events: [Event]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in installation.shards.all {
                let own = events.filter { installation.shards.shard(of: $0.customer) == shard }
                guard !own.isEmpty else { continue }
                let cut = random.chance(perMille: 300) ? own.count / 2 : 0
                for part in [own.prefix(cut), own.dropFirst(cut)] where !part.isEmpty {
                    group.addTask { try await self.append(.events(Array(part)), to: shard) }
                }
            }
            try await group.waitForAll()
        }
    }

    private func bringClock(_ instant: Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in installation.shards.all { group.addTask { try await self.append(.clock(instant), to: shard) } }
            try await group.waitForAll()
        }
    }

    /// Until it is known to be written: once, or as often as no answer came.
    private func append(_ message: InputMessage, to shard: ShardID) async throws {
        while true {
            do {
                _ = try await logs.append(to: .input(shard), message.encoded())
                return
            } catch {
                try await clock.sleep(until: clock.now() + 100 + Int64(random.next() % 400))
            }
        }
    }
}
