import Testing

import Engine
import Model

/// Runs one or more shards in memory: inputs in, commits out, replay and snapshots on the way.
final actor ShardHarness {
    private nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    let installation: Installation
    let rules: CompiledRules
    private var shards: [ShardID: Shard] = [:]
    private var inputs: [ShardID: [LogRecord]] = [:]
    private(set) var steps: [ShardID: [Step]] = [:]

    init(shards: Int = 1, timeMode: Installation.TimeMode = .eventTime, rules: RuleSet) throws {
        let map = try #require(ShardMap(shards: shards))
        installation = Installation(shards: map, timeMode: timeMode, replicas: 1)
        self.rules = CompiledRules(rules)
        executor = ThreadExecutor()
    }

    private func shard(_ id: ShardID) -> Shard {
        if let known = shards[id] { return known }
        let new = Shard(id: id, installation: installation, rules: rules, executor: executor)
        shards[id] = new
        return new
    }

    /// Puts a message into a shard's IN and runs steps until nothing waits.
    @discardableResult
    func put(_ message: InputMessage, at logTime: Instant = .distantPast, to id: ShardID = ShardID(0)) -> [Effect] {
        put(bytes: message.encoded(), at: logTime, to: id)
    }

    @discardableResult
    func put(bytes: [UInt8], at logTime: Instant = .distantPast, to id: ShardID = ShardID(0)) -> [Effect] {
        let sequence = UInt64(inputs[id]?.count ?? 0) + 1
        inputs[id, default: []].append(LogRecord(sequence: sequence, time: logTime, payload: bytes))
        var queue = InputQueue()
        if sequence > 0, let record = inputs[id]?.last { queue.append(record) }
        return drain(&queue, now: logTime, id)
    }

    /// Live mode: runs what is due by now.
    @discardableResult
    func tick(_ now: Instant, _ id: ShardID = ShardID(0)) -> [Effect] {
        var queue = InputQueue()
        return drain(&queue, now: now, id)
    }

    private func drain(_ queue: inout InputQueue, now: Instant, _ id: ShardID) -> [Effect] {
        var effects: [Effect] = []
        while let step = shard(id).runStep(&queue, now: now) {
            steps[id, default: []].append(step)
            effects += (try? step.decodedEffects()) ?? []
        }
        return effects
    }

    /// Events and clock records, spread over the shards by customer.
    func feed(_ events: [Event]) {
        let byShard = Dictionary(grouping: events) { installation.shards.shard(of: $0.customer) }
        for id in installation.shards.all {
            if let own = byShard[id] { put(.events(own), to: id) }
        }
    }

    func clock(_ instant: Instant) {
        for id in installation.shards.all { put(.clock(instant), to: id) }
    }

    /// Everything decided, in each shard's order.
    func effects() throws -> [Effect] {
        try installation.shards.all.flatMap { try (steps[$0] ?? []).flatMap { try $0.decodedEffects() } }
    }

    func encoded(_ id: ShardID = ShardID(0)) -> [UInt8] { shard(id).encoded() }
    func view(_ key: CustomerKey) -> CustomerView { shard(installation.shards.shard(of: key)).view(of: key) }
    func openActions(_ id: ShardID = ShardID(0)) -> [OpenActions.Action] { shard(id).openActionList() }

    /// Runs every recorded step again from nothing, or from a snapshot taken after the first `from` steps; fails unless
    /// each step comes out as it was recorded and the state is the same in the end.
    func replay(_ id: ShardID = ShardID(0), from: Int = 0) throws -> Bool {
        let recorded = steps[id] ?? []
        var again = Shard(id: id, installation: installation, rules: rules, executor: executor)
        func feed(_ shard: Shard) -> InputQueue {
            var queue = InputQueue()
            for record in inputs[id] ?? [] where record.sequence >= max(shard.inputSequence, 1) { queue.append(record) }
            return queue
        }
        var queue = feed(again)
        for (index, step) in recorded.enumerated() {
            if index == from, from > 0 {
                let snapshot = again.encoded()
                again = Shard(id: id, installation: installation, rules: rules, executor: executor)
                try again.restore(snapshot)
                guard again.encoded() == snapshot else { return false }
                queue = feed(again)
            }
            guard try again.replay(step, &queue) == step else { return false }
        }
        return again.encoded() == shard(id).encoded()
    }
}
