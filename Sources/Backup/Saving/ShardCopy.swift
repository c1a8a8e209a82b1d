internal import Foundation
internal import Logging
internal import Model
internal import Ports

/// A shard's copy: input, commits, and a snapshot from which these go on.
struct ShardCopy: Sendable {
    let shard: ShardID
    private(set) var input: LogCopy
    private(set) var commits: LogCopy
    private(set) var snapshot: SnapshotCopy?
    private let folder: URL
    private let log: Logger

    init(_ shard: ShardID, folder: URL, log: Logger) {
        self.shard = shard
        self.folder = folder
        self.log = log
        input = LogCopy(.input(shard), folder: folder)
        commits = LogCopy(.commits(shard), folder: folder)
    }

    /// The logs go on from the snapshot, without a change of brain behind it, which nobody could replay through.
    var isSound: Bool {
        guard let snapshot else { return input.first == 1 && commits.first == 1 && commits.chain.brainSince <= 1 }
        return (snapshot.head.need(of: input.name) ?? 1) >= input.first
            && (snapshot.head.need(of: commits.name) ?? 1) >= commits.first
            && snapshot.head.commit >= commits.first && snapshot.head.commit <= commits.last
            && commits.chain.brainSince <= snapshot.head.commit + 1
    }

    /// Copies on what has come since, or begins anew with what is left.
    mutating func pass(_ logs: any LogStore, _ snapshots: any SnapshotStore) async throws {
        for _ in 0..<LogCopy.triesMax {
            do {
                try await extend(logs)
                // Behind the logs: what it needs of them is there now, so it is in the copies.
                if snapshot == nil || !isSound { try await takeSnapshot(logs, snapshots) }
                return
            } catch is LogCopy.Trimmed {
                log.info("Trimmed faster than it was copied; the shard is begun anew", metadata: ["shard": "\(shard)"])
                try await input.restart(logs)
                try await commits.restart(logs)
                snapshot = nil
            }
        }
        // The next pass tries again; as it is now it is not sound.
    }

    private mutating func extend(_ logs: any LogStore) async throws {
        try await input.extend(logs)
        try await commits.extend(logs)
    }

    private mutating func takeSnapshot(_ logs: any LogStore, _ snapshots: any SnapshotStore) async throws {
        let name = commits.name
        snapshot = try await SnapshotCopy.make(.shard(shard), folder: folder, snapshots, log: log) { head in
            // One that was made ahead of its commit, which never came, is worth nothing.
            guard let record = try await logs.record(head.commit, of: name) else { return false }
            return try Commit.decoded(record.payload).hash == head.commitHash
        }
    }

    /// Copies up to the cut. Throws ``LogCopy/Trimmed`` when it came too late.
    mutating func finish(_ cut: Cut, _ logs: any LogStore) async throws {
        let index = Int(shard.number)
        try await input.extend(to: cut.inputs[index], logs)
        try await commits.extend(to: cut.commits[index], logs)
    }

    var position: BackupManifest.Position {
        let hash = commits.chain.hash
        return .init(
            shard: Int(shard.number), input: input.last, commit: commits.last,
            commitHash: String(hash, radix: 16), brain: commits.chain.brain)
    }
}
