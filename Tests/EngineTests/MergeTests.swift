import Engine
import Model
import Testing

@Suite("A4 Two customers that are one")
struct MergeTests {
    private static let rules = Story.rules(
        [Story.lapse(window: 30), Story.review(after: 5, window: 30), Story.reorder(after: 12, action: .record)],
        consentAssumed: true)
    private static let keys = [CustomerKey.user("a"), .user("b"), .anonymous("c"), CustomerKey("card:d")]

    private static func alias(_ key: CustomerKey, _ previous: CustomerKey, at time: Instant) -> Event {
        Event(customer: key, time: time, body: .alias(previous: previous))
    }

    /// Lives of four customers who share some orders, told alike for the same seed.
    private func live(_ network: ShardNetwork, _ dice: inout Dice) async throws {
        for round in 0..<40 as Range<Int64> {
            let customer = dice.pick(Self.keys)
            let time = Story.day(round / 4, round % 4)
            await network.setTime(time)
            switch dice.below(8) {
            case 0:
                let trait = Trait("from-\(customer)", "\(round)")
                await network.accept(Story.identify([trait], consent: dice.chance(70), at: time, by: customer))
            case 1: await network.accept(Story.view(at: time, by: customer))
            default:
                let order = "o\(dice.below(12))"
                let change = dice.pick([OrderEvent.Change.placed, .placed, .fulfilled, .cancelled, .updated])
                await network.accept(
                    Story.order(order, change, 100 + dice.below(900), of: ["p\(dice.below(5))"], at: time, by: customer))
            }
        }
        try await network.finish()
    }

    private struct Outcome: Equatable {
        var view: CustomerView
        var opened: [String]
    }

    private func outcome(_ seed: UInt64, merges: [(Int, Int)]) async throws -> Outcome {
        var dice = Dice(seed: seed)
        let network = try ShardNetwork(shards: 4, timeMode: .eventTime, rules: Self.rules)
        try await live(network, &dice)
        // What is due by then has its time before anybody becomes another one, whoever hears of it first.
        try await network.clock(Story.day(11))
        let before = try await network.effects().count
        for (left, right) in merges {
            await network.accept(Self.alias(Self.keys[left], Self.keys[right], at: Story.day(11)))
            if dice.chance(50) { try await network.finish() }
        }
        try await network.finish()
        #expect(await network.customers() == 1)
        var view = await network.view(Self.keys[3])
        // Both ways of saying it mean the same order of arrival no more.
        view.merged.sort()
        view.timers.sort { ($0.dueMilliseconds, $0.rule, $0.subject) < ($1.dueMilliseconds, $1.rule, $1.subject) }
        try await network.clock(Story.day(60))
        let effects = try await network.effects()
        #expect(effects.sum(.orders) == view.orderCount && effects.sum(.revenue) == view.orderSum)
        #expect(effects.sum(.customers) == 1 && effects.setAside.isEmpty)
        let armed = effects.sum(.timersArmed)
        #expect(armed == 0, "every timer that was armed ran or was taken back")
        #expect(try await network.replays())
        let opened = effects.dropFirst(before).map { $0 }.opened
        return Outcome(view: view, opened: opened.map { "\($0.customer) \($0.rule) \($0.due) \($0.subject)" }.sorted())
    }

    @Test(
        "A4 the same result in either order; orders count once, timers and consent are joined", arguments: 0..<25 as Range<UInt64>
    )
    func eitherOrder(seed: UInt64) async throws {
        let first = try await outcome(seed, merges: [(0, 1), (1, 2), (2, 3)])
        let second = try await outcome(seed, merges: [(3, 2), (2, 1), (1, 0)])
        let third = try await outcome(seed, merges: [(0, 3), (2, 1), (3, 2), (1, 3)])
        #expect(first.view.customer == "u:a")
        #expect(first == second)
        #expect(first == third)
    }

    @Test("A4 I10 an order told by both counts once, and one message keeps its credit")
    func creditOnce() async throws {
        let network = try ShardNetwork(shards: 4, rules: Self.rules)
        let (anna, other) = (Self.keys[0], Self.keys[2])
        for customer in [anna, other] {
            await network.accept(Story.identify(at: Story.start, by: customer))
            await network.accept(Story.order("first-\(customer)", .placed, 100, at: Story.start, by: customer))
        }
        await network.setTime(Story.day(15))
        for index in 0..<4 { await network.run(index) }
        for action in await network.openActions() {
            let id = try #require(ActionID(text: action.action))
            await network.accept(Story.request(id, by: CustomerKey(action.customer)))
            await network.accept(Story.outcome(id, .sent, by: CustomerKey(action.customer)))
        }
        await network.setTime(Story.day(16))
        for (customer, revenue) in [(anna, Int64(700)), (other, 800)] {
            await network.accept(Story.order("both", .placed, revenue, at: Story.day(16), by: customer))
            await network.setTime(Story.day(17))
        }
        try await network.finish()
        #expect(try await network.effects().attributed.reduce(0) { $0 + $1.revenue } == 1500)
        await network.accept(Self.alias(anna, other, at: Story.day(17)))
        try await network.finish()
        let view = await network.view(other)
        #expect(view.orderCount == 3 && view.orderSum == 1000)
        let attributed = try await network.effects().attributed
        #expect(attributed.reduce(0) { $0 + $1.revenue } == 800)
        #expect(attributed.reduce(0) { $0 + $1.sales } == 1 && attributed.reduce(0) { $0 + $1.conversions } == 1)
        // Taken back: by either name.
        await network.setTime(Story.day(18))
        await network.accept(Story.order("both", .cancelled, nil, at: Story.day(18), by: other))
        try await network.finish()
        #expect(try await network.effects().attributed.reduce(0) { $0 + $1.revenue } == 0)
        #expect(await network.view(anna).orderSum == 200)
        #expect(try await network.replays())
    }

    @Test("A4 I9 I11 open actions go on under the survivor: one of two alike, permits asked for under either name")
    func openActions() async throws {
        let network = try ShardNetwork(shards: 4, rules: Self.rules)
        let (anna, other) = (Self.keys[0], Self.keys[2])
        for customer in [anna, other] {
            await network.accept(Story.identify(at: Story.start, by: customer))
            await network.accept(Story.order("o-\(customer)", .placed, 100, at: Story.start, by: customer))
        }
        await network.setTime(Story.day(15))
        for index in 0..<4 { await network.run(index) }
        let open = await network.openActions()
        #expect(Set(open.map(\.customer)) == ["u:a", "a:c"] && open.count == 2)
        let others = try #require(open.first { $0.customer == "a:c" })
        let moved = try #require(ActionID(text: others.action))
        await network.accept(Story.request(moved, by: other))
        await network.accept(Self.alias(anna, other, at: Story.day(15)))
        try await network.finish()
        // The other's may have left: it stays, the survivor's own is taken back.
        let left = await network.openActions()
        #expect(left.map(\.action) == [others.action] && left[0].customer == "u:a" && left[0].grantedNumber == 1)
        let effects = try await network.effects()
        #expect(effects.closed.map(\.reason) == [.alreadyDecided])
        #expect(effects.contains { if case .actionMoved(let opened) = $0 { opened.action == moved } else { false } })
        await network.accept(Story.request(moved, 2, by: other))
        await network.accept(Story.outcome(moved, .sent, by: other))
        try await network.finish()
        let after = try await network.effects()
        #expect(after.denied == [.grantedToAnother] && after.granted.count == 1)
        #expect(after.closed.map(\.outcome) == [.withdrawn, .sent])
        #expect(await network.openActions().isEmpty)
        #expect(await network.view(anna).actions.map(\.state) == ["sent"])
        #expect(try await network.replays())
    }

    @Test("A4 an open action keeps the channel that was decided, also when its rule is gone by the time of the merge")
    func channelOfAGoneRule() async throws {
        let network = try ShardNetwork(shards: 4, rules: Self.rules)
        let (anna, other) = (Self.keys[0], Self.keys[2])
        await network.accept(Story.identify(at: Story.start, by: other))
        await network.accept(Story.order("o", .placed, 100, at: Story.start, by: other))
        await network.setTime(Story.day(15))
        for index in 0..<4 { await network.run(index) }
        let open = try #require(await network.openActions().first)
        await network.adopt(Story.rules([], revision: 1))
        #expect(await network.openActions() == [open] && open.channel == "email")
        await network.accept(Self.alias(anna, other, at: Story.day(15)))
        try await network.finish()
        let moved = try await network.effects().compactMap { if case .actionMoved(let opened) = $0 { opened } else { nil } }
        #expect(moved.map(\.channel) == [.email] && moved.map(\.customer) == [anna])
        let left = await network.openActions()
        #expect(left.map(\.action) == [open.action] && left.map(\.channel) == ["email"])
        // It still ends with an outcome, and with the reason.
        await network.accept(Story.request(try #require(ActionID(text: open.action)), by: other))
        try await network.finish()
        let effects = try await network.effects()
        #expect(effects.denied == [.ruleGone] && effects.closed.map(\.outcome) == [.withdrawn])
        #expect(try await network.replays())
    }

    @Test("A4 consent: the stricter word of the two")
    func consent() async throws {
        for (mine, theirs, expected) in [
            (true, false, false), (false, true, false), (true, nil, true), (nil, true, true), (nil, nil, nil),
        ] as [(Bool?, Bool?, Bool?)] {
            let network = try ShardNetwork(shards: 2)
            await network.accept(Story.identify([Trait("city", "A")], consent: mine, by: Self.keys[0]))
            await network.accept(Story.identify([Trait("city", "B"), Trait("x", "y")], consent: theirs, by: Self.keys[1]))
            await network.accept(Self.alias(Self.keys[1], Self.keys[0], at: Story.start))
            try await network.finish()
            let view = await network.view(Self.keys[1])
            #expect(view.consents["email"] == expected)
            #expect(view.traits == ["city": "A", "x": "y"])
        }
    }
}
