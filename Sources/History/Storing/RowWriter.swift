internal import GRDB
internal import Model

/// Writes rows within a transaction.
struct RowWriter {
    private let event: Statement
    private let replayed: Statement
    private let decision: Statement
    private let mark: Statement
    private let merged: Statement

    init(_ db: Database) throws {
        let columns = "event (customer, time, kind, order_id, amount, products, text, note, message)"
        let values = "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        // A message id that is known already: the event is a repeat, which changed nothing.
        event = try db.cachedStatement(sql: "INSERT INTO \(columns) \(values) ON CONFLICT (message) DO NOTHING")
        replayed = try db.cachedStatement(
            sql: "INSERT INTO \(columns) \(values) ON CONFLICT (message) DO UPDATE SET note = excluded.note")
        decision = try db.cachedStatement(
            sql: """
                INSERT INTO decision (customer, time, kind, rule, action, reason, outcome, channel, order_id, revenue, sales,
                    conversions, until, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        mark = try db.cachedStatement(sql: "INSERT OR REPLACE INTO mark VALUES (?, ?)")
        merged = try db.cachedStatement(sql: "INSERT OR REPLACE INTO merged VALUES (?, ?, ?)")
    }

    mutating func write(_ row: HistoryRow) throws {
        switch row {
        case .event(let row):
            try (row.isReplay ? replayed : event).execute(arguments: [
                row.customer.text, row.time.milliseconds, row.kind, row.orderID, row.amount, row.products, row.text, row.note,
                row.message.value == 0 ? nil : row.message.value.stored,
            ])
        case .passedOn(let message, let time):
            guard message.value != 0 else { return }
            // Of nobody: it stands for its message id alone.
            try event.execute(arguments: ["", time.milliseconds, "passed on", "", nil, "", "", "", message.value.stored])
        case .decision(let row):
            try decision.execute(arguments: [
                row.customer.text, row.time.milliseconds, Int(row.kind.rawValue), Int64(row.rule.number),
                row.action.description, Int(row.reason.rawValue), row.outcome.map { Int($0.rawValue) },
                row.channel.map { Int($0.rawValue) }, row.orderID, row.revenue, row.sales, row.conversions,
                row.until?.milliseconds, row.text,
            ])
        case .mark(let customer, let leadsTo): try mark.execute(arguments: [customer.text, leadsTo.text])
        case .merged(let other, let survivor, let time):
            try merged.execute(arguments: [other.text, survivor.text, time.milliseconds])
        }
    }
}
