import Model
import Testing

@testable import Engine

@Suite("Profiles")
struct ProfileTests {
    private func instant(_ dice: inout Dice) -> Instant { Story.day(-400) + dice.below(900 * Story.days) }
    private func wide(_ dice: inout Dice) -> UInt128 { UInt128(dice.next()) << 64 | UInt128(dice.next()) }

    /// `count` of everything, its texts as long as given.
    private func profile(_ dice: inout Dice, most: Bool) -> Profile {
        func count(_ bound: Int, _ dice: inout Dice) -> Int { most ? bound : dice.chance(40) ? 0 : dice.below(5) }
        func text(_ bound: Int, _ dice: inout Dice) -> String {
            let number = "\(dice.next())"
            return most ? number + String(repeating: "x", count: bound - number.utf8.count) : number
        }
        func occasion(_ dice: inout Dice) -> Occasion {
            if most { return .order(text(Limits.identifierBytesMax, &dice)) }
            return dice.pick([.lapse, .product(UInt32(dice.below(1 << 20))), .order("o\(dice.below(9))")])
        }
        var profile = Profile()
        if most || dice.chance(80) {
            profile.firstOrder = instant(&dice)
            profile.lastOrder = instant(&dice)
            profile.orderCount = dice.below(Int64(1 << 40))
            profile.orderSum = dice.below(Int64.max)
        }
        if most || dice.chance(50) {
            profile.views = dice.below(Int64.max)
            profile.clicks = dice.below(Int64.max)
            profile.opens = dice.below(Int64.max)
            profile.lapseDecided = instant(&dice)
            profile.consents[.email] = dice.chance(50)
            profile.consents.suppress(.sms)
        }
        for _ in 0..<count(Limits.ordersKeptMax, &dice) {
            profile.orders.append(
                Order(
                    id: text(Limits.identifierBytesMax, &dice), state: dice.pick(Order.State.allCases), placed: instant(&dice),
                    changed: instant(&dice), revenue: dice.below(Limits.moneyMax), wasFulfilled: dice.chance(50),
                    credit: most || dice.chance(50) ? ActionID(wide(&dice)) : nil, awaitsWorth: dice.chance(50)))
        }
        for _ in 0..<count(Limits.productsKeptMax, &dice) {
            profile.products.append(Purchase(product: UInt32(Limits.productsPerShardMax - 1), last: instant(&dice)))
        }
        for _ in 0..<count(Limits.timersMax, &dice) {
            let due = instant(&dice)
            profile.timers.append(
                Timer(
                    rule: RuleID(UInt32(truncatingIfNeeded: dice.next())), occasion: occasion(&dice), anchor: instant(&dice),
                    firstDue: due, due: most || dice.chance(50) ? instant(&dice) : due))
        }
        for _ in 0..<count(Limits.openActionsMax, &dice) {
            profile.open.append(
                OpenAction(
                    id: ActionID(wide(&dice)), rule: RuleID(7), channel: dice.pick(Channel.allCases), occasion: occasion(&dice),
                    anchor: instant(&dice),
                    due: instant(&dice), decided: instant(&dice), deadline: instant(&dice),
                    grant: most || dice.chance(50) ? AttemptID(instance: dice.next(), number: dice.next()) : nil,
                    failures: UInt8(dice.below(8))))
        }
        for _ in 0..<count(2 * Limits.touchesMax, &dice) {
            profile.touches.append(
                Touch(action: ActionID(wide(&dice)), rule: RuleID(9), time: instant(&dice), windowEnd: instant(&dice), sales: 3))
        }
        for _ in 0..<count(Limits.traitsMax, &dice) {
            profile.traits.append(Trait(text(Limits.nameBytesMax, &dice), text(Limits.traitValueBytesMax, &dice)))
        }
        return profile
    }

    @Test("packed and unpacked, a profile is what it was", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let profile = profile(&dice, most: false)
        var writer = ByteWriter()
        profile.pack(into: &writer)
        var read = Profile()
        read.views = 99
        var reader = ByteReader(writer.bytes)
        try read.unpack(from: &reader)
        #expect(read == profile)
        for length in 0..<min(writer.bytes.count, 40) {
            var cut = ByteReader(Array(writer.bytes.prefix(length)))
            #expect(throws: FormatError.self) { try read.unpack(from: &cut) }
        }
    }

    @Test("I8 a profile at all its bounds fits")
    func atBounds() throws {
        var dice = Dice(seed: 1)
        let profile = profile(&dice, most: true)
        var writer = ByteWriter()
        profile.pack(into: &writer)
        #expect(writer.count + 1 + Limits.customerKeyBytesMax <= Limits.profileBytesMax, "\(writer.count) bytes")
        var read = Profile()
        var reader = ByteReader(writer.bytes)
        try read.unpack(from: &reader)
        #expect(read == profile)
    }

    @Test("I8 events that go beyond every bound of a profile stop nothing")
    func beyond() async throws {
        let rules = Story.rules([
            Story.lapse(after: 1, action: .record), Story.reorder(after: 300, action: .record),
            Story.review(after: 1, window: 900),
        ])
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        let long = String(repeating: "x", count: 100)
        let traits = (100..<100 + Limits.traitsMax - 1).map { Trait("t\($0)", long) }
        try await harness.put(.events([Story.identify([Trait("email", "a@example.org")] + traits)]), at: Story.start)
        var touched = 0
        for index in 0..<Int64(Limits.ordersKeptMax + 10) {
            let time = Story.day(2 * index)
            let products = (0..<5).map { "\(long)-\(index)-\($0)" }
            try await harness.put(.events([Story.order("\(long)-\(index)", .fulfilled, 10, of: products, at: time)]), at: time)
            let due = Story.day(2 * index + 1)
            for opened in try await harness.tick(due).opened where opened.channel == .email {
                let told = [Story.request(opened.action), Story.outcome(opened.action, .sent)]
                touched += try await harness.put(.events(told), at: due).closed.count
            }
        }
        let view = await harness.view(Story.anna)
        #expect(touched > Limits.touchesMax && view.orders.count == Limits.ordersKeptMax)
        #expect(view.orderCount == Int64(Limits.ordersKeptMax + 10) && view.timers.count > Limits.timersMax - 5)
        let effects = try await harness.effects()
        #expect(effects.sum(.timersArmed) == Int64(view.timers.count))
        #expect(try await harness.replay())
        #expect(try await harness.replay(from: 100))
    }
}
