import Checkers
import Model

/// The shop's ledger against the logs: the one book that is not Reprise's own (I1, I7, I10). Pure.
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
        func counter(_ counter: Counter) -> Int64 { books.sums.counters[counter] ?? 0 }
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
}
