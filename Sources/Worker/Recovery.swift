import Engine
import Logging
import Model
import Ports

/// Brings a shard to where its LOG ends: the newest snapshot, then every commit behind it run again over the inputs, each
/// compared with what was recorded (I4).
///
/// Used on the shard's executor by its owner, before it serves.
struct Recovery {
    let id: ShardID
    let installation: Installation
    let logs: any LogStore
    let snapshots: any SnapshotStore
    let rules: RuleRevisions
    let executor: ThreadExecutor
    let log: Logger

    /// What recovery leaves: the shard, where its log ends, and inputs that were read further than the commits reach.
    struct Result {
        let shard: Shard
        let last: LogEnd
        /// The one that it began with; nil = it began at the beginning of the logs.
        let snapshot: SnapshotManifest?
    }

    /// Replays up to and including the commit `last`; nil = an empty log.
    func run(upTo last: ReadCommit?, isolation: isolated (any Actor)? = #isolation) async throws -> Result {
        guard let last else {
            return Result(shard: try await makeShard(revision: 0), last: .empty, snapshot: nil)
        }
        let loaded = try await load(atMost: last.commit.number)
        let shard = loaded.shard
        var position = loaded.last
        try await replay(shard, &position, through: last.commit.number)
        guard position.hash == last.hash else {
            throw WorkerFault("commit \(position.number) has another hash than the log's last")
        }
        return Result(shard: shard, last: position, snapshot: loaded.snapshot)
    }

    private func makeShard(revision: UInt64) async throws -> Shard {
        Shard(id: id, installation: installation, rules: try await rules.revision(revision), executor: executor)
    }

    /// The state of the newest usable snapshot, without what the log holds behind it; a new shard when there is none.
    func load(atMost commit: UInt64, isolation: isolated (any Actor)? = #isolation) async throws -> Result {
        guard let (snapshot, epoch) = try await usableSnapshot(atMost: commit) else {
            try await requireBeginning()
            return Result(shard: try await makeShard(revision: 0), last: .empty, snapshot: nil)
        }
        let shard = try await makeShard(revision: Shard.revision(of: snapshot.parts))
        try shard.restore(snapshot.parts)
        return Result(
            shard: shard, last: LogEnd(number: snapshot.head.commit, hash: snapshot.head.commitHash, epoch: epoch),
            snapshot: snapshot.manifest)
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

    private func replay(
        _ shard: Shard, _ position: inout LogEnd, through end: UInt64
    ) async throws {
        guard position.number < end else { return }
        let commits = try await logs.read(.commits(id), from: position.number + 1)
        defer { commits.close() }
        let inputReader = try await logs.read(.input(id), from: max(shard.inputSequence, 1))
        defer { inputReader.close() }
        var inputs = InputQueue()
        while position.number < end {
            for record in try await commits.next(max: 64) where position.number < end {
                let read = try ReadCommit(record)
                let commit = read.commit
                try check(commit, record, position)
                for step in commit.steps {
                    while inputs.lastSequence < step.inputSequence && shard.inputSequence < step.inputSequence {
                        for input in try await inputReader.next(max: 256) { inputs.append(input) }
                    }
                    try await replay(step, shard, &inputs, commit.number)
                }
                position = LogEnd(number: commit.number, hash: read.hash, epoch: commit.epoch)
            }
        }
    }

    private func replay(_ step: Step, _ shard: Shard, _ inputs: inout InputQueue, _ commit: UInt64) async throws {
        if step.configuration != shard.rules.set.revision { shard.adopt(try await rules.revision(step.configuration)) }
        let again = try shard.replay(step, &inputs)
        guard again == step else {
            throw WorkerFault("commit \(commit) does not come out as it was recorded: the state would not be the one decided on")
        }
    }

    private func check(
        _ commit: Commit, _ record: LogRecord, _ position: LogEnd
    ) throws {
        guard commit.number == position.number + 1, record.sequence == commit.number else {
            throw WorkerFault("commit \(commit.number) stands at \(record.sequence), behind commit \(position.number)")
        }
        guard commit.previousHash == position.hash else {
            throw WorkerFault("commit \(commit.number) does not follow commit \(position.number): the chain of hashes is broken")
        }
        guard commit.brain == brainVersion else {
            throw WorkerFault("commit \(commit.number) was decided by brain \(commit.brain), this worker has \(brainVersion)")
        }
        guard commit.shard == id else { throw WorkerFault("commit \(commit.number) belongs to shard \(commit.shard)") }
    }
}
