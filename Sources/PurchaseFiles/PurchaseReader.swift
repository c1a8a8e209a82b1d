internal import Model

/// Reads purchases from pieces of a file. Broken rows are yielded where they stand; the rest goes on.
package struct PurchaseReader: Sendable {
    package typealias Element = Result<Purchase, BrokenRow>

    /// Nil until the first row was read, when none was given.
    package private(set) var format: PurchaseFormat?
    /// Columns of the heading that are not read.
    package private(set) var ignoredColumns: [String] = []
    /// Rows read so far, the heading counted.
    package private(set) var rows = 0

    private var reader = DelimitedReader()
    /// Bytes before the first line break, from which the delimiter is seen.
    private var beginning: [UInt8] = []
    private var begun = false
    private var columns: OrderColumns?
    /// The order whose next line may still come.
    private var held: Purchase?

    /// `format`: nil to find out by the first row.
    package init(format: PurchaseFormat? = nil) { self.format = format }

    /// The purchases that are complete with these bytes. Throws where the heading makes the rest unreadable.
    package mutating func read(_ bytes: [UInt8]) throws(BrokenRow) -> [Element] {
        guard !begun else { return try purchases(reader.read(bytes)) }
        beginning.append(contentsOf: bytes)
        guard beginning.contains(0x0a) || beginning.count > DelimitedReader.rowBytesMax else { return [] }
        return try begin()
    }

    package mutating func finish() throws(BrokenRow) -> [Element] {
        var found = begun ? [] : try begin()
        found += try purchases(reader.finish())
        if let held { found.append(.success(held)) }
        held = nil
        return found
    }

    private mutating func begin() throws(BrokenRow) -> [Element] {
        begun = true
        let first = beginning.prefix { $0 != 0x0a }
        let candidates: [UInt8] = [0x2c, 0x3b, 0x09]
        let counts = candidates.map { candidate in first.count { $0 == candidate } }
        let most = counts.indices.max { counts[$0] < counts[$1] || (counts[$0] == counts[$1] && $0 > $1) } ?? 0
        reader = DelimitedReader(delimiter: candidates[most])
        let bytes = beginning
        beginning = []
        return try purchases(reader.read(bytes))
    }

    private mutating func purchases(_ read: [DelimitedReader.Row]) throws(BrokenRow) -> [Element] {
        var found: [Element] = []
        for row in read {
            rows = row.number
            switch row.fields {
            case .failure(let broken): found.append(.failure(broken))
            case .success(let fields):
                if try isHeading(fields, row: row.number) { continue }
                let result: Element
                do throws(BrokenRow) {
                    result = .success(try purchase(row: row.number, fields: fields))
                } catch {
                    result = .failure(error)
                }
                gather(result, into: &found)
            }
        }
        return found
    }

    private mutating func isHeading(_ fields: [String], row: Int) throws(BrokenRow) -> Bool {
        if format == nil {
            guard let found = PurchaseFormat(heading: fields) else {
                throw BrokenRow(
                    row: row,
                    reason:
                        "neither CDNOW data nor a heading with order_id, customer_id, date and total; or name the format"
                )
            }
            format = found
        }
        switch format {
        case .orders where columns == nil:
            let columns = try OrderColumns(heading: fields, row: row)
            self.columns = columns
            ignoredColumns = columns.ignored
            return true
        case .cdnow where row == 1: return CDNOWRow.isHeading(fields)
        default: return false
        }
    }

    private func purchase(row: Int, fields: [String]) throws(BrokenRow) -> Purchase {
        guard let columns else { return try CDNOWRow.purchase(row: row, fields: fields) }
        return try columns.purchase(row: row, fields: fields)
    }

    /// Rows that follow each other with one order id become one purchase.
    private mutating func gather(_ result: Element, into found: inout [Element]) {
        guard case .success(let purchase) = result else {
            found.append(result)
            return
        }
        guard var order = held, order.orderID == purchase.orderID else {
            if let held { found.append(.success(held)) }
            held = purchase
            return
        }
        if order.customerID != purchase.customerID {
            let reason = "order '\(order.orderID)' belongs to '\(order.customerID)' in row \(order.row)"
            found.append(.failure(BrokenRow(row: purchase.row, reason: reason + ", here to '\(purchase.customerID)'")))
        } else if order.lines.count == Limits.orderLinesMax {
            found.append(.failure(BrokenRow(row: purchase.row, reason: "more than \(Limits.orderLinesMax) lines in one order")))
        } else {
            order.lines += purchase.lines
            held = order
        }
    }
}
