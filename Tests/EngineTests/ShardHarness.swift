import Model
import Testing

@testable import Engine

/// Runs one or more shards in memory: inputs in, commits out, replay and snapshots on the way.
final actor ShardHarness {
    private nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    let installation: Installation
    private var rules: CompiledRules
    private var revisions: [UInt64: CompiledRules] = [:]
    private var shards: [ShardID: Shard] = [:]
    private var inputs: [ShardID: [LogRecord]] = [:]
    private(set) var steps: [ShardID: [Step]] = [:]
    /// Fences and attempts, by how many steps stand before them.
    private var words: [ShardID: [(steps: Int, takeover: Takeover?, attempt: Attempt?)]] = [:]

    /// Usual events and wake-ups change bytes where they stand.
    private let inPlace: Bool

    init(
        shards: Int = 1, timeMode: Installation.TimeMode = .eventTime, rules: RuleSet, inPlace: Bool = true
    ) throws {
        self.inPlace = inPlace
        let map = try #require(ShardMap(shards: shards))
        installation = Installation(shards: map, timeMode: timeMode, replicas: 1)
        self.rules = CompiledRules(rules)
        revisions[rules.revision] = self.rules
        executor = ThreadExecutor()
    }

    private func shard(_ id: ShardID) -> Shard {
        if let known = shards[id] { return known }
        let new = Shard(id: id, installation: installation, rules: rules, executor: executor)
        new.appliesInPlace = inPlace
        shards[id] = new
        return new
    }

    /// From now on every shard decides by these; their revision must be new.
    func adopt(_ set: RuleSet) throws {
        try #require(revisions[set.revision] == nil)
        rules = CompiledRules(set)
        revisions[set.revision] = rules
        for (id, shard) in shards.sorted(by: { $0.key < $1.key }) {
            if !shard.mayAdopt {
                var queue = InputQueue()
                _ = try drain(&queue, now: .distantPast, id)
            }
            shard.adopt(rules)
        }
    }

    /// Puts a message into a shard's IN and runs steps until nothing waits.
    @discardableResult
    func put(_ message: InputMessage, at logTime: Instant = .distantPast, to id: ShardID = ShardID(0)) throws -> [Effect] {
        try put(bytes: [message.encoded()], at: logTime, to: id)
    }

    /// Puts messages into a shard's IN at once and runs steps until none waits.
    @discardableResult
    func put(bytes messages: [[UInt8]], at logTime: Instant = .distantPast, to id: ShardID = ShardID(0)) throws -> [Effect] {
        try put(bytes: messages, at: messages.map { _ in logTime }, now: logTime, to: id)
    }

    /// Puts messages into a shard's IN, each at a time of its own, and runs steps at `now` until none waits.
    func put(bytes messages: [[UInt8]], at times: [Instant], now: Instant, to id: ShardID = ShardID(0)) throws -> [Effect] {
        var queue = InputQueue()
        for (bytes, time) in zip(messages, times) {
            let record = LogRecord(sequence: UInt64(inputs[id]?.count ?? 0) + 1, time: time, payload: bytes)
            inputs[id, default: []].append(record)
            queue.append(record)
        }
        return try drain(&queue, now: now, id)
    }

    /// A new owner's first look: the record where the shard stands, read again, and one more behind it. Runs steps until none
    /// can be made.
    func putBehindLast(_ message: InputMessage, _ id: ShardID = ShardID(0)) throws -> [Effect] {
        var queue = InputQueue()
        if let last = inputs[id]?.last { queue.append(last) }
        let record = LogRecord(
            sequence: UInt64(inputs[id]?.count ?? 0) + 1, time: .distantPast, payload: message.encoded())
        inputs[id, default: []].append(record)
        queue.append(record)
        return try drain(&queue, now: .distantPast, id)
    }

    /// The owner has ended; with a last word when `place` is given. The next one fences.
    @discardableResult
    func takeOver(afterDyingAt place: Place? = nil, _ id: ShardID = ShardID(0)) -> Takeover {
        if let place { say(id, .attempt, nil, Attempt(place: place, signal: 4)) }
        let takeover = shard(id).nextTakeover()
        say(id, .fence, takeover, nil)
        return takeover
    }

    private func say(_ id: ShardID, _ kind: Commit.Kind, _ takeover: Takeover?, _ attempt: Attempt?) {
        words[id, default: []].append((steps[id]?.count ?? 0, takeover, attempt))
        shard(id).follow(kind, takeover, attempt)
    }

    /// Live mode: runs what is due by now.
    @discardableResult
    func tick(_ now: Instant, _ id: ShardID = ShardID(0)) throws -> [Effect] {
        var queue = InputQueue()
        return try drain(&queue, now: now, id)
    }

    private func drain(_ queue: inout InputQueue, now: Instant, _ id: ShardID) throws -> [Effect] {
        var effects: [Effect] = []
        while let step = shard(id).runStep(&queue, now: now) {
            steps[id, default: []].append(step)
            effects += try step.decodedEffects()
        }
        return effects
    }

    /// Events, spread over the shards by customer.
    func feed(_ events: [Event], at logTime: Instant = .distantPast) throws {
        let byShard = Dictionary(grouping: events) { installation.shards.shard(of: $0.customer) }
        for id in installation.shards.all {
            if let own = byShard[id] { try put(.events(own), at: logTime, to: id) }
        }
    }

    func clock(_ instant: Instant) throws {
        for id in installation.shards.all { try put(.clock(instant), to: id) }
    }

    /// Everything decided, in each shard's order.
    func effects() throws -> [Effect] {
        try installation.shards.all.flatMap { try (steps[$0] ?? []).flatMap { try $0.decodedEffects() } }
    }

    func inputs(_ id: ShardID = ShardID(0)) -> [LogRecord] { inputs[id] ?? [] }

    func encoded(_ id: ShardID = ShardID(0)) -> [[UInt8]] { shard(id).encoded() }

    /// Captures a part of a snapshot: between its chunks `meanwhile` may let the shard work on. Returns the part and, for
    /// comparison, the whole state at the moment when the capture began.
    func capture(
        _ id: ShardID = ShardID(0), whole: Bool, written: Bool = true,
        meanwhile: (isolated ShardHarness) throws -> Void = { _ in }
    ) throws -> (part: [[UInt8]], state: [[UInt8]]) {
        let state = shard(id).encoded()
        var part: [[UInt8]] = []
        shard(id).beginSnapshot(whole: whole)
        while let chunk = shard(id).nextSnapshotChunk() {
            part.append(chunk)
            try meanwhile(self)
        }
        shard(id).endSnapshot(written: written)
        return (part, state)
    }

    /// The whole state of a new shard that takes these parts over.
    func restored(_ parts: [[[UInt8]]], _ id: ShardID = ShardID(0)) throws -> [[UInt8]] {
        let under = try #require(revisions[try Shard.revision(of: parts)])
        let again = Shard(id: id, installation: installation, rules: under, executor: executor)
        try again.restore(parts)
        return again.encoded()
    }

    /// Restores these parts, runs the recorded steps behind the first `steps` again, and compares with the shard as it is.
    func replay(_ id: ShardID = ShardID(0), parts: [[[UInt8]]], behind count: Int) throws -> Bool {
        let under = try #require(revisions[try Shard.revision(of: parts)])
        let again = Shard(id: id, installation: installation, rules: under, executor: executor)
        try again.restore(parts)
        var queue = InputQueue()
        for record in inputs[id] ?? [] where record.sequence >= max(again.inputSequence, 1) { queue.append(record) }
        for step in (steps[id] ?? []).dropFirst(count) {
            if again.rules.set.revision != step.configuration { again.adopt(try #require(revisions[step.configuration])) }
            guard try again.replay(step, &queue) == step else { return false }
        }
        return again.encoded() == shard(id).encoded()
    }
    func view(_ key: CustomerKey) -> CustomerView { shard(installation.shards.shard(of: key)).view(of: key) }
    func openActions(_ id: ShardID = ShardID(0)) -> [OpenActions.Action] {
        openPages(id).flatMap { $0 }
    }
    func openPages(_ id: ShardID = ShardID(0)) -> [[OpenActions.Action]] {
        var pages: [[OpenActions.Action]] = []
        var after: UInt32?
        repeat {
            let page = shard(id).openActions(after: after)
            pages.append(page.actions)
            after = page.next
        } while after != nil
        return pages
    }
    func memberPages(_ request: SegmentMembersRequest, _ id: ShardID = ShardID(0)) -> [SegmentMembers] {
        var pages: [SegmentMembers] = []
        var next = request
        repeat {
            pages.append(shard(id).members(next))
            next.after = pages.last?.next
        } while next.after != nil
        return pages
    }
    func activations(_ id: ShardID = ShardID(0)) -> UInt64 { shard(id).activations }
    func customers(_ id: ShardID = ShardID(0)) -> Int { shard(id).customers }

    /// Runs every recorded step again from nothing, or from a snapshot taken after the first `from` steps; false unless
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
        func listen(before index: Int) {
            for word in words[id] ?? [] where word.steps == index {
                again.follow(word.takeover == nil ? .attempt : .fence, word.takeover, word.attempt)
            }
        }
        for (index, step) in recorded.enumerated() {
            if index == from, from > 0 {
                let snapshot = again.encoded()
                let under = try #require(revisions[try Shard.revision(of: [snapshot])])
                again = Shard(id: id, installation: installation, rules: under, executor: executor)
                try again.restore([snapshot])
                guard again.encoded() == snapshot else { return false }
                queue = feed(again)
            }
            listen(before: index)
            if again.rules.set.revision != step.configuration {
                again.adopt(try #require(revisions[step.configuration]))
            }
            guard try again.replay(step, &queue) == step else { return false }
        }
        listen(before: recorded.count)
        return again.encoded() == shard(id).encoded()
    }

    /// From now on the shard is what a brain with these rules, of the same revision, makes of the recorded steps when it
    /// takes them as the truth. The step that brings the sums up is added to those recorded. Returns what differed.
    func trust(_ set: RuleSet, _ id: ShardID = ShardID(0)) throws -> [TrustedReplay.Difference] {
        rules = CompiledRules(set)
        revisions[set.revision] = rules
        let shard = Shard(id: id, installation: installation, rules: rules, executor: executor)
        var queue = InputQueue()
        for record in inputs[id] ?? [] { queue.append(record) }
        let trusted = TrustedReplay(shard)
        var differences: [TrustedReplay.Difference] = []
        for step in steps[id] ?? [] { differences += try trusted.replay(step, &queue) }
        #expect(trusted.differences == differences.count)
        steps[id, default: []].append(trusted.finish())
        // What is served is what its snapshot says.
        let restored = Shard(id: id, installation: installation, rules: rules, executor: executor)
        try restored.restore([shard.encoded()])
        #expect(restored.encoded() == shard.encoded())
        shards[id] = restored
        return differences
    }
}
