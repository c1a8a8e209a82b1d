internal import Model

/// A table of periods: `product,days` a line, the first line naming the columns.
struct PeriodTable {
    let report: Report
    let field: String

    struct Row {
        var product: String
        var milliseconds: Int64
        var place: Place
    }

    func read(_ source: Source) -> [Row] {
        var rows: [Row] = []
        var lines = source.lines.enumerated().makeIterator()
        guard let header = lines.next(), Self.cells(header.element)?.map({ $0.lowercased() }) == ["product", "days"] else {
            report.add(source.place(1, 1), field, "the first line must be 'product,days'")
            return []
        }
        while let (index, line) = lines.next() {
            if line.allSatisfy(\.isWhitespace) { continue }
            let place = source.place(index + 1, 1)
            guard let cells = Self.cells(line), cells.count == 2 else {
                report.add(place, field, "a product and its days are expected, separated by a comma")
                continue
            }
            guard !cells[0].isEmpty, cells[0].utf8.count <= Limits.identifierBytesMax else {
                report.add(place, field, "the product's id has 1 to \(Limits.identifierBytesMax) bytes")
                continue
            }
            let days = cells[1].utf8.allSatisfy { (0x30...0x39).contains($0) } ? cells[1] + "d" : cells[1]
            switch DurationText.read(days, atLeast: 1) {
            case .success(let milliseconds): rows.append(Row(product: cells[0], milliseconds: milliseconds, place: place))
            case .failure(let fault): report.add(place, field, fault.message)
            }
        }
        return rows
    }

    /// The cells of a line; a cell in quotes may hold commas and doubled quotes. Nil when a quote is not closed.
    static func cells(_ line: Substring) -> [String]? {
        var cells = [""]
        var quoted = false
        var wasQuoted = false
        for character in line {
            let last = cells.count - 1
            switch character {
            case "\"" where quoted:
                quoted = false
                wasQuoted = true
            case "\"" where wasQuoted:
                quoted = true
                wasQuoted = false
                cells[last].append("\"")
            case "\"" where cells[last].isEmpty: quoted = true
            case "," where !quoted:
                cells.append("")
                wasQuoted = false
            case "\u{feff}": break
            default: cells[last].append(character)
            }
        }
        return quoted
            ? nil
            : cells.map { cell in
                String(cell.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
            }
    }
}
