internal import Foundation
package import Model
package import Ports

/// What a backup consists of. Written last: a folder without it is no backup.
package struct BackupManifest: Codable, Equatable, Sendable {
    package static let currentVersion = 1
    package static let fileName = "manifest.json"

    /// Where a shard stands.
    package struct Position: Codable, Equatable, Sendable {
        package var shard: Int
        /// Last record of its input, and last commit with its hash.
        package var input: UInt64
        package var commit: UInt64
        package var commitHash: String
        /// Of the deciding code that can go on from here.
        package var brain: UInt32
    }

    /// A log: its records from the first to the last, without gaps; last + 1 == first when there is none.
    package struct Log: Codable, Equatable, Sendable {
        package var file: FrameFile
        package var first: UInt64
        package var last: UInt64
        package var bytesMax: UInt64?
    }

    package struct Snapshot: Codable, Equatable, Sendable {
        package var file: FrameFile
        package var commit: UInt64
    }

    package var version = Self.currentVersion
    /// Random: names this backup.
    package var id: String
    /// When it was finished, by the clock of whoever made it.
    package var timeMilliseconds: Int64
    package var prefix: String
    package var shards: Int
    package var isEventTime: Bool
    package var replicas: Int
    package var positions: [Position]
    /// By shard number.
    package var inputs: [Log]
    package var commits: [Log]
    package var configuration: Log
    package var coordinator: Log
    package var deadLetters: Log
    /// By shard number; nil = its logs go back to their beginning.
    package var snapshots: [Snapshot?]
    package var sums: Snapshot?
    /// Of all before, as it stands in the file with this empty.
    package var checksum = ""

    package var installation: Installation? {
        ShardMap(shards: shards).map {
            Installation(shards: $0, timeMode: isEventTime ? .eventTime : .live, replicas: replicas)
        }
    }

    /// Every log with its name, in the order in which they are put back.
    package var logs: [(name: LogName, log: Log)] {
        let shardLogs = (0..<shards).flatMap { index -> [(LogName, Log)] in
            [(.input(ShardID(index: index)), inputs[index]), (.commits(ShardID(index: index)), commits[index])]
        }
        return [(.configuration, configuration), (.coordinator, coordinator), (.deadLetters, deadLetters)] + shardLogs
    }

    package var allSnapshots: [(subject: SnapshotSubject, snapshot: Snapshot)] {
        let shards = snapshots.enumerated().compactMap { index, snapshot in
            snapshot.map { (SnapshotSubject.shard(ShardID(index: index)), $0) }
        }
        return shards + (sums.map { [(.coordinator, $0)] } ?? [])
    }

    package var files: [FrameFile] { logs.map(\.log.file) + allSnapshots.map(\.snapshot.file) }
    package var bytes: UInt64 { files.reduce(0) { $0 + $1.bytes } }
}

extension BackupManifest {
    private func form() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    private func sealed() throws -> BackupManifest {
        var sealed = self
        sealed.checksum = ""
        sealed.checksum = String(Hashing.hash64(Array(try sealed.form())), radix: 16)
        return sealed
    }

    /// Appears in the folder whole, or not at all.
    func write(to folder: URL) throws {
        let url = folder.appendingPathComponent(Self.fileName)
        let part = folder.appendingPathComponent(Self.fileName + ".part")
        try sealed().form().write(to: part)
        let handle = try FileHandle(forUpdating: part)
        try handle.synchronize()
        try handle.close()
        try FileManager.default.moveItem(at: part, to: url)
    }

    private struct Version: Decodable {
        var version: Int
    }

    /// Reads it and checks that it is whole and that its lists agree; the files are not looked at.
    static func read(from folder: URL) throws -> BackupManifest {
        let url = folder.appendingPathComponent(fileName)
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw BackupError("\(folder.path) holds no \(fileName): it is no backup, or one that was not finished")
        }
        let manifest: BackupManifest
        do {
            let version = try JSONDecoder().decode(Version.self, from: data).version
            guard version == currentVersion else {
                throw UnknownVersion(of: "a backup", found: version, known: currentVersion)
            }
            manifest = try JSONDecoder().decode(BackupManifest.self, from: data)
        } catch let unknown as UnknownVersion {
            throw BackupError(unknown.description)
        } catch {
            throw BackupError("\(url.path) is damaged: \(error)")
        }
        guard try manifest.sealed() == manifest else { throw BackupError("\(url.path) is damaged: its checksum is another") }
        let count = manifest.shards
        guard manifest.installation != nil,
            [manifest.inputs.count, manifest.commits.count, manifest.snapshots.count, manifest.positions.count]
                .allSatisfy({ $0 == count })
        else { throw BackupError("\(url.path) does not list every one of its \(count) shards") }
        return manifest
    }
}
