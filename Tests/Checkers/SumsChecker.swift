package import Model

/// Adds up what the commits of all shards decided, in the plainest way, and compares it with a coordinator's report (I10).
package struct SumsChecker: Sendable {
    private struct Figures {
        var executions: Int64 = 0
        var suppressed: Int64 = 0
        var conversions: Int64 = 0
        var sales: Int64 = 0
        var revenue: Int64 = 0
        var armed: Int64 = 0
        var closed: [Outcome: Int64] = [:]
    }

    private var rules: [RuleID: Figures] = [:]
    /// The shops' totals by counter.
    package private(set) var counters: [Counter: Int64] = [:]
    /// Revenue by action and order.
    private var credits: [ActionID: [String: Int64]] = [:]

    package init() {}

    package mutating func feed(_ effect: Effect) {
        switch effect {
        case .actionOpened(let opened): rules[opened.rule, default: Figures()].executions += 1
        case .suppressed(let decision): rules[decision.rule, default: Figures()].suppressed += 1
        case .actionClosed(let closed): rules[closed.rule, default: Figures()].closed[closed.outcome, default: 0] += 1
        case .attributed(let credit):
            rules[credit.rule, default: Figures()].conversions += credit.conversions
            rules[credit.rule, default: Figures()].sales += credit.sales
            rules[credit.rule, default: Figures()].revenue += credit.revenue
            credits[credit.action, default: [:]][credit.orderID, default: 0] += credit.revenue
        case .sums(let deltas):
            for delta in deltas {
                counters[delta.counter, default: 0] += delta.amount
                if delta.counter == .timersArmed { rules[delta.rule, default: Figures()].armed += delta.amount }
            }
        case .postponed, .permitGranted, .permitDenied, .setAside, .replayed, .messageSent, .messagesDelivered, .messageApplied,
            .merged, .duplicateOffered, .actionMoved:
            break
        }
    }

    /// Messages of all rules that ended so.
    package func count(_ outcome: Outcome) -> Int64 { rules.values.reduce(0) { $0 + ($1.closed[outcome] ?? 0) } }

    /// Credited to any rule, minor units.
    package var attributed: Int64 { rules.values.reduce(0) { $0 + $1.revenue } }

    /// What the report of the whole says otherwise, and orders whose money does not come out.
    package func compare(_ report: MechanicsReport) -> [Violation] {
        var found: [Violation] = []
        func compare(_ name: String, _ reported: Int64, _ added: Int64) {
            if reported != added {
                found.append(Violation("I10 sums", "\(name): reported \(reported), the commits add up to \(added)"))
            }
        }
        for row in report.rows {
            let id = UInt32(row.rule).map { RuleID($0) } ?? RuleID(name: row.rule)
            let own = rules[id] ?? Figures()
            compare("\(row.rule) executions", row.executions, own.executions)
            compare("\(row.rule) suppressed", row.suppressed.values.reduce(0, +), own.suppressed)
            compare("\(row.rule) conversions", row.conversions, own.conversions)
            compare("\(row.rule) sales", row.sales, own.sales)
            compare("\(row.rule) revenue", row.revenue, own.revenue)
            compare("\(row.rule) timers armed", row.timersArmed, own.armed)
            compare("\(row.rule) sent", row.sent, own.closed[.sent] ?? 0)
            compare("\(row.rule) recorded", row.recorded, own.closed[.recorded] ?? 0)
            compare("\(row.rule) undeliverable", row.undeliverable, own.closed[.undeliverable] ?? 0)
            compare("\(row.rule) uncertain", row.uncertain, own.closed[.uncertain] ?? 0)
            compare("\(row.rule) withdrawn", row.withdrawn, own.closed[.withdrawn] ?? 0)
        }
        let executions = report.rows.reduce(0) { $0 + $1.executions }
        compare("executions of all rules", executions, rules.values.reduce(0) { $0 + $1.executions })
        compare("customers", report.customers, counters[.customers] ?? 0)
        compare("orders", report.orders, counters[.orders] ?? 0)
        compare("revenue of the shop", report.revenue, counters[.revenue] ?? 0)
        compare("events", report.events, counters[.events] ?? 0)
        compare("repeats", report.repeats, counters[.repeats] ?? 0)
        compare("set aside", report.setAside, counters[.setAside] ?? 0)
        for (action, orders) in credits.sorted(by: { $0.key < $1.key }) {
            for (order, revenue) in orders.sorted(by: { $0.key < $1.key }) where revenue < 0 {
                found.append(Violation("I10 sums", "order \(order) brought action \(action) \(revenue)"))
            }
        }
        return found
    }
}
