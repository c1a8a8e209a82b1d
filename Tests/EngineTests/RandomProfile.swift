import Model

@testable import Engine

/// Profiles out of a seed, for tests of their bytes.
enum RandomProfile {
    private static func instant(_ dice: inout Dice) -> Instant { Story.day(-400) + dice.below(900 * Story.days) }
    private static func wide(_ dice: inout Dice) -> UInt128 { UInt128(dice.next()) << 64 | UInt128(dice.next()) }

    /// `count` of everything, its texts as long as given.
    static func make(_ dice: inout Dice, most: Bool) -> Profile {
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
        for _ in 0..<count(Limits.purchasesKeptMax, &dice) {
            let order = UInt16(truncatingIfNeeded: dice.next())
            profile.bought.append(PastAct(act: .bought, product: UInt32(dice.below(1 << 20)), time: instant(&dice), order: order))
        }
        for _ in 0..<count(Limits.browsingKeptMax, &dice) {
            let act: Act = dice.pick([.viewed, .addedToCart])
            profile.browsed.append(PastAct(act: act, product: UInt32(dice.below(1 << 20)), time: instant(&dice), order: 0))
        }
        for _ in 0..<count(Limits.olderOrdersKeptMax, &dice) {
            profile.olderOrders.append(OlderOrder(placed: instant(&dice), revenue: dice.below(Limits.moneyMax)))
        }
        for sign in EngagementSign.allCases.prefix(count(3, &dice)) { profile.engage(sign, at: instant(&dice)) }
        for number in 0..<count(Limits.segmentsMax, &dice) { profile.members.append(Member(segment: UInt16(number * 7))) }
        if most || dice.chance(50) {
            profile.habits.membershipDue = instant(&dice).milliseconds
            profile.habits.isReachable = dice.chance(50)
        }
        return profile
    }
}
