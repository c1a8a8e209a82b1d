internal import Model

extension MechanicsReport {
    /// Every rule of the configuration in its order, then those it does not know any more, by number.
    init(_ totals: Sums, rules: RuleSet, lag: UInt64) {
        func total(_ counter: Counter) -> Int64 {
            totals.counters.reduce(0) { $1.key.counter == counter ? $0 + $1.value : $0 }
        }
        let configured = rules.rules.map { rule in
            Row(rule: rule.name, title: rule.title, mechanic: rule.mechanic.name).adding(totals, of: rule.id)
        }
        let known = Set(rules.rules.map(\.id))
        let timers = totals.counters.keys.filter { $0.counter == .timersArmed && $0.rule != RuleID(0) }.map(\.rule)
        let counted = Set(totals.rules.keys).union(totals.suppressed.keys.map(\.rule)).union(timers)
        let gone = counted.subtracting(known).sorted().map { rule in
            Row(rule: rule.description, title: rule.description, mechanic: "").adding(totals, of: rule)
        }
        self.init(currency: rules.currency, currencyDigits: Int(rules.currencyDigits), rows: configured + gone, lagCommits: lag)
        customers = total(.customers)
        orders = total(.orders)
        revenue = total(.revenue)
        events = total(.events)
        repeats = total(.repeats)
        setAside = total(.setAside)
    }
}

extension MechanicsReport.Row {
    fileprivate func adding(_ totals: Sums, of rule: RuleID) -> Self {
        var row = self
        let sums = totals.rules[rule] ?? RuleSums()
        row.executions = sums.executions
        row.sent = sums.sent
        row.recorded = sums.recorded
        row.undeliverable = sums.undeliverable
        row.uncertain = sums.uncertain
        row.withdrawn = sums.withdrawn
        row.conversions = sums.conversions
        row.sales = sums.sales
        row.revenue = sums.revenue
        for (key, amount) in totals.suppressed where key.rule == rule { row.suppressed[key.reason.text, default: 0] += amount }
        row.timersArmed = totals.counters[Sums.CounterKey(counter: .timersArmed, rule: rule)] ?? 0
        return row
    }
}
