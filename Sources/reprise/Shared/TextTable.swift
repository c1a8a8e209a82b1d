/// Columns of text for a terminal.
struct TextTable {
    enum Alignment { case left, right }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]?] = []

    init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

    /// Traps unless there is a cell for each column.
    mutating func row(_ cells: [String]) {
        precondition(cells.count == columns.count, "a cell for each column")
        rows.append(cells)
    }

    mutating func line() { rows.append(nil) }

    var text: String {
        let widths = columns.indices.map { index in
            max(columns[index].title.count, rows.map { $0?[index].count ?? 0 }.max() ?? 0)
        }
        func render(_ cells: [String]) -> String {
            var line = ""
            for (index, cell) in cells.enumerated() {
                let space = String(repeating: " ", count: widths[index] - cell.count)
                line += (index == 0 ? "" : "  ") + (columns[index].alignment == .left ? cell + space : space + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1))
        return ([render(columns.map(\.title)), rule] + rows.map { $0.map(render) ?? rule }).joined(separator: "\n")
    }
}

/// Numbers for people.
enum Figures {
    /// `12,345`.
    static func count(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return (value < 0 ? "-" : "") + result
    }

    /// Minor units as `12,345.67`.
    static func money(_ minor: Int64, digits: Int) -> String {
        guard digits > 0 else { return count(minor) }
        var unit: UInt64 = 1
        for _ in 0..<digits { unit *= 10 }
        let fraction = String(unit + minor.magnitude % unit).dropFirst()
        return (minor < 0 ? "-" : "") + count(minor.magnitude / unit) + "." + fraction
    }

    /// `12.3 %`; a dash when there is no whole.
    static func percent(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "-" }
        let tenths = (part * 2000 + whole) / (2 * whole)
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// `1.2 MB`.
    static func bytes(_ value: UInt64) -> String {
        let mebibytes = value * 10 / (1 << 20)
        return "\(mebibytes / 10).\(mebibytes % 10) MB"
    }
}
