internal import Foundation
internal import GRDB
internal import Model

/// One shard's history in SQLite: rows and the position that they stand for, changed in one transaction or not at all.
///
/// Its work is done on a queue of its own, never on the caller's thread. One process at a time: who finds the position moved
/// by another fails.
final class HistoryDatabase: Sendable {
    static let schemaVersion = 1

    let shard: ShardID
    private let queue: DatabaseQueue

    /// Opens the file, or makes an empty one. Fails when it is another shard's or another installation's.
    init(path: String, shard: ShardID, shards: Int) async throws {
        var configuration = Configuration()
        configuration.label = "history-\(shard)"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        self.shard = shard
        let settings = configuration
        queue = try await Self.touchingDisk { try DatabaseQueue(path: path, configuration: settings) }
        try await queue.write { db in try Self.prepare(db, path: path, shard: shard, shards: shards) }
    }

    /// Opening and closing touch the disk: not on the caller's thread.
    private static func touchingDisk<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }

    private static func prepare(_ db: Database, path: String, shard: ShardID, shards: Int) throws {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if version == 0 {
            try db.execute(sql: schema)
            try db.execute(sql: "INSERT INTO store VALUES (?, ?)", arguments: [Int(shard.number), shards])
            return
        }
        guard version == schemaVersion else {
            throw HistoryProblem("\(path) has version \(version), this program knows \(schemaVersion); remove it to fold anew")
        }
        let found = try Row.fetchOne(db, sql: "SELECT shard, shards FROM store")
        let (ofShard, ofShards): (Int?, Int?) = (found?["shard"], found?["shards"])
        guard ofShard == Int(shard.number), ofShards == shards else {
            throw HistoryProblem(
                "\(path) is of shard \(ofShard ?? -1) of \(ofShards ?? 0), shard \(shard) of \(shards) was expected")
        }
    }

    private static let schema = """
        CREATE TABLE store (shard INTEGER NOT NULL, shards INTEGER NOT NULL) STRICT;
        CREATE TABLE position (
            one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash BLOB NOT NULL, epoch INTEGER NOT NULL,
            input INTEGER NOT NULL, through INTEGER NOT NULL, clock INTEGER NOT NULL) STRICT;
        CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL,
            order_id TEXT NOT NULL, amount INTEGER, products TEXT NOT NULL, text TEXT NOT NULL, note TEXT NOT NULL,
            message BLOB UNIQUE) STRICT;
        CREATE INDEX event_of ON event (customer, time, id);
        CREATE INDEX event_at ON event (time);
        CREATE TABLE decision (
            id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, time INTEGER NOT NULL, kind INTEGER NOT NULL,
            rule INTEGER NOT NULL, action TEXT NOT NULL, reason INTEGER NOT NULL, outcome INTEGER, channel INTEGER,
            order_id TEXT NOT NULL, revenue INTEGER NOT NULL, sales INTEGER NOT NULL, conversions INTEGER NOT NULL,
            until INTEGER, text TEXT NOT NULL) STRICT;
        CREATE INDEX decision_of ON decision (customer, time, id);
        CREATE INDEX decision_by ON decision (rule, kind, id);
        CREATE INDEX decision_at ON decision (time);
        CREATE TABLE mark (customer TEXT PRIMARY KEY, leads_to TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE merged (customer TEXT PRIMARY KEY, survivor TEXT NOT NULL, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX merged_into ON merged (survivor, customer);
        CREATE TABLE gap (log TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (log, first)) STRICT;
        PRAGMA user_version = \(schemaVersion);
        """

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await queue.read(body)
    }

    func position() async throws -> HistoryPosition { try await queue.read { db in try Self.position(db) } }

    static func position(_ db: Database) throws -> HistoryPosition {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM position") else { return .start }
        let (number, epoch, input): (Int64, Int64, Int64) = (row["number"], row["epoch"], row["input"])
        let hash: Data = row["hash"]
        return HistoryPosition(
            number: UInt64(bitPattern: number), hash: Halves(UInt128(stored: hash)), epoch: UInt64(bitPattern: epoch),
            input: UInt64(bitPattern: input), through: row["through"], clock: Instant(milliseconds: row["clock"]))
    }

    /// Adds what lies between two positions, and drops some of what is older than `since`. Throws when the store is not at
    /// `from`.
    func apply(
        _ rows: [HistoryRow], gaps: [HistoryGap], from: HistoryPosition, to: HistoryPosition, dropping since: Instant
    ) async throws {
        let shard = shard
        try await queue.write { db in
            let found = try Self.position(db)
            guard found == from else {
                throw HistoryProblem(
                    "the history of shard \(shard) is at commit \(found.number), not \(from.number): somebody else writes it")
            }
            var writer = try RowWriter(db)
            for row in rows { try writer.write(row) }
            for gap in gaps {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO gap VALUES (?, ?, ?)",
                    arguments: [gap.log, Int64(bitPattern: gap.first), Int64(bitPattern: gap.last)])
            }
            for table in ["event", "decision"] {
                try db.execute(
                    sql: "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE time < ? ORDER BY time, id LIMIT ?)",
                    arguments: [since.milliseconds, Limits.historyRowsDroppedAtOnce])
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    Int64(bitPattern: to.number), to.hash.value.stored, Int64(bitPattern: to.epoch),
                    Int64(bitPattern: to.input), to.through, to.clock.milliseconds,
                ])
        }
    }

    func close() async throws {
        let queue = queue
        try await Self.touchingDisk { try queue.close() }
    }
}

extension UInt128 {
    /// Most significant byte first.
    var stored: Data { Data((0..<16).map { UInt8(truncatingIfNeeded: self >> (120 - 8 * $0)) }) }

    init(stored data: Data) { self = data.reduce(0) { $0 << 8 | UInt128($1) } }
}
