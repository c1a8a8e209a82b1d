/// Reads delimited text (RFC 4180) from pieces of a file, in memory that does not grow with the file.
///
/// A row that cannot be read costs itself alone: when a quotation mark is never closed, the row's first line is reported
/// and reading goes on with the second.
package struct DelimitedReader: Sendable {
    package struct Row: Equatable, Sendable {
        /// From 1; empty lines count.
        package var number: Int
        package var fields: Result<[String], BrokenRow>
    }

    /// A row longer than this is broken.
    package static let rowBytesMax = 64 << 10

    private let delimiter: UInt8
    /// Bytes that are not read yet: at most one row, and what came with it.
    private var pending: [UInt8] = []
    private var rows = 0
    /// In the middle of a row that is too long: what comes before its end is thrown away.
    private var skipping = false

    /// `delimiter`: a comma, a semicolon, a tab.
    package init(delimiter: UInt8 = 0x2c) { self.delimiter = delimiter }

    /// The rows that are complete with these bytes; empty lines are passed over.
    package mutating func read(_ bytes: some Sequence<UInt8>) -> [Row] {
        pending.append(contentsOf: bytes)
        return drain(atEnd: false)
    }

    /// The last row, where the file does not end in a line break.
    package mutating func finish() -> [Row] { drain(atEnd: true) }

    private mutating func drain(atEnd: Bool) -> [Row] {
        var found: [Row] = []
        var start = 0
        if rows == 0, pending.starts(with: [0xef, 0xbb, 0xbf]) { start = 3 }
        if skipping {
            start = pending.firstIndex(of: 0x0a).map { $0 + 1 } ?? pending.count
            skipping = start == pending.count && pending.last != 0x0a
        }
        while start < pending.count {
            switch extent(from: start, atEnd: atEnd) {
            case .needsMore:
                pending.removeFirst(start)
                return found
            case .row(let end, let next):
                rows += 1
                if end > start { found.append(Row(number: rows, fields: fields(in: start..<end))) }
                start = next
            case .broken(let reason, let next):
                rows += 1
                found.append(Row(number: rows, fields: .failure(BrokenRow(row: rows, reason: reason))))
                start = next
            }
        }
        pending.removeAll(keepingCapacity: true)
        return found
    }

    private enum Extent {
        /// The row ends before `end`; the next one begins at `next`.
        case row(end: Int, next: Int)
        case broken(reason: String, next: Int)
        case needsMore
    }

    private mutating func extent(from start: Int, atEnd: Bool) -> Extent {
        var quoted = false
        var index = start
        while index < pending.count {
            guard index - start <= Self.rowBytesMax else {
                return broken(from: start, quoted ? unclosed : "longer than \(Self.rowBytesMax) bytes", atEnd: atEnd)
            }
            switch pending[index] {
            case 0x22: quoted.toggle()
            case 0x0a where !quoted:
                let end = index > start && pending[index - 1] == 0x0d ? index - 1 : index
                return .row(end: end, next: index + 1)
            default: break
            }
            index += 1
        }
        guard atEnd else { return .needsMore }
        return quoted ? broken(from: start, unclosed, atEnd: atEnd) : .row(end: index, next: index)
    }

    private var unclosed: String { "a quotation mark is opened and not closed" }

    /// Reading goes on at the next line, whatever stands there.
    private mutating func broken(from start: Int, _ reason: String, atEnd: Bool) -> Extent {
        guard let newline = pending[start...].firstIndex(of: 0x0a) else {
            skipping = !atEnd
            return .broken(reason: reason, next: pending.count)
        }
        return .broken(reason: reason, next: newline + 1)
    }

    private func fields(in range: Range<Int>) -> Result<[String], BrokenRow> {
        var fields: [String] = []
        var field: [UInt8] = []
        var quoted = false
        var closed = false
        func broken(_ reason: String) -> Result<[String], BrokenRow> {
            .failure(BrokenRow(row: rows, reason: "column \(fields.count + 1): " + reason))
        }
        var index = range.lowerBound
        while index <= range.upperBound {
            let byte = index < range.upperBound ? pending[index] : delimiter
            if quoted, index < range.upperBound {
                if byte != 0x22 {
                    field.append(byte)
                } else if index + 1 < range.upperBound, pending[index + 1] == 0x22 {
                    field.append(0x22)
                    index += 1
                } else {
                    quoted = false
                    closed = true
                }
            } else if byte == delimiter {
                guard let text = String(validating: field, as: UTF8.self) else { return broken("is not UTF-8") }
                fields.append(text)
                field.removeAll(keepingCapacity: true)
                closed = false
            } else if closed {
                return broken("text follows the closing quotation mark")
            } else if byte == 0x22 {
                guard field.isEmpty else {
                    return broken("a quotation mark stands inside unquoted text; double it and quote the field")
                }
                quoted = true
            } else {
                field.append(byte)
            }
            index += 1
        }
        return .success(fields)
    }
}
