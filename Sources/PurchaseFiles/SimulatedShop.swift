internal import Model

/// A made-up shop for where no data can be fetched: customers of differing habits over eighteen months, the same each time.
package enum SimulatedShop {
    /// 600 customers from the first of January 1997 on, in the order of time.
    package static func purchases() -> [Purchase] {
        var state: UInt64 = 42
        var found: [Purchase] = []
        let start = Instant(milliseconds: 852_076_800_000)  // 1997-01-01
        let days: Int64 = 545
        for customer in 1...600 {
            // Each buys about every so many days, and after any purchase may be gone for good.
            let habit = 14 + Int64(next(&state) % 80)
            let leaving = 5 + next(&state) % 30
            var day = Int64(next(&state) % 84)
            while day < days {
                let quantity = 1 + Int64(next(&state) % 3)
                let price = Int64(next(&state) % 1500) + 700
                found.append(
                    purchase(customer: customer, time: start + (day * Milliseconds.day + 12 * Milliseconds.hour), quantity, price)
                )
                if next(&state) % 100 < leaving { break }
                day += 1 + Int64(next(&state) % UInt64(2 * habit))
            }
        }
        found.sort { ($0.time, $0.customerID) < ($1.time, $1.customerID) }
        for index in found.indices {
            found[index].row = index + 1
            found[index].orderID = "simulated-\(index + 1)"
        }
        return found
    }

    private static func purchase(customer: Int, time: Instant, _ quantity: Int64, _ price: Int64) -> Purchase {
        let id = String(String(100_000 + customer).dropFirst())
        return Purchase(
            row: 0, orderID: "", customerID: id, email: "customer-\(id)@example.com", firstName: FirstNames.name(id), time: time,
            lines: [
                Purchase.Line(
                    product: "cd", name: "CD", quantity: quantity, total: Amount(tenThousandths: quantity * price * 100))
            ])
    }

    /// splitmix64.
    private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
