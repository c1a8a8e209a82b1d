import Engine
import Logging
import Model
import Ports

/// Brings a shard to where its LOG stands and keeps it there while another owns it: the newest snapshot, then every commit
/// behind it run again over the inputs, each compared with what was recorded (I4).
///
///     empty --the newest usable snapshot, or nothing--> standing at a commit
///     standing --the next commit comes out as recorded--> standing at that one
///     standing --the next commit, or its input, is trimmed away--> empty
///     standing --the next commit is another brain's--> watching
///     standing --running the next commit again ended workers of this build--> watching
///     watching --a commit that another brain can go on from, and its snapshot is there--> standing at that one
///
/// Only the brain that decided a commit can run it again. While another one's come in, nothing is held but where the log is.
///
/// A planned move, a warm standby and the recovery after a crash are this and nothing else; they differ in who waits for
/// what. Holds a few commits and inputs beside the state itself. Used on the executor of its shard's owner, one call at a
/// time.
final class Follower {
    /// Where it stands: the last commit that was run again.
    struct Standing: Equatable, Sendable {
        var end: LogEnd
        /// What kind of commit that was, who wrote it, when the log took it; nil = the log is empty, or it is a snapshot's.
        var kind: Commit.Kind?
        var owner: String?
        var brain: UInt32?
        var time: Instant?
    }

    let recovery: Recovery
    private let logs: any LogStore
    private var id: ShardID { recovery.id }
    /// Commits that this build is not to run again, with why.
    var refused: [ReplayTrap] = []
    /// Watching because of one of them.
    private(set) var isRefusing = false
    /// The state, and where it stands; nil = empty.
    private(set) var shard: Shard?
    /// Behind commits that only another brain can run again: `standing` says which one's.
    private(set) var isWatching = false
    private(set) var standing = Standing(end: .empty)
    /// The snapshot it began with; nil = the beginning of the logs.
    private(set) var snapshot: SnapshotManifest?
    /// Read from IN and not yet applied, and who reads on behind it.
    private(set) var inputs = InputQueue()
    private var inputReader: (any LogReader)?
    private var commitReader: (any LogReader)?
    private var commits: [LogRecord] = []
    /// The commit that is being run again, and how many of its steps are done: an input that cannot be read now may be
    /// readable later, and the steps before it must not be run twice.
    private var current: (record: LogRecord, stepsDone: Int)?
    private(set) var isClosed = false
    /// Commits that were run again, and the events and wake-ups in them.
    private(set) var replayed: (commits: UInt64, work: UInt64) = (0, 0)
    /// Where it stood when it last found the log trimmed.
    private var trimmedAt: UInt64?

    /// Commits that are asked for at once.
    private static let commitsAtOnce = 4
    /// Messages of IN that are asked for at once.
    private static let inputsAtOnce = 64
    /// Events run again before other shards of the thread have a turn.
    private static let eventsAtOnce: UInt64 = 1024

    init(_ recovery: Recovery) {
        self.recovery = recovery
        logs = recovery.logs
    }

    /// It stands, or watches: where the log is, is known.
    var isUnderWay: Bool { shard != nil || isWatching }

    /// Ends a waiting ``advance()`` with CancellationError. What stands can still be taken.
    func close() {
        isClosed = true
        commitReader?.close()
    }

    /// Goes on after ``close()``.
    func reopen() {
        isClosed = false
        commitReader = nil
        commits = []
    }

    /// Runs one more commit again, or loads a snapshot when empty; waits while the log has no more. Throws what the logs
    /// throw, and a WorkerFault when the log is not what a run of this worker would have written.
    func advance() async throws {
        guard !isClosed else { throw CancellationError() }
        do {
            guard shard != nil || isWatching else { return try await load() }
            if current == nil { current = (try await nextCommit(), 0) }
            guard let record = current?.record else { return }
            try await take(ReadCommit(record))
            current = nil
        } catch let error as LogError {
            guard case .trimmed = error.code else { throw error }
            try forget(because: error)
        }
    }

    /// Hands the state over to who serves it: the shard, what was read further than the commits reach, and the reader
    /// behind that.
    func take() -> (shard: Shard, inputs: InputQueue, reader: (any LogReader)?)? {
        guard let shard else { return nil }
        defer {
            self.shard = nil
            inputs = InputQueue()
            inputReader = nil
        }
        return (shard, inputs, inputReader)
    }

    /// Closes what it reads with. Nothing can be done with it afterwards.
    func end() {
        close()
        inputReader?.close()
    }

    private func load() async throws {
        let loaded = try await recovery.load()
        shard = loaded.shard
        standing = Standing(end: loaded.last)
        snapshot = loaded.snapshot
    }

    private func take(_ read: ReadCommit) async throws {
        let commit = read.commit
        try check(commit, read.sequence)
        if isRefused(commit) && shard != nil {
            watch()
            isRefusing = true
        } else if let shard, commit.brain == recovery.brain, commit.kind != .trusted {
            try await run(commit, shard)
        } else {
            if !isWatching { watch() }
            if commit.kind == .releasePoint || commit.kind == .trusted && commit.brain == recovery.brain {
                try await stand(at: read)
            }
        }
        standing = Standing(
            end: LogEnd(number: commit.number, hash: read.hash, epoch: commit.epoch), kind: commit.kind, owner: commit.owner,
            brain: commit.brain, time: read.time)
    }

    /// From here on only where the log is.
    private func watch() {
        isWatching = true
        shard = nil
        inputReader?.close()
        inputReader = nil
        inputs = InputQueue()
    }

    /// Such a commit has its snapshot, unless that was damaged or is too old to be kept.
    private func stand(at read: ReadCommit) async throws {
        guard let loaded = try await recovery.load(at: read) else { return }
        shard = loaded
        (isWatching, isRefusing) = (false, false)
    }

    /// Running it again ended workers of this build. The commits behind it are watched as if another brain had made them.
    private func isRefused(_ commit: Commit) -> Bool { refused.contains { $0.commit == commit.number } }

    /// Only a newer snapshot helps; standing at the same commit again means that there is none.
    private func forget(because error: LogError) throws {
        guard trimmedAt != standing.end.number else {
            throw WorkerFault("what follows commit \(standing.end.number) is trimmed away, and no snapshot is newer: \(error)")
        }
        trimmedAt = standing.end.number
        commitReader?.close()
        inputReader?.close()
        (commitReader, inputReader) = (nil, nil)
        commits = []
        current = nil
        inputs = InputQueue()
        shard = nil
        (isWatching, isRefusing) = (false, false)
    }

    private func nextCommit() async throws -> LogRecord {
        if commits.isEmpty {
            let reader: any LogReader
            if let commitReader {
                reader = commitReader
            } else {
                reader = try await logs.read(.commits(id), from: (current?.record.sequence ?? standing.end.number) + 1)
                guard !isClosed else {
                    reader.close()
                    throw CancellationError()
                }
                commitReader = reader
            }
            commits = try await reader.next(max: Self.commitsAtOnce).reversed()
        }
        guard !isClosed, let next = commits.popLast() else { throw CancellationError() }
        return next
    }

    // MARK: Running again

    private func run(_ commit: Commit, _ shard: Shard) async throws {
        var events = shard.eventsApplied
        let before = events
        for step in commit.steps.dropFirst(current?.stepsDone ?? 0) {
            try await fetchInputs(of: step, shard)
            try await run(step, shard, commit.number)
            current?.stepsDone += 1
            if shard.eventsApplied - events >= Self.eventsAtOnce {
                events = shard.eventsApplied
                await giveWay()
            }
        }
        shard.follow(commit.kind, commit.takeover, commit.attempt)
        let wakeUps = commit.steps.reduce(0) { $0 + UInt64($1.wakeUps) + UInt64($1.lateWakeUps) }
        replayed = (replayed.commits + 1, replayed.work + shard.eventsApplied - before + wakeUps)
    }

    private func run(_ step: Step, _ shard: Shard, _ commit: UInt64) async throws {
        if step.configuration != shard.rules.set.revision {
            shard.adopt(try await recovery.rules.revision(step.configuration))
        }
        let again = try shard.replay(step, &inputs, commit: commit)
        guard again == step else {
            throw WorkerFault("commit \(commit) does not come out as it was recorded: the state would not be the one decided on")
        }
    }

    /// Reads IN as far as the step did. In event-time mode wake-ups run on a clock record, which must be at hand again even
    /// when the step before ended on it.
    private func fetchInputs(of step: Step, _ shard: Shard) async throws {
        let isBehind = (shard.inputSequence, shard.eventsThrough) < (step.inputSequence, step.eventsThrough)
        let isOnClock = recovery.installation.timeMode == .eventTime && step.wakeUps > 0
        guard isBehind || isOnClock else { return }
        while inputs.lastSequence < step.inputSequence {
            let reader: any LogReader
            if let inputReader {
                reader = inputReader
            } else {
                reader = try await logs.read(.input(id), from: max(shard.inputSequence, 1))
                inputReader = reader
            }
            for input in try await reader.next(max: Self.inputsAtOnce) { inputs.append(input) }
        }
    }

    private func check(_ commit: Commit, _ sequence: UInt64) throws {
        let end = standing.end
        guard commit.number == end.number + 1, sequence == commit.number else {
            throw WorkerFault("commit \(commit.number) stands at \(sequence), behind commit \(end.number)")
        }
        guard commit.previousHash == end.hash else {
            throw WorkerFault("commit \(commit.number) does not follow commit \(end.number): the chain of hashes is broken")
        }
        guard commit.shard == id else { throw WorkerFault("commit \(commit.number) belongs to shard \(commit.shard)") }
    }
}
