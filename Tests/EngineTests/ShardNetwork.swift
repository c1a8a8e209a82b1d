import Engine
import Model
import Testing

/// Shards in memory that tell each other what they have to, over a network that delays, loses and repeats.
final actor ShardNetwork {
    private nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    let installation: Installation
    private var rules: CompiledRules
    /// All rule sets that were in force, by revision.
    private var revisions: [UInt64: CompiledRules]
    /// What fences said, by shard: behind how many steps.
    private var takeovers: [[(steps: Int, takeover: Takeover)]]
    private var shards: [Shard]
    private var queues: [InputQueue]
    private(set) var inputs: [[LogRecord]]
    private(set) var steps: [[Step]]
    /// Newest counters that may leave, by source and destination.
    private var sendable: [[ShardID: UInt64]]
    private(set) var now = Story.start

    init(shards count: Int, timeMode: Installation.TimeMode = .live, rules: RuleSet = Story.rules([])) throws {
        let map = try #require(ShardMap(shards: count))
        let installation = Installation(shards: map, timeMode: timeMode, replicas: 1)
        let compiled = CompiledRules(rules)
        let executor = ThreadExecutor()
        self.installation = installation
        self.rules = compiled
        revisions = [rules.revision: compiled]
        takeovers = map.all.map { _ in [] }
        self.executor = executor
        shards = map.all.map { Shard(id: $0, installation: installation, rules: compiled, executor: executor) }
        queues = map.all.map { _ in InputQueue() }
        inputs = map.all.map { _ in [] }
        steps = map.all.map { _ in [] }
        sendable = map.all.map { _ in [:] }
    }

    func setTime(_ instant: Instant) { now = max(now, instant) }

    /// Into the input of its customer's shard, as a gateway would.
    func accept(_ event: Event) { append(.events([event]), to: installation.shards.shard(of: event.customer)) }

    /// Event-time mode: tells every shard the time, when nothing is under way.
    func clock(_ instant: Instant) throws {
        try finish()
        for id in installation.shards.all { append(.clock(instant), to: id) }
        try finish()
    }

    private func append(_ message: InputMessage, to id: ShardID) {
        let index = Int(id.number)
        let record = LogRecord(sequence: UInt64(inputs[index].count) + 1, time: now, payload: message.encoded())
        inputs[index].append(record)
        queues[index].append(record)
    }

    /// Runs what waits in one shard; false when there was nothing to do.
    @discardableResult
    func run(_ index: Int, delivered: [ShardID: UInt64] = [:]) -> Bool {
        var delivered = delivered
        var ran = false
        while let step = shards[index].runStep(&queues[index], now: now, delivered: delivered) {
            delivered = [:]
            ran = true
            steps[index].append(step)
            sendable[index].merge(shards[index].takeSent()) { $1 }
        }
        return ran
    }

    /// Offers one batch of messages: it may get lost, be written without the source learning it, or well.
    func offer(from index: Int, to destination: ShardID, dice: inout Dice) {
        let through = sendable[index][destination] ?? 0
        guard let batch = shards[index].messages(to: destination, through: through) else { return }
        if dice.chance(20) { return }
        append(batch.message, to: destination)
        if dice.chance(15) { append(batch.message, to: destination) }
        if dice.chance(25) { return }
        run(index, delivered: [destination: batch.last])
    }

    /// The owner changes: its successor has the state of a snapshot, and all that waits may leave.
    func restart(_ index: Int) throws {
        let id = ShardID(index: index)
        let chunks = shards[index].encoded()
        let again = Shard(id: id, installation: installation, rules: rules, executor: executor)
        try again.restore([chunks])
        #expect(again.encoded() == chunks)
        shards[index] = again
        var queue = InputQueue()
        for record in inputs[index] where record.sequence >= max(again.inputSequence, 1) { queue.append(record) }
        queues[index] = queue
        sendable[index] = again.messagesNewest
    }

    /// From now on these rules are in force, under a revision of their own.
    func adopt(_ set: RuleSet) {
        rules = CompiledRules(set)
        revisions[set.revision] = rules
        for shard in shards { shard.adopt(rules) }
    }

    /// The owner ends without a word, and a next one takes over; what it may run in a step from now on.
    @discardableResult
    func takeOver(_ index: Int) throws -> Takeover.Caution {
        let takeover = shards[index].nextTakeover()
        try restart(index)
        shards[index].follow(.fence, takeover, nil)
        takeovers[index].append((steps[index].count, takeover))
        return shards[index].commitBound
    }

    /// From now on the shard is what a brain with these rules, of the revision in force, makes of all recorded steps when it
    /// takes them as the truth. Returns how many effects differed.
    func trust(_ index: Int, _ set: RuleSet) throws -> Int {
        let rules = CompiledRules(set)
        let again = Shard(id: ShardID(index: index), installation: installation, rules: rules, executor: executor)
        var queue = InputQueue()
        for record in inputs[index] { queue.append(record) }
        let trusted = TrustedReplay(again)
        for step in steps[index] { _ = try trusted.replay(step, &queue) }
        steps[index].append(trusted.finish())
        shards[index] = again
        queues[index] = queue
        sendable[index] = again.messagesNewest
        return trusted.differences
    }

    /// Hands everything that was set aside to its shard once more; returns how many.
    func replayLetters() throws -> Int {
        var count = 0
        for id in installation.shards.all {
            for case .setAside(let letter) in try effects(of: Int(id.number)) {
                count += 1
                append(.replay(of: letter.number, message: letter.message), to: id)
            }
        }
        try finish()
        return count
    }

    /// Delivers until nothing waits anywhere.
    func finish() throws {
        for _ in 0..<10_000 {
            var isQuiet = true
            for index in shards.indices {
                if run(index) { isQuiet = false }
                for destination in installation.shards.all {
                    let through = sendable[index][destination] ?? 0
                    guard let batch = shards[index].messages(to: destination, through: through) else { continue }
                    isQuiet = false
                    append(batch.message, to: destination)
                    run(index, delivered: [destination: batch.last])
                }
            }
            if isQuiet { return }
        }
        Issue.record("the shards never came to rest")
    }

    func effects() throws -> [Effect] { try steps.flatMap { try $0.flatMap { try $0.decodedEffects() } } }
    func effects(of index: Int) throws -> [Effect] { try steps[index].flatMap { try $0.decodedEffects() } }
    func waiting() -> Int { shards.reduce(0) { $0 + $1.messagesWaiting } }
    func waiting(_ index: Int) -> Int { shards[index].messagesWaiting }
    func customers() -> Int { shards.reduce(0) { $0 + $1.customers } }

    /// The customer that this key leads to, however many marks lie between.
    func view(_ key: CustomerKey) -> CustomerView {
        var key = key
        for _ in 0..<16 {
            let view = shards[Int(installation.shards.shard(of: key).number)].view(of: key)
            guard let next = view.leadsTo else { return view }
            key = CustomerKey(next)
        }
        Issue.record("marks lead in a circle")
        return shards[0].view(of: key)
    }

    func duplicates() -> [PossibleDuplicates.Group] { shards.flatMap { $0.possibleDuplicates().groups } }
    func openActions() -> [OpenActions.Action] { shards.flatMap { $0.openActions(after: nil).actions } }

    /// Every recorded step again; false unless each comes out as it was recorded and the states are equal.
    func replays() throws -> Bool {
        for index in shards.indices {
            let first = try #require(revisions[steps[index].first?.configuration ?? rules.set.revision])
            let again = Shard(id: ShardID(index: index), installation: installation, rules: first, executor: executor)
            var queue = InputQueue()
            for record in inputs[index] { queue.append(record) }
            for (count, step) in steps[index].enumerated() {
                for word in takeovers[index] where word.steps == count { again.follow(.fence, word.takeover, nil) }
                if again.rules.set.revision != step.configuration {
                    again.adopt(try #require(revisions[step.configuration]))
                }
                guard try again.replay(step, &queue) == step else { return false }
            }
            for word in takeovers[index] where word.steps == steps[index].count { again.follow(.fence, word.takeover, nil) }
            guard again.encoded() == shards[index].encoded() else { return false }
        }
        return true
    }
}
