import Checkers
import Engine
import Model
import Testing

/// Random rules over random lives of customers, against an interpreter that tries everything out: every decision, its time
/// and its reason must come out the same.
@Suite("C rules against the plain interpreter")
struct RuleModelTests {
    @Test("C1 to C11 every decision is the interpreter's, and the replay is the run", arguments: 0..<30)
    func same(_ seed: Int) async throws {
        var life = RandomLife(seed: 5000 + UInt64(seed))
        var rules = life.rules()
        life.addRules(to: &rules)
        let harness = try ShardHarness(rules: rules)
        var revisions = [rules]
        var attempts: UInt64 = 0
        for round in 0..<70 {
            life.now = life.next(after: life.now)
            var effects: [Effect] = []
            if life.dice.chance(70) { effects += try await harness.put(.clock(life.now)) }
            effects += try await harness.put(.events(life.happen()))
            for opened in effects.opened where opened.channel == .email {
                guard life.dice.chance(80) else { continue }
                attempts += 1
                let attempt = AttemptID(instance: 7, number: attempts)
                func event(_ body: Event.Body) -> Event { Event(customer: opened.customer, time: .distantPast, body: body) }
                try await harness.put(.events([event(.permitRequest(action: opened.action, attempt: attempt))]))
                let outcome: Outcome = life.dice.pick([.sent, .sent, .uncertain, .failedForNow, .undeliverable])
                try await harness.put(
                    .events([event(.outcome(action: opened.action, attempt: attempt, outcome: outcome, detail: ""))]))
            }
            if round % 25 == 24 {
                // What is under way when rules are edited, switched on and off.
                var next = rules
                next.revision += 1
                next.rules = rules.rules.filter { _ in life.dice.chance(80) }
                for index in next.rules.indices where life.dice.chance(30) { next.rules[index].enabled.toggle() }
                var more = next
                life.addRules(to: &more)
                for rule in more.rules where !next.rules.contains(where: { $0.id == rule.id }) { next.rules.append(rule) }
                rules = next
                revisions.append(rules)
                try await harness.adopt(rules)
                try await harness.put(.clock(.distantPast))
            }
        }
        try await harness.put(.clock(life.now + 500 * Milliseconds.day))
        #expect(try await harness.replay(from: 30))
        let configuration = revisions.map { LogRecord(sequence: $0.revision, time: .distantPast, payload: $0.encoded()) }
        var interpreter = try ReferenceInterpreter(timeMode: .eventTime, configuration: configuration)
        let steps = await harness.steps[ShardID(0)] ?? []
        let found = try interpreter.compare(ShardID(0), inputs: await harness.inputs(), steps: steps)
        let violations = try #require(found)
        #expect(violations.isEmpty, "\(violations.first.map(String.init(describing:)) ?? "")")
    }
}

extension RandomLife {
    /// Six rules of random mechanics, and limits of contact.
    mutating func addRules(to set: inout RuleSet) {
        set.rules = (0..<6).map { index in
            var rule = Rule(
                name: "r\(index)-\(dice.below(1000))", mechanic: mechanic(set),
                postponeMilliseconds: dice.pick([3, 10, 30]) * Milliseconds.day,
                action: dice.chance(60) ? .email(template: "t") : .record)
            if dice.chance(30) {
                let product = dice.pick(Self.products)
                rule.goods = dice.chance(50) ? Goods(products: [product.id]) : Goods(brands: [product.brand])
            }
            if dice.chance(30) { rule.inAny = [UInt16(dice.below(set.segments.count))] }
            if dice.chance(20) { rule.inNone = [UInt16(dice.below(set.segments.count))] }
            if dice.chance(30) { rule.hours = AllowedHours(fromMinute: 540, toMinute: 1200, weekdays: dice.pick([0x7f, 0x1f])) }
            if dice.chance(30) {
                rule.repeatLimit = RateLimit(
                    count: 1 + dice.below(Int64(2)), windowMilliseconds: dice.pick([20, 100]) * Milliseconds.day)
            }
            rule.isTransactional = dice.chance(15)
            if dice.chance(30) { rule.conversion = Conversion(windowMilliseconds: 14 * Milliseconds.day) }
            return rule
        }
        set.consentAssumed = true
        set.fulfilledOnPlaced = dice.chance(50)
        set.otherZones = [ZoneTable(name: "Asia/Tokyo", initialOffsetSeconds: 32_400)]
        set.contactLimits = [
            ContactLimit(
                channel: nil, rate: RateLimit(count: 1 + dice.below(Int64(3)), windowMilliseconds: 7 * Milliseconds.day)),
            ContactLimit(channel: .email, rate: RateLimit(count: 4, windowMilliseconds: 60 * Milliseconds.day)),
        ]
    }

    private mutating func after() -> Int64 { dice.pick([0, Milliseconds.hour, 3 * Milliseconds.day, 20 * Milliseconds.day]) }

    private mutating func mechanic(_ set: RuleSet) -> Mechanic {
        switch dice.below(10) {
        case 0, 1:
            return .regularConsumption(
                ConsumptionPeriods(
                    defaultMilliseconds: 30 * Milliseconds.day,
                    perProduct: [ProductPeriod(product: "p1", milliseconds: 12 * Milliseconds.day)], isPerPiece: dice.chance(40)),
                aheadMilliseconds: dice.pick([0, 2 * Milliseconds.day]))
        case 2:
            return .timeSinceLastPurchase(
                afterMilliseconds: 40 * Milliseconds.day, rhythmPercent: dice.chance(50) ? dice.pick([150, 200]) : nil)
        case 3: return .reviewRequest(afterMilliseconds: after())
        case 4: return .upsell(afterMilliseconds: after(), offers: dice.chance(50) ? Goods(categories: ["care"]) : Goods())
        case 5: return .personalDate(trait: "birthday", daysBefore: dice.pick([-1, 0, 7]), minute: dice.pick([0, 600]))
        case 6:
            return .viewedProducts(times: 1 + dice.below(Int64(2)), within: 20 * Milliseconds.day, afterMilliseconds: after())
        case 7: return .abandonedCart(afterMilliseconds: after())
        default:
            // Into a segment whose changes the interpreter can find by trying out.
            let simple = set.segments.indices.filter { set.segments[$0].condition.isTriedOut }
            guard !simple.isEmpty else { return .abandonedCart(afterMilliseconds: after()) }
            return .segmentEntered(UInt16(dice.pick(simple)), afterMilliseconds: after())
        }
    }
}

extension Condition {
    /// Changes only when something happens, or a named length of time after it.
    fileprivate var isTriedOut: Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.allSatisfy(\.isTriedOut)
        case .not(let part): part.isTriedOut
        case .orders, .sinceLastOrder, .sinceFirstOrder, .sinceEngagement, .trait, .consent, .reachable, .pace: true
        // Memory ends at lengths of its own.
        case .acts, .sinceAct, .rhythm, .anniversary, .interest: false
        }
    }
}
