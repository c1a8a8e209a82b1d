import Model

/// One order of each of many customers, and the one rule that watches them: its timer fires so long after the order.
struct FirstOrders: Sendable {
    static let lapsed = "lapsed"

    static func rules(lapseAfter milliseconds: Int64) -> RuleSet {
        RuleSet(
            rules: [
                Rule(
                    name: lapsed, title: "Lapsed buyer", mechanic: .timeSinceLastPurchase(afterMilliseconds: milliseconds),
                    action: .record)
            ])
    }

    /// The order of customer `number`. Unique over all runs that name `run` differently.
    static func event(_ number: UInt64, of run: UInt64, at time: Instant) -> Event {
        Event(
            messageID: UInt128(run) << 64 | UInt128(number + 1), customer: .user(String(number)), time: time,
            body: .order(
                OrderEvent(
                    orderID: "o\(number)", change: .placed, revenue: nil,
                    lines: [OrderLine(product: Product(id: "p\(number % 1000)"), quantity: 1, price: 1000)])))
    }
}
