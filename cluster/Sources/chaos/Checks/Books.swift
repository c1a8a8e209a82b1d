import Checkers
import Model

/// What the logs say of the shop, folded: its orders, whom they are credited to, what was set aside. Fed with records in
/// order; pure.
struct Books: Sendable {
    /// An order as it stands in IN, by its first event.
    struct Order: Equatable, Sendable {
        var customer: CustomerKey
        var revenue: Int64
        var messages: Int
    }

    private(set) var orders: [String: Order] = [:]
    /// Money credited by order and by rule (I10).
    private(set) var credits: [String: [RuleID: Int64]] = [:]
    private(set) var events: Int64 = 0
    private(set) var setAside: [String] = []
    private(set) var violations: [String] = []
    private(set) var actions = ActionChecker()
    private(set) var sums = SumsChecker()

    /// A record of IN.
    mutating func input(_ record: LogRecord, shard: ShardID) {
        do throws(FormatError) {
            guard case .events(let batch) = try InputMessage.decoded(record.payload) else { return }
            for event in batch {
                events += 1
                actions.feed(event)
                guard case .order(let order) = event.body, order.change == .placed else { continue }
                if let known = orders[order.orderID] {
                    orders[order.orderID]?.messages += 1
                    if known.customer != event.customer || known.revenue != order.revenue {
                        violations.append("I1 IN.\(shard): order \(order.orderID) stands there with two contents")
                    }
                } else {
                    orders[order.orderID] = Order(customer: event.customer, revenue: order.revenue ?? 0, messages: 1)
                }
            }
        } catch {
            violations.append("I1 IN.\(shard): record \(record.sequence) cannot be read: \(error)")
        }
    }

    /// A commit of LOG whose place in the chain was checked.
    mutating func commit(_ commit: Commit) {
        for step in commit.steps {
            do throws(FormatError) {
                for effect in try step.decodedEffects() { add(effect, commit) }
            } catch {
                violations.append("I3 LOG.\(commit.shard): commit \(commit.number) has effects that cannot be read: \(error)")
            }
        }
    }

    private mutating func add(_ effect: Effect, _ commit: Commit) {
        actions.feed(effect)
        sums.feed(effect)
        switch effect {
        case .attributed(let credit): credits[credit.orderID, default: [:]][credit.rule, default: 0] += credit.revenue
        case .setAside(let event):
            setAside.append("IN.\(commit.shard) \(event.inputSequence)/\(event.index): \(event.reason)")
        case .actionOpened, .actionClosed, .permitGranted, .sums, .suppressed, .postponed, .permitDenied, .replayed, .messageSent,
            .messagesDelivered, .messageApplied, .merged, .duplicateOffered, .actionMoved:
            break
        }
    }

    /// A message that arrived; it names its action and not the attempt.
    mutating func mail(_ action: ActionID) { actions.feedMail(action, nil) }
}
