internal import Foundation
internal import GRDB
internal import Model

/// The sums and the positions they stand for, in SQLite; both change in one transaction or not at all.
///
/// Its work is done on a queue of its own, never on the caller's thread, unless it is opened to work in place. One process
/// at a time: who finds a position moved by another fails.
final class SumsDatabase: Sendable {
    static let schemaVersion = 1

    private let queue: DatabaseQueue
    private let shards: Int
    private let work: CoordinatorRole.DatabaseWork

    /// Opens the database, or makes an empty one. Fails when it belongs to an installation with another number of shards.
    init(path: String, shards: Int, work: CoordinatorRole.DatabaseWork = .onItsQueue) async throws {
        var configuration = Configuration()
        configuration.label = "sums"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        self.shards = shards
        self.work = work
        let settings = configuration
        queue = try await Self.touchingDisk(work) { try DatabaseQueue(path: path, configuration: settings) }
        try await write { db in try Self.prepare(db, path: path, shards: shards) }
    }

    private func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        switch work {
        case .onItsQueue: try await queue.write(body)
        case .inPlace: try Self.inPlace { try queue.write(body) }
        }
    }

    private func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        switch work {
        case .onItsQueue: try await queue.read(body)
        case .inPlace: try Self.inPlace { try queue.read(body) }
        }
    }

    /// Calls it here: inside of this function the database's blocking calls are meant.
    private static func inPlace<Value>(_ body: () throws -> Value) rethrows -> Value { try body() }

    /// Opening and closing touch the disk: not on the caller's thread.
    static func touchingDisk<Value: Sendable>(
        _ work: CoordinatorRole.DatabaseWork, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard work == .onItsQueue else { return try body() }
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }

    private static func prepare(_ db: Database, path: String, shards: Int) throws {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if version == 0 {
            try db.execute(sql: schema)
            try db.execute(sql: "INSERT INTO installation (shards) VALUES (?)", arguments: [shards])
            return
        }
        guard version == schemaVersion else {
            throw SumsProblem(
                .database, nil, "\(path) has version \(version), this program knows \(schemaVersion); remove it to add up anew")
        }
        let found = try Int.fetchOne(db, sql: "SELECT shards FROM installation")
        guard found == shards else {
            throw SumsProblem(.database, nil, "\(path) is of an installation with \(found ?? 0) shards, this one has \(shards)")
        }
    }

    private static let schema = """
        CREATE TABLE installation (shards INTEGER NOT NULL) STRICT;
        CREATE TABLE position (
            shard INTEGER PRIMARY KEY, number INTEGER NOT NULL, hash BLOB NOT NULL, epoch INTEGER NOT NULL) STRICT;
        CREATE TABLE rule_sum (
            rule INTEGER PRIMARY KEY, executions INTEGER NOT NULL, sent INTEGER NOT NULL, recorded INTEGER NOT NULL,
            undeliverable INTEGER NOT NULL, uncertain INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
            conversions INTEGER NOT NULL, sales INTEGER NOT NULL, revenue INTEGER NOT NULL) STRICT;
        CREATE TABLE suppressed (
            rule INTEGER NOT NULL, reason INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (rule, reason)) STRICT;
        CREATE TABLE counter (
            counter INTEGER NOT NULL, rule INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (counter, rule)) STRICT;
        CREATE TABLE credit (
            rule INTEGER NOT NULL, action TEXT NOT NULL, order_id TEXT NOT NULL, customer TEXT NOT NULL,
            revenue INTEGER NOT NULL, sales INTEGER NOT NULL, PRIMARY KEY (rule, action, order_id)) STRICT, WITHOUT ROWID;
        PRAGMA user_version = \(schemaVersion);
        """

    func positions() async throws -> [ShardPosition] {
        try await read { [shards] db in try Self.positions(db, shards: shards) }
    }

    private static func positions(_ db: Database, shards: Int) throws -> [ShardPosition] {
        var positions = Array(repeating: ShardPosition.start, count: shards)
        for row in try Row.fetchAll(db, sql: "SELECT shard, number, hash, epoch FROM position") {
            let shard: Int = row["shard"]
            guard positions.indices.contains(shard) else { continue }
            positions[shard] = ShardPosition(row)
        }
        return positions
    }

    /// Adds what the commits between two positions of a shard bring. Throws when the database is not at `from`.
    func apply(_ sums: Sums, shard: ShardID, from: ShardPosition, to: ShardPosition) async throws {
        try await write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT number, hash, epoch FROM position WHERE shard = ?", arguments: [Int(shard.number)])
            let found = row.map { ShardPosition($0) } ?? .start
            guard found == from else {
                throw SumsProblem(
                    .database, shard,
                    "the sums are at commit \(found.number), not \(from.number): somebody else writes the database")
            }
            try Self.add(sums, to: db)
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO position (shard, number, hash, epoch) VALUES (?, ?, ?, ?)")
                .execute(arguments: [
                    Int(shard.number), Int64(bitPattern: to.number), to.hash.data, Int64(bitPattern: to.epoch),
                ])
        }
    }

    private static func add(_ sums: Sums, to db: Database) throws {
        let rule = try db.cachedStatement(
            sql: """
                INSERT INTO rule_sum VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                executions = executions + excluded.executions, sent = sent + excluded.sent,
                recorded = recorded + excluded.recorded, undeliverable = undeliverable + excluded.undeliverable,
                uncertain = uncertain + excluded.uncertain, withdrawn = withdrawn + excluded.withdrawn,
                conversions = conversions + excluded.conversions, sales = sales + excluded.sales,
                revenue = revenue + excluded.revenue
                """)
        for (id, sums) in sums.rules {
            try rule.execute(arguments: [
                Int64(id.number), sums.executions, sums.sent, sums.recorded, sums.undeliverable, sums.uncertain, sums.withdrawn,
                sums.conversions, sums.sales, sums.revenue,
            ])
        }
        let suppressed = try db.cachedStatement(
            sql: "INSERT INTO suppressed VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount")
        for (key, amount) in sums.suppressed {
            try suppressed.execute(arguments: [Int64(key.rule.number), Int(key.reason.rawValue), amount])
        }
        let counter = try db.cachedStatement(
            sql: "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount")
        for (key, amount) in sums.counters {
            try counter.execute(arguments: [Int(key.counter.rawValue), Int64(key.rule.number), amount])
        }
        let credit = try db.cachedStatement(
            sql: """
                INSERT INTO credit VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET revenue = revenue + excluded.revenue, sales = sales + excluded.sales
                """)
        for (key, sums) in sums.credits {
            try credit.execute(arguments: [
                Int64(key.rule.number), key.action.description, key.order, sums.customer.text, sums.revenue, sums.sales,
            ])
        }
    }

    /// The figures, without the orders behind them.
    func totals() async throws -> Sums {
        try await read { db in
            var totals = Sums()
            for row in try Row.fetchAll(db, sql: "SELECT * FROM rule_sum") {
                totals.rules[RuleID(stored: row["rule"])] = RuleSums(row)
            }
            for row in try Row.fetchAll(db, sql: "SELECT * FROM suppressed") {
                let raw: UInt8 = row["reason"]
                guard let reason = Reason(rawValue: raw) else { throw SumsProblem(.database, nil, "unknown reason \(raw)") }
                totals.suppressed[Sums.Suppression(rule: RuleID(stored: row["rule"]), reason: reason)] = row["amount"]
            }
            for row in try Row.fetchAll(db, sql: "SELECT * FROM counter") {
                let raw: UInt8 = row["counter"]
                guard let counter = Counter(rawValue: raw) else { throw SumsProblem(.database, nil, "unknown counter \(raw)") }
                totals.counters[Sums.CounterKey(counter: counter, rule: RuleID(stored: row["rule"]))] = row["amount"]
            }
            return totals
        }
    }

    /// A rule's orders behind a cursor, by action and order id.
    func orders(of rule: RuleID, after: (action: String, order: String), limit: Int) async throws -> [AttributedOrders.Order] {
        let (action, order) = after
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT action, order_id, customer, revenue, sales FROM credit
                    WHERE rule = ? AND (action, order_id) > (?, ?) ORDER BY action, order_id LIMIT ?
                    """, arguments: [Int64(rule.number), action, order, limit]
            ).map { row in
                AttributedOrders.Order(
                    order: row["order_id"], action: row["action"], customer: row["customer"], revenue: row["revenue"],
                    sales: row["sales"])
            }
        }
    }

    /// Compares every attributed figure with the orders behind it (I10).
    func reconcile() async throws -> Reconciliation {
        try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    WITH per_action AS (
                        SELECT rule, action, sum(revenue) AS revenue, sum(sales) AS sales, count(*) AS orders,
                               sum(sales < 0 OR sales > 1) AS odd
                        FROM credit GROUP BY rule, action),
                    per_rule AS (
                        SELECT rule, sum(revenue) AS revenue, sum(sales) AS sales, sum(sales > 0) AS conversions,
                               sum(orders) AS orders, sum(odd) AS odd
                        FROM per_action GROUP BY rule)
                    SELECT s.rule, s.revenue, s.sales, s.conversions, coalesce(r.revenue, 0) AS order_revenue,
                           coalesce(r.sales, 0) AS order_sales, coalesce(r.conversions, 0) AS order_conversions,
                           coalesce(r.orders, 0) AS orders, coalesce(r.odd, 0) AS odd
                    FROM rule_sum s LEFT JOIN per_rule r ON r.rule = s.rule ORDER BY s.rule
                    """)
            var found = Reconciliation(orders: 0, problems: [])
            for row in rows {
                let rule: Int64 = row["rule"]
                found.orders += row["orders"] as Int64
                for figure in ["revenue", "sales", "conversions"] {
                    let sum: Int64 = row[figure]
                    let ofOrders: Int64 = row["order_" + figure]
                    if sum != ofOrders { found.problems.append("rule \(rule): \(figure) \(sum), its orders give \(ofOrders)") }
                }
                let odd: Int64 = row["odd"]
                if odd > 0 { found.problems.append("rule \(rule): \(odd) orders are counted less than never or more than once") }
            }
            return found
        }
    }

    /// Writes the whole database into another file, as of one moment; returns the positions of that moment.
    func copy(to path: String) async throws -> [ShardPosition] {
        try? FileManager.default.removeItem(atPath: path)
        let body: @Sendable (Database) throws -> [ShardPosition] = { [shards] db in
            let positions = try Self.positions(db, shards: shards)
            try db.execute(sql: "VACUUM INTO ?", arguments: [path])
            return positions
        }
        switch work {
        case .onItsQueue: return try await queue.writeWithoutTransaction(body)
        case .inPlace: return try Self.inPlace { try queue.writeWithoutTransaction(body) }
        }
    }

    /// What SQLite finds wrong with the file; nil = nothing.
    func damage() async throws -> String? {
        try await read { db in
            let found = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            return found == "ok" ? nil : found ?? "no answer"
        }
    }

    func close() async throws {
        let queue = queue
        try await Self.touchingDisk(work) { try queue.close() }
    }
}

extension ShardPosition {
    fileprivate init(_ row: Row) {
        let number: Int64 = row["number"]
        let epoch: Int64 = row["epoch"]
        let hash: Data = row["hash"]
        self.init(number: UInt64(bitPattern: number), hash: UInt128(hash), epoch: UInt64(bitPattern: epoch))
    }
}

extension RuleSums {
    fileprivate init(_ row: Row) {
        self.init(
            executions: row["executions"], sent: row["sent"], recorded: row["recorded"], undeliverable: row["undeliverable"],
            uncertain: row["uncertain"], withdrawn: row["withdrawn"], conversions: row["conversions"], sales: row["sales"],
            revenue: row["revenue"])
    }
}

extension RuleID {
    fileprivate init(stored number: Int64) { self.init(UInt32(truncatingIfNeeded: number)) }
}

extension UInt128 {
    /// Most significant byte first.
    fileprivate var data: Data { Data((0..<16).map { UInt8(truncatingIfNeeded: self >> (120 - 8 * $0)) }) }

    fileprivate init(_ data: Data) { self = data.reduce(0) { $0 << 8 | UInt128($1) } }
}
