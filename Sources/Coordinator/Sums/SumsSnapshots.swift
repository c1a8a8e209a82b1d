internal import Foundation
internal import Logging
internal import Model
internal import Ports

/// Snapshots of the sums' database: one consistent file, in chunks. With them LOG can be trimmed, and a coordinator on a
/// new host goes on from the newest one instead of adding up from the first commit.
struct SumsSnapshots: Sendable {
    let store: any SnapshotStore
    let logs: any LogStore
    let clock: any WallClock
    let shards: Int
    let work: CoordinatorRole.DatabaseWork
    let log: Logger

    // MARK: Writing

    /// Writes the database as it is now. It takes no commits while its file is copied on disk, and goes on while the copy
    /// is written.
    func write(_ database: SumsDatabase, beside path: String) async throws {
        let copy = path + ".snapshot"
        let positions = try await database.copy(to: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let needs = positions.enumerated().map { shard, position in
            LogNeed(.commits(ShardID(index: shard)), from: max(position.number, 1))
        }
        let head = SnapshotHead(
            commit: positions.reduce(0) { $0 + $1.number }, commitHash: positions.combinedHash,
            format: UInt8(SumsDatabase.schemaVersion), time: clock.now(), needs: needs)
        guard head.commit > 0 else { return }
        let writer = try await store.write(head, of: .coordinator, upon: nil)
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: copy))
        defer { try? file.close() }
        var bytes = 0
        while let chunk = try await SumsDatabase.touchingDisk(work, { try file.read(upToCount: Limits.snapshotChunkBytes) }),
            !chunk.isEmpty
        {
            try await writer.append(Array(chunk))
            bytes += chunk.count
        }
        _ = try await writer.finish()
        log.info("snapshot of the sums written", metadata: ["commits": "\(head.commit)", "bytes": "\(bytes)"])
    }

    // MARK: Loading

    /// Sees to it that the logs go on from the database at `path`: when it is missing, or when they begin behind it, the
    /// newest usable snapshot takes its place. Without one everything stays as it is.
    func prepare(_ path: String) async throws {
        guard let reason = try await whyUseless(path) else { return }
        var bound = UInt64.max
        while let loaded = try await store.load(
            .coordinator, atMost: bound,
            report: { log.error("snapshot of the sums passed over", metadata: ["reason": "\($0)"]) })
        {
            if let problem = try await place(loaded, at: path) {
                log.error(
                    "snapshot of the sums passed over",
                    metadata: ["commits": "\(loaded.head.commit)", "reason": "\(problem)"])
                guard loaded.head.commit > 0 else { return }
                bound = loaded.head.commit - 1
            } else {
                log.notice(
                    "the sums go on from a snapshot", metadata: ["commits": "\(loaded.head.commit)", "because": "\(reason)"])
                return
            }
        }
    }

    /// Whether a kept snapshot goes on where a shard's log begins.
    func reaches(_ shard: ShardID, first: UInt64) async throws -> Bool {
        try await store.kept(of: .coordinator).contains { ($0.head.need(of: .commits(shard)) ?? 0) + 1 >= first }
    }

    private func whyUseless(_ path: String) async throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return "there is no database yet" }
        let database = try await SumsDatabase(path: path, shards: shards, work: work)
        let positions = try await database.positions()
        try await database.close()
        for (shard, position) in positions.enumerated() {
            let name = LogName.commits(ShardID(index: shard))
            let first = try await logs.state(of: name).first
            if first > position.number + 1 { return "\(name) begins at \(first), the database has \(position.number) of it" }
        }
        return nil
    }

    /// Puts a snapshot's file where the database belongs; returns what is wrong with it instead.
    private func place(_ loaded: LoadedSnapshot, at path: String) async throws -> String? {
        guard loaded.head.format == UInt8(SumsDatabase.schemaVersion) else {
            return "its form \(loaded.head.format) is not known here"
        }
        let file = path + ".loading"
        Self.remove(file)
        defer { Self.remove(file) }
        let chunks = loaded.parts.flatMap { $0 }
        try await SumsDatabase.touchingDisk(work) { try Data(chunks.joined()).write(to: URL(fileURLWithPath: file)) }
        do {
            let database = try await SumsDatabase(path: file, shards: shards, work: work)
            let positions = try await database.positions()
            let damage = try await database.damage()
            try await database.close()
            if let damage { return damage }
            guard positions.combinedHash == loaded.head.commitHash else { return "it does not stand where its manifest says" }
        } catch let problem as SumsProblem {
            return problem.description
        }
        try await SumsDatabase.touchingDisk(work) {
            Self.remove(path)
            try FileManager.default.moveItem(atPath: file, toPath: path)
        }
        return nil
    }

    /// A database and what SQLite keeps beside it.
    private static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
            try? FileManager.default.removeItem(atPath: path + suffix)
        }
    }
}

extension [ShardPosition] {
    /// Stands for where all shards are.
    var combinedHash: UInt128 {
        var writer = ByteWriter(reserving: count * 32)
        for position in self {
            writer.fixed(position.number)
            writer.fixed(position.hash)
        }
        return Hashing.hash128(writer.bytes)
    }
}
