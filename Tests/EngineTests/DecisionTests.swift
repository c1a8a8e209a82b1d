import Engine
import Model
import Testing

@Suite("I5 one decision")
struct DecisionTests {
    private let rules = Story.rules([
        Story.lapse(action: .record), Story.reorder(action: .record), Story.review(action: .record),
    ])

    private func ids(_ effects: [Effect]) -> [String] { effects.opened.map(\.action.description) }

    @Test("I5 repeats of every change, with the same and other message ids, decide nothing anew", arguments: [true, false])
    func repeats(sameID: Bool) async throws {
        let harness = try ShardHarness(rules: rules)
        let changes: [OrderEvent.Change] = [.placed, .updated, .paid, .shipped, .fulfilled]
        for round in 0..<3 {
            for (index, change) in changes.enumerated() {
                let message = UInt128(sameID ? index + 1 : round * 10 + index + 1)
                try await harness.put(
                    .events([
                        Story.order("o1", change, 500, of: ["tea"], at: Story.day(0, Int64(index)), id: message)
                    ]))
            }
        }
        try await harness.put(.clock(Story.day(40)))
        for change in changes { try await harness.put(.events([Story.order("o1", change, 500, of: ["tea"], at: Story.day(41))])) }
        try await harness.put(.clock(Story.day(90)))
        let effects = try await harness.effects()
        #expect(Set(ids(effects)).count == 3 && effects.opened.count == 3)
        #expect(effects.sum(.orders) == 1 && effects.sum(.revenue) == 500)
        #expect(effects.sum(.timersArmed) == 0)
        #expect(try await harness.replay())
    }

    @Test("I1 a request is sent again seconds later, and in the events' time a month has gone by: it is known all the same")
    func historyLoadedQuickly() async throws {
        let harness = try ShardHarness(rules: rules)
        let view = Event(messageID: 7, customer: Story.anna, time: Story.day(0), body: Story.view(at: Story.day(0)).body)
        let arrival = Story.day(1000)
        #expect(try await harness.put(.events([view]), at: arrival).sum(.events) == 1)
        try await harness.put(.events([Story.order("o1", at: Story.day(30), id: 8)]), at: arrival + 1000)
        #expect(try await harness.put(.events([view]), at: arrival + 2000).sum(.repeats) == 1)
        let later = arrival + 3 * Limits.messageWindowMilliseconds
        for number in 0..<2 {
            let filler = Story.order("f\(number)", at: Story.day(0), id: UInt128(10 + number))
            try await harness.put(.events([filler]), at: later + Int64(number) * 2 * Limits.messageWindowMilliseconds)
        }
        #expect(try await harness.put(.events([view]), at: later).sum(.events) == 1, "hours later it is forgotten")
        #expect(try await harness.replay())
    }

    @Test("I5 an action's id is a function of customer, rule and occasion")
    func stable() async throws {
        let harness = try ShardHarness(rules: rules)
        try await harness.put(.events([Story.order("o1", .placed, 500, at: Story.day(0))]))
        try await harness.put(.events([Story.order("o1", .fulfilled, of: ["tea"], at: Story.day(1))]))
        try await harness.put(.clock(Story.day(90)))
        let found = ids(try await harness.effects())
        #expect(
            found == [
                "8b869185379dd990b33d2709ae474571", "40208f39ffb59fab292a5394c69b1c7f", "107a874055fa396cc588a599c876ddf4",
            ])
    }

    @Test(
        "I5 placed and fulfilled in any order make one order of the same worth",
        arguments: [
            [OrderEvent.Change.placed, .fulfilled], [.fulfilled, .placed], [.paid, .placed, .fulfilled],
            [.fulfilled, .shipped, .placed],
        ])
    func anyOrder(changes: [OrderEvent.Change]) async throws {
        let harness = try ShardHarness(rules: rules)
        for (index, change) in changes.enumerated() {
            let speaksOfMoney = change == .placed
            let event = Event(
                customer: Story.anna, time: Story.day(0, Int64(index)),
                body: .order(OrderEvent(orderID: "o1", change: change, revenue: speaksOfMoney ? 700 : nil)))
            try await harness.put(.events([event, event]))
        }
        try await harness.put(.clock(Story.day(90)))
        let effects = try await harness.effects()
        #expect(effects.sum(.orders) == 1 && effects.sum(.revenue) == 700)
        #expect(Set(ids(effects)).count == effects.opened.count && effects.opened.count == 2, "a lapse and a review")
        #expect(await harness.view(Story.anna).orderSum == 700)
        #expect(try await harness.replay(from: 2))
    }

    @Test("I5 a lapse is decided once, whatever orders are cancelled and renewed around it")
    func lapseOnce() async throws {
        let harness = try ShardHarness(rules: Story.rules([Story.lapse(action: .record)]))
        try await harness.put(
            .events([
                Story.order("a", .placed, 100, at: Story.day(0)), Story.order("b", .placed, 100, at: Story.day(5)),
                Story.order("b", .cancelled, at: Story.day(6)),
            ]))
        try await harness.put(.clock(Story.day(15)))
        try await harness.put(
            .events([
                Story.order("b", .placed, 100, at: Story.day(16)), Story.order("b", .cancelled, at: Story.day(17)),
                Story.order("b", .placed, 100, at: Story.day(18)),
            ]))
        try await harness.put(.clock(Story.day(30)))
        try await harness.put(
            .events([
                Story.order("b", .cancelled, at: Story.day(31)), Story.order("b", .placed, 100, at: Story.day(32)),
            ]))
        try await harness.put(.clock(Story.day(90)))
        let opened = try await harness.effects().opened
        #expect(opened.map(\.decided) == [Story.day(14), Story.day(19)])
        #expect(Set(opened.map(\.action)).count == 2)
    }

    @Test("I5 an overdue lapse is decided when the order that hid it is cancelled, at that time")
    func overdue() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: Story.rules([Story.lapse(action: .record)]))
        for (event, day) in [
            (Story.order("a", .placed, 100, at: .distantPast), Int64(0)), (Story.order("b", .placed, 100, at: .distantPast), 10),
            (Story.order("b", .cancelled, at: .distantPast), 20), (Story.view(at: .distantPast), 50),
        ] {
            try await harness.put(.events([event]), at: Story.day(day))
        }
        #expect(try await harness.effects().opened.map(\.decided) == [Story.day(20)])
    }

    @Test("I5 random lives of orders never decide an action twice", arguments: 0..<40 as Range<UInt64>)
    func random(seed: UInt64) async throws {
        var dice = Dice(seed: seed)
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        var now = Story.start
        for _ in 0..<60 {
            now = now + dice.below(dice.pick([1, 4, 10]) * Milliseconds.day)
            let id = "o\(dice.below(5))"
            let event = Story.order(id, dice.pick(OrderEvent.Change.allCases), 100, of: [dice.pick(["tea", "rice"])], at: now)
            try await harness.put(.events([event, dice.chance(30) ? event : Story.view(at: now)]), at: now)
        }
        try await harness.tick(now + 99 * Milliseconds.day)
        let effects = try await harness.effects()
        let decided = effects.opened.map(\.action) + effects.suppressed.map(\.action)
        #expect(Set(decided).count == decided.count)
        #expect(effects.sum(.timersArmed) == 0)
        #expect(try await harness.replay(from: 10))
    }
}
