import Model

/// The shop's ledger against the logs, and the logs against the coordinator's sums (I1, I7, I10). Pure.
enum BookCheck {
    /// Every acknowledged order is in IN, nothing is there that was not sent, and each counts once.
    static func compare(_ ledger: Ledger, with books: Books) -> [String] {
        var found = books.violations
        for (id, order) in ledger.acknowledged.sorted(by: { $0.key < $1.key }) {
            guard let logged = books.orders[id] else {
                found.append("I1 order \(id) was acknowledged and is not in IN")
                continue
            }
            if logged.customer != order.customer || logged.revenue != order.revenue {
                found.append("I1 order \(id) stands in IN with another content: \(logged), sent was \(order)")
            }
        }
        for id in books.orders.keys.sorted() {
            if ledger.refused[id] != nil { found.append("I1 order \(id) was refused and is in IN") }
            if ledger.acknowledged[id] == nil && ledger.unknown[id] == nil && ledger.refused[id] == nil {
                found.append("I1 order \(id) is in IN and was never sent")
            }
        }
        found += books.setAside.prefix(10).map { "I7 an event was set aside: \($0)" }
        func counter(_ counter: Counter) -> Int64 { books.counters[counter] ?? 0 }
        func equal(_ what: String, _ commits: Int64, _ inputs: Int64) {
            if commits != inputs { found.append("I4 \(what): the commits say \(commits), the inputs \(inputs)") }
        }
        equal("orders", counter(.orders), Int64(books.orders.count))
        equal("revenue", counter(.revenue), books.orders.values.reduce(0) { $0 + $1.revenue })
        equal("customers", counter(.customers), Int64(Set(books.orders.values.map(\.customer)).count))
        // An outcome that came after another one counts as applied and as a repeat.
        let events = counter(.events) + counter(.repeats) + counter(.setAside)
        if events < books.events { found.append("I4 events: the commits say \(events), the inputs \(books.events)") }
        return found + credits(books)
    }

    /// No order is credited to two rules, or with more or less than it is worth (I10).
    private static func credits(_ books: Books) -> [String] {
        var found: [String] = []
        for (id, shares) in books.credits.sorted(by: { $0.key < $1.key }) {
            let given = shares.filter { $0.value != 0 }
            guard let order = books.orders[id] else {
                found.append("I10 order \(id) is credited and is not in IN")
                continue
            }
            if given.count != 1 || given.values.first != order.revenue {
                found.append("I10 order \(id), worth \(order.revenue), is credited \(given.mapValues { $0 })")
            }
        }
        return found
    }

    /// What the coordinator tells is what the commits add up to.
    static func compare(_ report: MechanicsReport, with books: Books) -> [String] {
        var found: [String] = []
        func equal(_ what: String, _ told: Int64, _ folded: Int64) {
            if told != folded { found.append("I10 \(what): the coordinator says \(told), the commits \(folded)") }
        }
        var rows = books.rules
        for row in report.rows {
            let sums = rows.removeValue(forKey: RuleID(name: row.rule)) ?? Books.RuleSums()
            equal("\(row.rule), executions", row.executions, sums.executions)
            equal("\(row.rule), sent", row.sent, sums.sent)
            equal("\(row.rule), recorded", row.recorded, sums.recorded)
            equal("\(row.rule), undeliverable", row.undeliverable, sums.undeliverable)
            equal("\(row.rule), uncertain", row.uncertain, sums.uncertain)
            equal("\(row.rule), withdrawn", row.withdrawn, sums.withdrawn)
            equal("\(row.rule), conversions", row.conversions, sums.conversions)
            equal("\(row.rule), sales", row.sales, sums.sales)
            equal("\(row.rule), revenue", row.revenue, sums.revenue)
        }
        for rule in rows.keys.sorted() { found.append("I10 rule \(rule) acted, and the coordinator does not tell of it") }
        equal("orders", report.orders, books.counters[.orders] ?? 0)
        equal("revenue", report.revenue, books.counters[.revenue] ?? 0)
        equal("customers", report.customers, books.counters[.customers] ?? 0)
        equal("events", report.events, books.counters[.events] ?? 0)
        equal("set aside", report.setAside, books.counters[.setAside] ?? 0)
        return found
    }
}
