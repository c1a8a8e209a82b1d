package import Model

/// One order as a file tells it.
package struct Purchase: Equatable, Sendable {
    package struct Line: Equatable, Sendable {
        /// Empty when the file does not tell.
        package var product: String
        /// For people; the id when the file has none.
        package var name: String
        package var quantity: Int64
        /// Of all the line's units together.
        package var total: Amount

        package init(product: String, name: String, quantity: Int64, total: Amount) {
            self.product = product
            self.name = name
            self.quantity = quantity
            self.total = total
        }
    }

    /// The row it begins in, as a spreadsheet numbers it: from 1, the heading counted.
    package var row: Int
    package var orderID: String
    package var customerID: String
    /// Empty when the file has none.
    package var email: String
    /// Empty when the file has none.
    package var firstName: String
    package var time: Instant
    package var lines: [Line]

    package init(
        row: Int, orderID: String, customerID: String, email: String, firstName: String = "", time: Instant, lines: [Line]
    ) {
        self.row = row
        self.orderID = orderID
        self.customerID = customerID
        self.email = email
        self.firstName = firstName
        self.time = time
        self.lines = lines
    }

    package var total: Amount { lines.reduce(Amount(tenThousandths: 0)) { $0 + $1.total } }
}

/// Money as files write it: in ten-thousandths of a unit of the currency.
package struct Amount: Equatable, Comparable, Sendable, CustomStringConvertible {
    package static let max = Amount(tenThousandths: 10_000_000_000 * 10_000)

    package var tenThousandths: Int64

    package init(tenThousandths: Int64) { self.tenThousandths = tenThousandths }

    /// Digits with at most four decimals, a sign before them; nil for anything else and for what is above ``max``.
    package init?(_ text: some StringProtocol) {
        var rest = text[...]
        let negative = rest.hasPrefix("-")
        if negative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts[0]
        let decimals = parts.count == 2 ? parts[1] : ""
        guard !whole.isEmpty || !decimals.isEmpty, whole.utf8.count <= 11, decimals.utf8.count <= 4,
            whole.utf8.allSatisfy(isDigit), decimals.utf8.allSatisfy(isDigit)
        else { return nil }
        let padded = decimals + String(repeating: "0", count: 4 - decimals.utf8.count)
        let value = (Int64(whole) ?? 0) * 10_000 + (Int64(padded) ?? 0)
        guard value <= Self.max.tenThousandths else { return nil }
        tenThousandths = negative ? -value : value
    }

    /// With two decimals, or as many more as it has.
    package var description: String {
        let magnitude = tenThousandths.magnitude
        var decimals = String(magnitude % 10_000 + 10_000).dropFirst()
        while decimals.count > 2, decimals.hasSuffix("0") { decimals = decimals.dropLast() }
        return (tenThousandths < 0 ? "-" : "") + String(magnitude / 10_000) + "." + decimals
    }

    /// What one of so many costs, to the hundredth, halves up. Traps unless `count` > 0.
    package func divided(among count: Int64) -> Amount {
        precondition(count > 0, "a quantity is positive")
        let hundredths = (2 * tenThousandths + 100 * count) / (200 * count)
        return Amount(tenThousandths: hundredths * 100)
    }

    package static func < (left: Amount, right: Amount) -> Bool { left.tenThousandths < right.tenThousandths }
    package static func + (left: Amount, right: Amount) -> Amount {
        Amount(tenThousandths: left.tenThousandths + right.tenThousandths)
    }
}

func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
