internal import GRDB
internal import Model

/// A row with its place in a list over several stores.
struct Placed<Value: Sendable>: Sendable {
    var time: Int64
    var shard: UInt16
    var id: Int64
    var value: Value
}

/// Where a page begins: behind the row at this place, newest first.
struct PageCursor: Equatable, Sendable {
    var time: Int64
    var shard: UInt16
    var id: Int64

    static let newest = PageCursor(time: .max, shard: .max, id: .max)

    init(time: Int64, shard: UInt16, id: Int64) {
        self.time = time
        self.shard = shard
        self.id = id
    }

    /// Nil when it is none.
    init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let time = Int64(parts[0]), let shard = UInt16(parts[1]), let id = Int64(parts[2]) else {
            return nil
        }
        self.init(time: time, shard: shard, id: id)
    }

    var text: String { "\(time)/\(shard)/\(id)" }
}

extension HistoryDatabase {
    /// Where the key leads; nil = it is no mark.
    func leadsTo(_ customer: String) async throws -> String? {
        try await read { db in
            try String.fetchOne(db, sql: "SELECT leads_to FROM mark WHERE customer = ?", arguments: [customer])
        }
    }

    /// Who was merged into the customer, which is of this shard.
    func merged(into customer: String) async throws -> [String] {
        try await read { db in
            try String.fetchAll(
                db, sql: "SELECT customer FROM merged WHERE survivor = ? ORDER BY customer LIMIT ?",
                arguments: [customer, Limits.historyKeysMax])
        }
    }

    func gaps() async throws -> [HistoryGap] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM gap ORDER BY log, first").map { row in
                let (first, last): (Int64, Int64) = (row["first"], row["last"])
                return HistoryGap(log: row["log"], first: UInt64(bitPattern: first), last: UInt64(bitPattern: last))
            }
        }
    }

    func timeline(
        of customer: String, since: Instant, behind cursor: PageCursor, limit: Int
    ) async throws -> [Placed<TimelinePage.Row>] {
        let shard = shard
        return try await rows("event", of: customer, since: since, behind: cursor, limit: limit) { row in
            Placed(
                time: row["time"], shard: shard.number, id: row["id"],
                value: TimelinePage.Row(
                    customer: row["customer"], timeMilliseconds: row["time"], kind: row["kind"], order: row["order_id"],
                    amount: row["amount"], products: row["products"], text: row["text"], note: row["note"]))
        }
    }

    func decisions(
        of customer: String, since: Instant, behind cursor: PageCursor, limit: Int
    ) async throws -> [Placed<DecisionsPage.Row>] {
        let shard = shard
        return try await rows("decision", of: customer, since: since, behind: cursor, limit: limit) { row in
            Placed(time: row["time"], shard: shard.number, id: row["id"], value: try DecisionsPage.Row(row))
        }
    }

    private func rows<Value: Sendable>(
        _ table: String, of customer: String, since: Instant, behind cursor: PageCursor, limit: Int,
        _ take: @escaping @Sendable (Row) throws -> Placed<Value>
    ) async throws -> [Placed<Value>] {
        let shard = shard.number
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM \(table) WHERE customer = ?1 AND time >= ?2
                    AND (time < ?3 OR (time = ?3 AND (?4 < ?5 OR (?4 = ?5 AND id < ?6)))) ORDER BY time DESC, id DESC LIMIT ?7
                    """,
                arguments: [
                    customer, since.milliseconds, cursor.time, Int(shard), Int(cursor.shard), cursor.id, limit,
                ]
            ).map(take)
        }
    }

    /// The list behind a figure: so many rows behind the id, and what all of it comes to.
    func drill(
        _ request: DrillRequest, since: Instant, behind id: Int64, limit: Int
    ) async throws -> (total: Int64, count: Int64, rows: [Placed<DecisionsPage.Row>]) {
        let shard = shard
        let (condition, amount) = request.figure.sql
        let from = max(since.milliseconds, request.fromMilliseconds ?? .min)
        let where_ = "FROM decision WHERE rule IN (SELECT value FROM json_each(?1)) AND \(condition) AND time >= ?2 AND time < ?3"
        let arguments: StatementArguments = [
            "[\(request.rules.map(String.init).joined(separator: ","))]", from, request.toMilliseconds ?? .max,
        ]
        return try await read { db in
            let sums = try Row.fetchOne(
                db, sql: "SELECT coalesce(sum(\(amount)), 0) AS total, count(*) AS count \(where_)", arguments: arguments)
            let rows = try Row.fetchAll(
                db, sql: "SELECT * \(where_) AND id > ?4 ORDER BY id LIMIT ?5", arguments: arguments + [id, limit])
            return (
                sums?["total"] ?? 0, sums?["count"] ?? 0,
                try rows.map {
                    Placed(time: $0["time"], shard: shard.number, id: $0["id"], value: try DecisionsPage.Row($0))
                }
            )
        }
    }
}

extension HistoryFigure {
    /// Which decisions it counts, and what each adds to it: as the coordinator's sums do.
    fileprivate var sql: (condition: String, amount: String) {
        func closed(_ outcome: Outcome) -> (String, String) {
            ("kind = \(HistoryDecision.Kind.closed.rawValue) AND outcome = \(outcome.rawValue)", "1")
        }
        func attributed(_ column: String) -> (String, String) {
            ("kind = \(HistoryDecision.Kind.attributed.rawValue) AND \(column) <> 0", column)
        }
        switch self {
        case .executions: return ("kind = \(HistoryDecision.Kind.opened.rawValue)", "1")
        case .suppressed: return ("kind = \(HistoryDecision.Kind.suppressed.rawValue)", "1")
        case .sent: return closed(.sent)
        case .recorded: return closed(.recorded)
        case .undeliverable: return closed(.undeliverable)
        case .uncertain: return closed(.uncertain)
        case .withdrawn: return closed(.withdrawn)
        case .conversions: return attributed("conversions")
        case .sales: return attributed("sales")
        case .revenue: return attributed("revenue")
        }
    }
}

extension DecisionsPage.Row {
    fileprivate init(_ row: Row) throws {
        let (kind, reason): (UInt8, UInt8) = (row["kind"], row["reason"])
        let (outcome, channel): (UInt8?, UInt8?) = (row["outcome"], row["channel"])
        guard let kind = HistoryDecision.Kind(rawValue: kind), let reason = Reason(rawValue: reason) else {
            throw HistoryProblem("a decision of kind \(kind) with reason \(reason) is not known here")
        }
        let rule: Int64 = row["rule"]
        self.init(
            customer: row["customer"], timeMilliseconds: row["time"], kind: kind.phrase,
            rule: UInt32(truncatingIfNeeded: rule), action: row["action"], reason: reason.text,
            outcome: outcome.flatMap(Outcome.init(rawValue:))?.name, channel: channel.flatMap(Channel.init(rawValue:))?.name,
            order: row["order_id"], revenue: row["revenue"], sales: row["sales"], conversions: row["conversions"],
            untilMilliseconds: row["until"], text: row["text"])
    }
}

extension HistoryDecision.Kind {
    fileprivate var phrase: String {
        switch self {
        case .opened: "opened"
        case .suppressed: "suppressed"
        case .postponed: "postponed"
        case .permitGranted: "permit granted"
        case .permitDenied: "permit denied"
        case .closed: "closed"
        case .attributed: "attributed"
        case .moved: "moved"
        }
    }
}
