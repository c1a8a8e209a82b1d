/// The files of purchases that can be read.
package enum PurchaseFormat: String, CaseIterable, Sendable {
    /// The CDNOW data: customer, (number in the sample,) day, number of CDs, value; with blanks or commas between, with
    /// or without a heading. Each row is an order.
    case cdnow
    /// CSV with a heading: `order_id,customer_id,date,total`, and where known `email,product,quantity`. Rows that follow
    /// each other with one order id are the lines of one order.
    case orders

    /// By a file's first row; nil when it is neither.
    package init?(heading: [String]) {
        let names = Set(heading.flatMap { $0.split(separator: " ") }.map { $0.lowercased() })
        if names.isSuperset(of: OrderColumns.required) {
            self = .orders
        } else if names.contains("number_of_cds") || CDNOWRow.columns(of: heading).map({ [4, 5].contains($0.count) }) == true {
            self = .cdnow
        } else {
            return nil
        }
    }
}

/// One row of the CDNOW data.
enum CDNOWRow {
    /// The row's numbers as text; nil when it is no row of numbers.
    static func columns(of fields: [String]) -> [String]? {
        let columns =
            fields.count == 1
            ? fields[0].split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init) : fields.map(trimmed)
        return columns.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { isDigit($0) || $0 == 0x2d || $0 == 0x2e } }
            ? columns : nil
    }

    static func isHeading(_ fields: [String]) -> Bool { fields.joined(separator: " ").contains("customer_id") }

    static func purchase(row: Int, fields: [String]) throws(BrokenRow) -> Purchase {
        func broken(_ reason: String) -> BrokenRow { BrokenRow(row: row, reason: reason) }
        guard let columns = columns(of: fields), columns.count == 4 || columns.count == 5 else {
            throw broken("customer, date, number of CDs and value are wanted, all numbers")
        }
        let customer = columns[0]
        guard customer.utf8.count <= 20, customer.utf8.allSatisfy(isDigit) else {
            throw broken("customer '\(customer)' is no number")
        }
        let rest = columns.suffix(3).map { $0 }
        guard let time = CalendarDate.instant(rest[0]) else {
            throw broken("date '\(rest[0])' is no day between 1980 and 2099, as YYYYMMDD or YYYY-MM-DD")
        }
        guard let quantity = Int64(rest[1]), (1...1_000_000).contains(quantity) else {
            throw broken("number of CDs '\(rest[1])' is no number from 1 to 1000000")
        }
        guard let total = Amount(rest[2]), total.tenThousandths >= 0 else {
            throw broken("value '\(rest[2])' is no amount of 0 or more with at most four decimals")
        }
        return Purchase(
            row: row, orderID: "cdnow-\(row)", customerID: customer, email: "customer-\(customer)@example.com",
            firstName: FirstNames.name(customer), time: time,
            lines: [Purchase.Line(product: "cd", name: "CD", quantity: quantity, total: total)])
    }
}

/// Where the columns of an orders file stand.
struct OrderColumns: Sendable {
    static let required: Set<String> = ["order_id", "customer_id", "date", "total"]
    static let optional: Set<String> = ["email", "product", "quantity", "first_name"]

    private let positions: [String: Int]
    let count: Int
    /// Columns of the heading that are not read.
    let ignored: [String]

    init(heading: [String], row: Int) throws(BrokenRow) {
        var positions: [String: Int] = [:]
        var ignored: [String] = []
        for (index, field) in heading.enumerated() {
            let name = trimmed(field).lowercased()
            guard Self.required.contains(name) || Self.optional.contains(name) else {
                ignored.append(name)
                continue
            }
            guard positions.updateValue(index, forKey: name) == nil else {
                throw BrokenRow(row: row, reason: "the heading names '\(name)' twice")
            }
        }
        let missing = Self.required.subtracting(positions.keys).sorted()
        guard missing.isEmpty else {
            throw BrokenRow(row: row, reason: "the heading lacks \(missing.joined(separator: ", "))")
        }
        self.positions = positions
        self.ignored = ignored
        count = heading.count
    }

    func purchase(row: Int, fields: [String]) throws(BrokenRow) -> Purchase {
        func broken(_ reason: String) -> BrokenRow { BrokenRow(row: row, reason: reason) }
        guard fields.count == count else { throw broken("\(fields.count) columns where the heading has \(count)") }
        func text(_ name: String) -> String { positions[name].map { trimmed(fields[$0]) } ?? "" }
        let order = text("order_id")
        guard (1...90).contains(order.utf8.count) else { throw broken("order_id: 1 to 90 bytes, not \(order.utf8.count)") }
        let customer = text("customer_id")
        guard (1...128).contains(customer.utf8.count) else {
            throw broken("customer_id: 1 to 128 bytes, not \(customer.utf8.count)")
        }
        guard let time = CalendarDate.instant(text("date")) else {
            throw broken(
                "date '\(text("date"))': a day or time between 1980 and 2099 is wanted, as 2024-05-31 or 2024-05-31T18:30:00Z")
        }
        guard let total = Amount(text("total")), total.tenThousandths >= 0 else {
            throw broken("total '\(text("total"))': an amount of 0 or more with at most four decimals is wanted, as 29.90")
        }
        let quantityText = text("quantity")
        guard let quantity = quantityText.isEmpty ? 1 : Int64(quantityText), (1...1_000_000).contains(quantity) else {
            throw broken("quantity '\(quantityText)': a number from 1 to 1000000 is wanted")
        }
        let email = text("email")
        guard email.isEmpty || (email.contains("@") && email.utf8.count <= 128) else {
            throw broken("email '\(email)': an address of at most 128 bytes is wanted")
        }
        let product = text("product")
        guard product.utf8.count <= 128 else { throw broken("product: at most 128 bytes, not \(product.utf8.count)") }
        return Purchase(
            row: row, orderID: order, customerID: customer, email: email, firstName: text("first_name"), time: time,
            lines: [Purchase.Line(product: product, name: product, quantity: quantity, total: total)])
    }
}

func trimmed(_ text: String) -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
    var part = text[...]
    while let first = part.first, isBlank(first) { part = part.dropFirst() }
    while let last = part.last, isBlank(last) { part = part.dropLast() }
    return String(part)
}
