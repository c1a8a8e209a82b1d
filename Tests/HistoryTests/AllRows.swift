import GRDB

@testable import History

extension HistoryDatabase {
    /// Every table's rows in order, as text.
    func allRows() async throws -> [String] {
        try await read { db in
            try ["position", "event", "decision", "mark", "merged", "gap"].flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table) ORDER BY 1, 2").map { "\(table) \($0.description)" }
            }
        }
    }
}
