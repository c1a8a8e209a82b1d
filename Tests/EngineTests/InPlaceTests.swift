import Model
import Testing

@testable import Engine

@Suite("I4 what is done in place is what binding the customer does")
struct InPlaceTests {
    /// Rules of which some decide in place and some do not.
    private static func rules(_ dice: inout Dice) -> RuleSet {
        func action() -> ActionKind { dice.chance(70) ? .record : .email(template: "t") }
        var rules = [Story.lapse(after: 5, action: action()), Story.reorder(after: 4, action: action())]
        if dice.chance(70) { rules.append(Story.review(after: 2, action: action())) }
        if dice.chance(50) { rules.append(Story.lapse("second", after: 9, action: action())) }
        if dice.chance(30) {
            rules.append(Story.lapse("day", after: 7, hours: AllowedHours(fromMinute: 540, toMinute: 1200), action: action()))
        }
        if dice.chance(20) {
            rules.append(
                Rule(
                    name: "goods", mechanic: .reviewRequest(afterMilliseconds: Story.days), goods: Goods(products: ["p3"]),
                    action: action()))
        }
        var set = Story.rules(rules, consentAssumed: dice.chance(50))
        set.fulfilledOnPlaced = dice.chance(80)
        set.currency = "EUR"
        return set
    }

    private static func order(_ dice: inout Dice) -> OrderEvent {
        let long = String(repeating: "long", count: 32)
        let id = dice.chance(90) ? "o\(dice.below(40))" : dice.pick(["", "oé", "oe\u{301}", long, long + "x", "K", "\u{212A}"])
        let lines = (0..<dice.below(dice.chance(90) ? 4 : 7)).map { _ in
            OrderLine(
                product: Product(
                    id: "p\(dice.below(9))", name: dice.chance(10) ? "n\(dice.below(3))" : "",
                    category: dice.chance(10) ? "c\(dice.below(2))" : ""),
                quantity: dice.below(3), price: dice.below(Int64(500)))
        }
        let revenues: [Int64?] = [nil, 0, 7, -3, 1 << 33, Limits.moneyMax, Limits.moneyMax + 1]
        return OrderEvent(
            orderID: id, change: dice.chance(75) ? .placed : dice.pick(OrderEvent.Change.allCases),
            revenue: dice.chance(80) ? dice.below(Int64(90_000)) : dice.pick(revenues),
            currency: dice.pick(["", "EUR", "EUR", "EUR", dice.chance(10) ? "USD" : "EUR"]), lines: lines,
            coupon: dice.chance(10) ? dice.pick(["c", "é"]) : "")
    }

    private static func body(_ dice: inout Dice) -> Event.Body {
        switch dice.below(20) {
        case 0..<7:
            .product(
                ProductEvent(kind: dice.chance(80) ? .viewed : dice.pick(ProductEvent.Kind.allCases), product: Product(id: "p")))
        case 7..<10:
            .engagement(
                Engagement(
                    kind: dice.chance(80) ? .clicked : dice.pick(Engagement.Kind.allCases), channel: .email,
                    action: dice.chance(50) ? ActionID(7) : nil))
        case 10..<19: .order(order(&dice))
        default: .identify(Identify(traits: [Trait("email", dice.pick(["a@b", ""]))], consents: []))
        }
    }

    private static func event(_ dice: inout Dice, _ now: Instant, customers: Int) -> Event {
        let customer = dice.chance(98) ? CustomerKey.user("\(dice.below(customers))") : CustomerKey.user("né")
        let identifiers = dice.chance(2) ? [Identifier(CustomerKey("email:\(dice.below(3))@x"))] : []
        return Event(
            messageID: dice.chance(10) ? UInt128(1 + dice.below(200)) : 0, customer: customer,
            time: dice.chance(85) ? now : now + -dice.below(6 * Story.days), identifiers: identifiers, body: body(&dice))
    }

    @Test("the same inputs give the same steps and the same bytes", arguments: 0..<24 as Range<UInt64>)
    func same(seed: UInt64) async throws {
        var dice = Dice(seed: seed)
        let rules = Self.rules(&dice)
        let mode: Installation.TimeMode = dice.chance(70) ? .eventTime : .live
        let customers = dice.pick([1, 3, 30])
        let inPlace = try ShardHarness(shards: 2, timeMode: mode, rules: rules)
        let bound = try ShardHarness(shards: 2, timeMode: mode, rules: rules, inPlace: false)
        var now = Story.start
        for round in 0..<60 {
            now = now + dice.below(dice.pick([1, Story.hour, Story.days, 5 * Story.days]))
            let events = (0..<dice.below(25)).map { _ in Self.event(&dice, now, customers: customers) }
            let (id, isTicked, isWhole) = (ShardID(UInt16(round % 2)), dice.chance(40), dice.chance(50))
            for harness in [inPlace, bound] {
                if round % 7 == 3 {
                    // While a snapshot is captured chunk by chunk.
                    let captured = try await harness.captureWhileFeeding(
                        id, whole: isWhole || round == 3, written: true, [events], at: now)
                    if isWhole { #expect(try await harness.restored([captured.part], id) == captured.state) }
                } else {
                    try await harness.feed(events, at: now)
                }
                if isTicked && mode == .eventTime { try await harness.clock(now) }
                if mode == .live { for id in harness.installation.shards.all { try await harness.tick(now, id) } }
            }
            for id in inPlace.installation.shards.all {
                #expect(await inPlace.steps[id] == bound.steps[id])
                #expect(await inPlace.encoded(id) == bound.encoded(id))
            }
        }
        var activations: (inPlace: UInt64, bound: UInt64) = (0, 0)
        for id in inPlace.installation.shards.all {
            #expect(try await inPlace.replay(id, from: 20))
            activations.inPlace += await inPlace.activations(id)
            activations.bound += await bound.activations(id)
        }
        #expect((activations.inPlace < activations.bound) == rules.changesInPlace, "much was done in place, where it may be")
    }

    @Test("a counter goes on where its bytes grow")
    func counters() async throws {
        let harness = try ShardHarness(rules: Story.rules([]))
        for round in 0..<200 {
            try await harness.put(.events((0..<100).map { Story.view(at: Story.start + Int64(100 * round + $0)) }))
            if round % 20 == 0 { #expect(await harness.view(Story.anna).views == Int64(100 * (round + 1))) }
        }
        #expect(await harness.view(Story.anna).views == 20_000)
    }

    @Test("lists at their bounds give way in place as they do bound")
    func bounds() async throws {
        let rules = Story.rules([Story.lapse(action: .record), Story.reorder(after: 300, action: .record)])
        let harnesses = [try ShardHarness(rules: rules), try ShardHarness(rules: rules, inPlace: false)]
        for round in 0..<100 {
            let events = (0..<3).map { index in
                Story.order(
                    "order \(round) \(index)", .placed, 5, of: (0..<2).map { "p\(round * 6 + index * 2 + $0)" },
                    at: Story.start + Int64(round))
            }
            for harness in harnesses { try await harness.put(.events(events)) }
            #expect(await harnesses[0].encoded() == harnesses[1].encoded())
        }
        #expect(await harnesses[0].view(Story.anna).orders.count == Limits.ordersKeptMax)
    }
}
