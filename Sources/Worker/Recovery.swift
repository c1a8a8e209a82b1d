import Engine
import Logging
import Model
import Ports

/// Finds a shard's newest snapshot that belongs to its LOG, and makes the shard from it. Used on the shard's executor.
struct Recovery {
    let id: ShardID
    let installation: Installation
    let logs: any LogStore
    let snapshots: any SnapshotStore
    let rules: RuleRevisions
    let executor: any SerialExecutor
    let log: Logger

    /// A shard as it was at a commit of its LOG.
    struct Result {
        let shard: Shard
        let last: LogEnd
    }

    /// The newest usable snapshot; without one, the shard as it was before the first commit.
    func load() async throws -> Result {
        let newest = try await logs.state(of: .commits(id)).last
        guard let snapshot = try await usableSnapshot(atMost: newest) else {
            return Result(shard: try await makeShard(revision: 0), last: .empty)
        }
        let shard = try await makeShard(revision: Shard.revision(ofEncoded: snapshot.payload))
        try shard.restore(snapshot.payload)
        let end = LogEnd(number: snapshot.commit, hash: snapshot.commitHash, epoch: try await epoch(at: snapshot.commit))
        return Result(shard: shard, last: end)
    }

    private func makeShard(revision: UInt64) async throws -> Shard {
        Shard(id: id, installation: installation, rules: try await rules.revision(revision), executor: executor)
    }

    /// The newest snapshot whose commit stands in the log with the same hash.
    private func usableSnapshot(atMost commit: UInt64) async throws -> Snapshot? {
        let log = log
        var bound = commit
        while let snapshot = try await snapshots.newest(
            of: .shard(id), atMost: bound,
            report: { log.warning("snapshot passed over", metadata: ["reason": "\($0)"]) })
        {
            if let record = try await logs.record(snapshot.commit, of: .commits(id)),
                try Commit.decoded(record.payload).hash == snapshot.commitHash
            {
                return snapshot
            }
            log.warning("snapshot of a commit that is not in the log", metadata: ["commit": "\(snapshot.commit)"])
            guard snapshot.commit > 0 else { return nil }
            bound = snapshot.commit - 1
        }
        return nil
    }

    private func epoch(at commit: UInt64) async throws -> UInt64 {
        guard let record = try await logs.record(commit, of: .commits(id)) else { return 0 }
        return try Commit.decoded(record.payload).commit.epoch
    }
}
