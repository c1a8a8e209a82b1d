/// A row that cannot be read; the rows around it can.
package struct BrokenRow: Error, Equatable, Sendable, CustomStringConvertible {
    /// As a spreadsheet numbers it: from 1, the heading counted.
    package var row: Int
    /// What is wrong, and what is allowed.
    package var reason: String

    package init(row: Int, reason: String) {
        self.row = row
        self.reason = reason
    }

    package var description: String { "row \(row): \(reason)" }
}
