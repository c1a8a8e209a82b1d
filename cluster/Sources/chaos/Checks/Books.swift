import Model

/// What the logs say, folded: actions, orders, sums. Fed with records in order; pure.
struct Books: Sendable {
    struct Action: Equatable, Sendable {
        var rule: RuleID
        var channel: Channel
        var openings = 0
        var grants: Set<AttemptID> = []
        var closings: [ActionClosed] = []
    }

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
    }

    /// An order as it stands in IN, by its first event.
    struct Order: Equatable, Sendable {
        var customer: CustomerKey
        var revenue: Int64
        var messages: Int
    }

    private(set) var actions: [ActionID: Action] = [:]
    private(set) var rules: [RuleID: RuleSums] = [:]
    private(set) var counters: [Counter: Int64] = [:]
    private(set) var orders: [String: Order] = [:]
    /// Money credited by order and by rule (I10).
    private(set) var credits: [String: [RuleID: Int64]] = [:]
    private(set) var events: Int64 = 0
    private(set) var setAside: [String] = []
    private(set) var violations: [String] = []

    /// A record of IN.
    mutating func input(_ record: LogRecord, shard: ShardID) {
        do throws(FormatError) {
            guard case .events(let batch) = try InputMessage.decoded(record.payload) else { return }
            for event in batch {
                events += 1
                guard case .order(let order) = event.body, order.change == .placed else { continue }
                if let known = orders[order.orderID] {
                    orders[order.orderID]?.messages += 1
                    if known.customer != event.customer || known.revenue != order.revenue {
                        violations.append("IN.\(shard): order \(order.orderID) stands there with two contents")
                    }
                } else {
                    orders[order.orderID] = Order(customer: event.customer, revenue: order.revenue ?? 0, messages: 1)
                }
            }
        } catch {
            violations.append("IN.\(shard): record \(record.sequence) cannot be read: \(error)")
        }
    }

    /// A commit of LOG whose place in the chain was checked.
    mutating func commit(_ commit: Commit) {
        for step in commit.steps {
            do throws(FormatError) {
                for effect in try step.decodedEffects() { add(effect, commit) }
            } catch {
                violations.append("LOG.\(commit.shard): commit \(commit.number) has effects that cannot be read: \(error)")
            }
        }
    }

    private mutating func add(_ effect: Effect, _ commit: Commit) {
        switch effect {
        case .actionOpened(let opened):
            rules[opened.rule, default: RuleSums()].executions += 1
            actions[opened.action, default: Action(rule: opened.rule, channel: opened.channel)].openings += 1
        case .permitGranted(let grant): actions[grant.action]?.grants.insert(grant.attempt)
        case .actionClosed(let closed): close(closed, commit)
        case .attributed(let credit):
            rules[credit.rule, default: RuleSums()].conversions += credit.conversions
            rules[credit.rule, default: RuleSums()].sales += credit.sales
            rules[credit.rule, default: RuleSums()].revenue += credit.revenue
            credits[credit.orderID, default: [:]][credit.rule, default: 0] += credit.revenue
        case .sums(let deltas): for delta in deltas { counters[delta.counter, default: 0] += delta.amount }
        case .setAside(let event):
            setAside.append("IN.\(commit.shard) \(event.inputSequence)/\(event.index): \(event.reason)")
        case .suppressed, .postponed, .permitDenied, .replayed, .messageSent, .messagesDelivered, .messageApplied, .merged,
            .duplicateOffered, .actionMoved:
            break
        }
    }

    private mutating func close(_ closed: ActionClosed, _ commit: Commit) {
        if actions[closed.action] == nil {
            violations.append("I5 LOG.\(commit.shard): action \(closed.action) is closed and was never opened")
        }
        actions[closed.action]?.closings.append(closed)
        switch closed.outcome {
        case .sent: rules[closed.rule, default: RuleSums()].sent += 1
        case .recorded: rules[closed.rule, default: RuleSums()].recorded += 1
        case .undeliverable: rules[closed.rule, default: RuleSums()].undeliverable += 1
        case .uncertain: rules[closed.rule, default: RuleSums()].uncertain += 1
        case .withdrawn: rules[closed.rule, default: RuleSums()].withdrawn += 1
        case .failedForNow, .notTried: break
        }
    }
}
