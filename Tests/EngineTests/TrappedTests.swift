import Model
import Testing

@testable import Engine

@Suite("I4 I7 what ended a worker is set aside by the next")
struct TrappedTests {
    private let rules = Story.rules([Story.lapse(after: 3, action: .record), Story.lapse("late", after: 14, action: .record)])

    private func orders(_ ids: [String], at time: Instant) -> InputMessage {
        .events(ids.map { Story.order($0, .placed, 100, at: time, by: .user($0)) })
    }

    @Test("the event of a last word is set aside once; its neighbours, and the same event later, are applied")
    func event() async throws {
        let harness = try ShardHarness(rules: rules)
        try await harness.put(orders(["a", "b"], at: Story.day(1)))
        await harness.takeOver(afterDyingAt: .event(inputSequence: 2, index: 1))
        let effects = try await harness.put(orders(["c", "d", "e"], at: Story.day(1)))
        #expect(effects.setAside == ["trapped: applying it ended 1 worker"])
        #expect(effects.sum(.events) == 2)
        #expect(await harness.view(.user("d")).found == false)
        let letter = try #require(effects.compactMap { if case .setAside(let event) = $0 { event } else { nil } }.first)
        #expect(letter.inputSequence == 2 && letter.index == 1)
        try await harness.put(.replay(of: letter.number, message: letter.message))
        #expect(await harness.view(.user("d")).orderCount == 1)
        #expect(try await harness.replay())
        for step in 1...2 { #expect(try await harness.replay(from: step)) }
    }

    @Test(
        "the wake-up of a last word is given up with a word for it, by its clock or before an event of its customer",
        arguments: [false, true])
    func wakeUp(beforeAnEvent: Bool) async throws {
        let harness = try ShardHarness(rules: rules)
        try await harness.put(orders(["a", "b", "c"], at: Story.day(1)))
        // Slots are given in the order of arrival.
        await harness.takeOver(afterDyingAt: .wakeUp(due: Story.day(4), slot: 1))
        var effects: [Effect] = []
        if beforeAnEvent { effects += try await harness.put(.events([Story.view(at: Story.day(5), by: .user("b"))])) }
        effects += try await harness.put(.clock(Story.day(5)))
        #expect(effects.opened.map(\.customer) == [.user("a"), .user("c")])
        #expect(effects.suppressed.map(\.reason) == [.trapped] && effects.suppressed.map(\.customer) == [.user("b")])
        #expect(effects.setAside == ["trapped: applying it ended 1 worker: the timer of rule lapse of u:b"])
        #expect(try await harness.put(.clock(Story.day(20))).opened.count == 3, "its other timers go on")
        #expect(try await harness.replay())
        for step in 1...2 { #expect(try await harness.replay(from: step)) }
    }

    @Test("a wake-up that ended two workers gets no word of its rule, only its letter")
    func twice() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        try await harness.put(orders(["a"], at: Story.day(1)), at: Story.day(1))
        for _ in 0..<2 { await harness.takeOver(afterDyingAt: .wakeUp(due: Story.day(4), slot: 0)) }
        let effects = try await harness.tick(Story.day(5))
        #expect(effects.suppressed.isEmpty && effects.opened.isEmpty)
        #expect(effects.setAside == ["trapped: applying it ended 2 workers: the timer of rule lapse of u:a"])
        #expect(try await harness.replay())
    }

    @Test("a place that never comes up stops nothing")
    func elsewhere() async throws {
        let harness = try ShardHarness(rules: rules)
        for number in 0..<100 {
            await harness.takeOver(afterDyingAt: .event(inputSequence: 900 + UInt64(number), index: 0))
        }
        #expect(try await harness.put(orders(["a", "b"], at: Story.day(1))).sum(.events) == 2)
        #expect(try await harness.replay())
    }

    // MARK: Without a last word

    @Test("a shard whose owners end before their first step goes on by messages, then by events, then without the culprit")
    func chain() async throws {
        let harness = try ShardHarness(rules: rules)
        #expect(await harness.takeOver().caution == .none, "nobody owned it before")
        try await harness.put(orders(["a"], at: Story.day(1)))
        #expect(await harness.takeOver() == Takeover(inputSequence: 1, eventsThrough: 1, stalled: 0, caution: .none))
        #expect(await harness.takeOver() == Takeover(inputSequence: 1, eventsThrough: 1, stalled: 1, caution: .message))
        #expect(await harness.takeOver() == Takeover(inputSequence: 1, eventsThrough: 1, stalled: 0, caution: .event))
        #expect(await harness.takeOver().stalled == 1)
        let skipping = await harness.takeOver()
        #expect(skipping.stalled == Limits.stalledTakeoversMax && skipping.skipsFirst)
        let before = await harness.steps[ShardID(0)]?.count ?? 0
        let effects = try await harness.put(orders(["b", "c", "d"], at: Story.day(2)))
        #expect(effects.setAside == ["trapped: applying it ended 2 workers"], "only the first")
        #expect(effects.sum(.events) == 2)
        #expect(await (harness.steps[ShardID(0)]?.count ?? 0) - before >= 3, "an event a step")
        #expect(try await harness.replay())
        for step in 1...3 { #expect(try await harness.replay(from: step)) }
    }

    @Test("caution: who went on for long enough, or gave the shard up, leaves none")
    func relaxes() {
        var caution = Caution()
        func next() -> Takeover { caution.next(inputSequence: 9, eventsThrough: 0) }
        caution.fenced(next())
        caution.fenced(next())
        #expect(caution.bound == .message && next().caution == .event)
        for _ in 0..<Limits.carefulStepsMax { caution.stepped() }
        #expect(caution.bound == .none && next() == Takeover(inputSequence: 9, eventsThrough: 0, stalled: 0, caution: .none))
        caution.fenced(Takeover(inputSequence: 9, eventsThrough: 0, stalled: 2, caution: .event))
        #expect(caution.skipsFirst)
        caution.released()
        #expect(next().caution == .none && next().stalled == 0)
    }

    @Test(
        "caution: a finished message that is read again holds nothing up", arguments: [Takeover.Caution.none, .message, .event])
    func readAgain(caution: Takeover.Caution) async throws {
        let harness = try ShardHarness(rules: rules)
        try await harness.put(orders(["a", "b"], at: Story.day(1)))
        var found = await harness.takeOver().caution
        while found != caution { found = await harness.takeOver().caution }
        let effects = try await harness.putBehindLast(orders(["c"], at: Story.day(2)))
        #expect(effects.sum(.events) == 1, "no further record comes that would push it on")
        #expect(try await harness.replay())
    }

    @Test("caution: the unit of a careful owner holds whatever waits", arguments: [Takeover.Caution.message, .event])
    func units(unit: Takeover.Caution) async throws {
        let harness = try ShardHarness(rules: rules)
        for _ in 0..<(unit == .message ? 2 : 3) { await harness.takeOver() }
        let messages = (0..<3).map { orders(["x\($0)", "y\($0)"], at: Story.day(1)).encoded() }
        let effects = try await harness.put(bytes: messages + [InputMessage.clock(Story.day(30)).encoded()])
        #expect(effects.sum(.events) == 6 && effects.opened.count == 12)
        for step in await harness.steps[ShardID(0)] ?? [] {
            let applied = try step.decodedEffects().sum(.events)
            #expect(applied <= (unit == .message ? 2 : 1))
            #expect(step.wakeUps <= (unit == .message ? Limits.carefulWakeUpsMax : 1))
        }
        #expect(try await harness.replay())
    }
}
