import Model
import SimulatedPorts

@testable import Coordinator

/// Makes a shard's commits by seed, and keeps its own account of what they add up to.
struct CommitMaker {
    private struct Credited {
        var attribution: Attribution
        var revenue: Int64
    }

    let shard: ShardID
    let rules: [RuleID]
    private var random: SplitMix
    private(set) var position = ShardPosition.start
    /// Kept the naive way, event by event.
    private(set) var tally = Sums()
    private var actions: [(action: ActionID, rule: RuleID, customer: CustomerKey)] = []
    private var credited: [Credited] = []
    private var salesByAction: [ActionID: Int64] = [:]
    private var nextOrder = 0

    init(shard: Int, seed: UInt64, rules: [RuleID] = [RuleID(name: "coffee"), RuleID(name: "lapsed"), RuleID(7)]) {
        self.shard = ShardID(index: shard)
        self.rules = rules
        random = SplitMix(seed: seed &* 1_000_003 &+ UInt64(shard))
    }

    /// The next commit: mostly steps, now and then a new owner.
    mutating func next() -> [UInt8] {
        let isFence = position.number == 0 || random.chance(perMille: 50)
        let isReleased = !isFence && random.chance(perMille: 20)
        var commit = Commit(
            kind: isFence ? .fence : isReleased ? .released : .steps, shard: shard, epoch: position.epoch + (isFence ? 1 : 0),
            number: position.number + 1, previousHash: position.hash, brain: 1, owner: "w#1")
        if !isFence {
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                var writer = ByteWriter()
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    guard let effect = effect() else { continue }
                    count(effect)
                    effect.write(to: &writer)
                }
                commit.steps.append(
                    Step(
                        inputSequence: 1, eventsThrough: 0, clock: Instant(milliseconds: 1), wakeUps: 0, configuration: 1,
                        effects: writer.bytes))
            }
        }
        let encoded = commit.encoded()
        position = ShardPosition(number: commit.number, hash: encoded.hash, epoch: commit.epoch)
        return encoded.bytes
    }

    private mutating func effect() -> Effect? {
        let time = Instant(milliseconds: 5)
        let rule = rules.randomElement(using: &random) ?? RuleID(1)
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            let customer = CustomerKey.user("\(shard)-\(random.next() % 50)")
            let action = ActionID(UInt128(random.next()) << 64 | UInt128(random.next()))
            actions.append((action, rule, customer))
            return .actionOpened(
                ActionOpened(
                    customer: customer, action: action, rule: rule, channel: .email, due: time, decided: time, deadline: time,
                    subject: ""))
        case 2:
            let reason: Reason = [.noConsent, .quietHours, .notInSegment].randomElement(using: &random) ?? .none
            return .suppressed(
                Decision(customer: .user("c"), action: ActionID(1), rule: rule, due: time, decided: time, reason: reason))
        case 3:
            guard let opened = actions.randomElement(using: &random) else { return nil }
            let outcome = Outcome.allCases.randomElement(using: &random) ?? .sent
            return .actionClosed(
                ActionClosed(customer: opened.customer, action: opened.action, rule: opened.rule, outcome: outcome, time: time))
        case 4, 5: return conversion(time)
        case 6: return change(time)
        default:
            let counter = Counter.allCases.randomElement(using: &random) ?? .events
            let owner = counter == .timersArmed ? rule : RuleID(0)
            return .sums([SumDelta(counter, rule: owner, amount: Int64.random(in: -20...100, using: &random))])
        }
    }

    private mutating func conversion(_ time: Instant) -> Effect? {
        guard let opened = actions.randomElement(using: &random) else { return nil }
        nextOrder += 1
        let revenue = Int64.random(in: 0...100_000, using: &random)
        let isFirst = salesByAction[opened.action, default: 0] == 0
        salesByAction[opened.action, default: 0] += 1
        let attribution = Attribution(
            customer: opened.customer, action: opened.action, rule: opened.rule, orderID: "o/\(shard)/\(nextOrder)",
            kind: .converted,
            revenue: revenue, sales: 1, conversions: isFirst ? 1 : 0, time: time)
        credited.append(Credited(attribution: attribution, revenue: revenue))
        return .attributed(attribution)
    }

    private mutating func change(_ time: Instant) -> Effect? {
        guard !credited.isEmpty else { return nil }
        let index = Int.random(in: 0..<credited.count, using: &random)
        var attribution = credited[index].attribution
        if Bool.random(using: &random) {
            let revenue = Int64.random(in: 0...100_000, using: &random)
            attribution.kind = .changed
            attribution.revenue = revenue - credited[index].revenue
            attribution.sales = 0
            attribution.conversions = 0
            credited[index].revenue = revenue
        } else {
            salesByAction[attribution.action, default: 0] -= 1
            attribution.kind = .reversed
            attribution.revenue = -credited[index].revenue
            attribution.sales = -1
            attribution.conversions = salesByAction[attribution.action] == 0 ? -1 : 0
            credited.remove(at: index)
        }
        return .attributed(attribution)
    }

    private mutating func count(_ effect: Effect) { tally.count(effect) }
}

extension Sums {
    /// Written apart from the code under test, for comparison.
    mutating func count(_ effect: Effect) {
        func change(_ rule: RuleID, _ body: (inout RuleSums) -> Void) {
            var sums = rules[rule] ?? RuleSums()
            body(&sums)
            rules[rule] = sums
        }
        switch effect {
        case .actionOpened(let opened): change(opened.rule) { $0.executions += 1 }
        case .suppressed(let decision):
            let key = Suppression(rule: decision.rule, reason: decision.reason)
            suppressed[key] = (suppressed[key] ?? 0) + 1
        case .actionClosed(let closed):
            let figures: [Outcome: WritableKeyPath<RuleSums, Int64>] = [
                .sent: \.sent, .recorded: \.recorded, .undeliverable: \.undeliverable, .uncertain: \.uncertain,
                .withdrawn: \.withdrawn,
            ]
            if let figure = figures[closed.outcome] { change(closed.rule) { $0[keyPath: figure] += 1 } }
        case .attributed(let a):
            change(a.rule) { sums in
                sums.revenue += a.revenue
                sums.sales += a.sales
                sums.conversions += a.conversions
            }
            let key = Credit(rule: a.rule, action: a.action, order: a.orderID)
            let before = credits[key]
            credits[key] = CreditSums(
                customer: a.customer, revenue: (before?.revenue ?? 0) + a.revenue, sales: (before?.sales ?? 0) + a.sales)
        case .sums(let deltas):
            for delta in deltas {
                let key = CounterKey(counter: delta.counter, rule: delta.rule)
                counters[key] = (counters[key] ?? 0) + delta.amount
            }
        default: break
        }
    }

    /// Adds another account to this one.
    mutating func merge(_ other: Sums) {
        for (key, value) in other.rules { rules[key, default: RuleSums()] += value }
        for (key, value) in other.suppressed { suppressed[key, default: 0] += value }
        for (key, value) in other.counters { counters[key, default: 0] += value }
        credits.merge(other.credits) { _, new in new }
    }

    var withoutCredits: Sums {
        var rest = self
        rest.credits = [:]
        return rest
    }
}
