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
    }

    /// Replays up to and including the commit `last`; nil = an empty log.
    func run(upTo last: ReadCommit?, isolation: isolated (any Actor)? = #isolation) async throws -> Result {
        guard let last else {
            return Result(shard: try await makeShard(revision: 0), last: .empty)
        }
        var position = LogEnd.empty
        let shard: Shard
        if let snapshot = try await usableSnapshot(atMost: last.commit.number) {
            shard = try await makeShard(revision: Shard.revision(ofEncoded: snapshot.payload))
            try shard.restore(snapshot.payload)
            position = LogEnd(
                number: snapshot.commit, hash: snapshot.commitHash, epoch: try await epoch(at: snapshot.commit))
        } else {
            shard = try await makeShard(revision: 0)
        }
        try await replay(shard, &position, through: last.commit.number)
        guard position.hash == last.hash else {
            throw WorkerFault("commit \(position.number) has another hash than the log's last")
        }
        return Result(shard: shard, last: position)
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
                shard.follow(commit.kind, commit.takeover, commit.attempt)
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
