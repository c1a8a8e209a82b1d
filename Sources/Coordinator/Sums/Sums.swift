internal import Model

/// What one rule brought. Money in minor units.
struct RuleSums: Equatable, Sendable {
    var executions: Int64 = 0
    var sent: Int64 = 0
    var recorded: Int64 = 0
    var undeliverable: Int64 = 0
    var uncertain: Int64 = 0
    var withdrawn: Int64 = 0
    var conversions: Int64 = 0
    var sales: Int64 = 0
    var revenue: Int64 = 0

    static func += (left: inout RuleSums, right: RuleSums) {
        left.executions += right.executions
        left.sent += right.sent
        left.recorded += right.recorded
        left.undeliverable += right.undeliverable
        left.uncertain += right.uncertain
        left.withdrawn += right.withdrawn
        left.conversions += right.conversions
        left.sales += right.sales
        left.revenue += right.revenue
    }
}

/// What the commits add up to, or what some of them add. Only additions: the actors attributed already.
struct Sums: Equatable, Sendable {
    struct Suppression: Hashable, Sendable {
        var rule: RuleID
        var reason: Reason
    }

    struct CounterKey: Hashable, Sendable {
        var counter: Counter
        var rule: RuleID
    }

    /// An order's credit to one action.
    struct Credit: Hashable, Sendable {
        var rule: RuleID
        var action: ActionID
        var order: String
    }

    struct CreditSums: Equatable, Sendable {
        var customer: CustomerKey
        var revenue: Int64
        var sales: Int64
    }

    var rules: [RuleID: RuleSums] = [:]
    var suppressed: [Suppression: Int64] = [:]
    var counters: [CounterKey: Int64] = [:]
    var credits: [Credit: CreditSums] = [:]

    /// Adds a commit, and returns what it says of events set aside.
    @discardableResult
    mutating func add(_ commit: Commit) throws(FormatError) -> [DeadEntry] {
        var dead: [DeadEntry] = []
        func origin() -> DeadEntryOrigin {
            DeadEntryOrigin(shard: commit.shard, commit: commit.number, index: UInt32(dead.count))
        }
        for step in commit.steps {
            var reader = ByteReader(step.effects)
            while !reader.isAtEnd {
                let effect = try Effect.read(&reader)
                switch effect {
                case .setAside(let event): dead.append(.setAside(origin(), event))
                case .replayed(let number): dead.append(.replayed(origin(), number: number))
                default: add(effect)
                }
            }
        }
        return dead
    }

    mutating func add(_ effect: Effect) {
        switch effect {
        case .actionOpened(let opened): rules[opened.rule, default: RuleSums()].executions += 1
        case .suppressed(let decision):
            suppressed[Suppression(rule: decision.rule, reason: decision.reason), default: 0] += 1
        case .actionClosed(let closed): close(closed)
        case .attributed(let attribution): add(attribution)
        case .sums(let deltas):
            for delta in deltas { counters[CounterKey(counter: delta.counter, rule: delta.rule), default: 0] += delta.amount }
        case .postponed, .permitGranted, .permitDenied, .setAside, .replayed, .messageSent, .messagesDelivered, .messageApplied,
            .merged, .duplicateOffered, .actionMoved:
            break
        }
    }

    private mutating func close(_ closed: ActionClosed) {
        switch closed.outcome {
        case .sent: rules[closed.rule, default: RuleSums()].sent += 1
        case .recorded: rules[closed.rule, default: RuleSums()].recorded += 1
        case .undeliverable: rules[closed.rule, default: RuleSums()].undeliverable += 1
        case .uncertain: rules[closed.rule, default: RuleSums()].uncertain += 1
        case .withdrawn: rules[closed.rule, default: RuleSums()].withdrawn += 1
        case .failedForNow, .notTried: break
        }
    }

    private mutating func add(_ attribution: Attribution) {
        rules[attribution.rule, default: RuleSums()].conversions += attribution.conversions
        rules[attribution.rule, default: RuleSums()].sales += attribution.sales
        rules[attribution.rule, default: RuleSums()].revenue += attribution.revenue
        let credit = Credit(rule: attribution.rule, action: attribution.action, order: attribution.orderID)
        var sums = credits[credit] ?? CreditSums(customer: attribution.customer, revenue: 0, sales: 0)
        sums.revenue += attribution.revenue
        sums.sales += attribution.sales
        credits[credit] = sums
    }
}
