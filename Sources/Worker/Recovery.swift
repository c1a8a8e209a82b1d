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
    /// Version of the deciding code here.
    let brain: UInt32
    let clock: any WallClock
    let log: Logger

    /// A shard as it was at a commit of its LOG.
    struct Result {
        let shard: Shard
        let last: LogEnd
        /// The one that it began with; nil = it began at the beginning of the logs.
        let snapshot: SnapshotManifest?
    }

    /// The newest usable snapshot; without one, the shard as it was before the first commit.
    func load() async throws -> Result {
        let began = clock.now()
        let newest = try await logs.state(of: .commits(id)).last
        guard let (snapshot, epoch) = try await usableSnapshot(atMost: newest) else {
            try await requireBeginning()
            return Result(shard: try await makeShard(revision: 0), last: .empty, snapshot: nil)
        }
        return Result(
            shard: try await shard(of: snapshot, since: began),
            last: LogEnd(number: snapshot.head.commit, hash: snapshot.head.commitHash, epoch: epoch), snapshot: snapshot.manifest)
    }

    /// The shard as it was at exactly this commit; nil when no snapshot of it is usable.
    func load(at read: ReadCommit) async throws -> Shard? {
        let began = clock.now()
        guard let (snapshot, _) = try await usableSnapshot(atMost: read.commit.number),
            snapshot.head.commit == read.commit.number
        else { return nil }
        return try await shard(of: snapshot, since: began)
    }

    private func shard(of snapshot: LoadedSnapshot, since began: Instant) async throws -> Shard {
        let shard = try await makeShard(revision: Shard.revision(of: snapshot.parts))
        let loaded = clock.now()
        try shard.restore(snapshot.parts)
        log.info(
            "snapshot loaded",
            metadata: [
                "commit": "\(snapshot.head.commit)", "parts": "\(snapshot.parts.count)", "bytes": "\(snapshot.bytes)",
                "customers": "\(shard.customers)", "readMilliseconds": "\(loaded - began)",
                "restoreMilliseconds": "\(clock.now() - loaded)",
            ])
        return shard
    }

    private func makeShard(revision: UInt64) async throws -> Shard {
        Shard(id: id, installation: installation, rules: try await rules.revision(revision), executor: executor)
    }

    /// The newest snapshot whose commit stands in the log with the same hash; with that commit's epoch.
    private func usableSnapshot(atMost commit: UInt64) async throws -> (LoadedSnapshot, epoch: UInt64)? {
        let log = log
        var bound = commit
        while let snapshot = try await snapshots.load(
            .shard(id), atMost: bound,
            report: { log.error("snapshot passed over", metadata: ["reason": "\($0)"]) })
        {
            let head = snapshot.head
            if let record = try await logs.record(head.commit, of: .commits(id)) {
                let (commit, hash) = try Commit.decoded(record.payload)
                if hash == head.commitHash && head.format == Shard.snapshotFormat { return (snapshot, commit.epoch) }
            }
            log.error(
                "snapshot passed over",
                metadata: [
                    "reason":
                        "commit \(head.commit) is not in the log with its hash, or its form \(head.format) is not known here"
                ])
            guard head.commit > 0 else { return nil }
            bound = head.commit - 1
        }
        return nil
    }

    /// Without a snapshot the logs must go back to their beginning.
    private func requireBeginning() async throws {
        for name in [LogName.commits(id), .input(id)] {
            let first = try await logs.state(of: name).first
            guard first <= 1 else {
                throw WorkerFault("no snapshot can be used, and \(name) begins at \(first): what came before is trimmed")
            }
        }
    }
}
