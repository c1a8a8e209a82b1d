internal import Logging
internal import Model
internal import Ports
internal import Synchronization

/// Follows one shard's LOG, and IN as far as LOG says, into its store. Any thread may ask how far it is.
///
///     reading --a record that is no commit, or not the next--> stopped (said in every answer; the other shards go on)
///     reading --LOG begins behind the position--> the gap is noted in the store; reading, from the first record that is left
///     reading --IN begins behind the position--> the gap is noted; the commits' decisions are folded without those inputs
///     reading --the log does not answer--> reading again, a little later
final class ShardHistory: Sendable {
    let database: HistoryDatabase
    private let logs: any LogStore
    private let clock: any WallClock
    private let log: Logger
    private let isLive: Bool
    private let keptMilliseconds: Int64
    private let state: Mutex<(position: HistoryPosition, problem: String?)>

    private static let retryMilliseconds: Int64 = 500

    init(
        _ database: HistoryDatabase, logs: any LogStore, clock: any WallClock, log: Logger, isLive: Bool, keptMilliseconds: Int64
    ) async throws {
        self.database = database
        self.logs = logs
        self.clock = clock
        self.log = log
        self.isLive = isLive
        self.keptMilliseconds = keptMilliseconds
        state = Mutex((try await database.position(), nil))
    }

    var shard: ShardID { database.shard }
    /// What the store contains.
    var position: HistoryPosition { state.withLock { $0.position } }
    /// Why it does not go on; nil = it does.
    var problem: String? { state.withLock { $0.problem } }
    /// Nothing older is answered.
    var since: Instant { position.clock + (-keptMilliseconds) }

    /// Until the task is cancelled, or the store fails: then it throws. When the log is damaged it says so and returns.
    func run() async throws {
        while true {
            try Task.checkCancellation()
            do {
                try await fold()
            } catch let problem as HistoryProblem {
                state.withLock { $0.problem = problem.description }
                return log.critical(
                    "the history of a shard stops", metadata: ["shard": "\(shard)", "problem": "\(problem.description)"])
            } catch let error as LogError {
                if case .trimmed(let first) = error.code, first > position.number + 1 {
                    try await skip(to: first)
                    continue
                }
                if case .gap(let expected, let found) = error.code {
                    let what = "record \(expected) is missing, the next is \(found): \(error.message)"
                    state.withLock { $0.problem = what }
                    return log.critical("the history of a shard stops", metadata: ["shard": "\(shard)", "problem": "\(what)"])
                }
                log.warning("a shard's logs cannot be folded now", metadata: ["shard": "\(shard)", "error": "\(error)"])
                try await clock.sleep(until: clock.now() + Self.retryMilliseconds)
            }
        }
    }

    /// Goes on behind commits that are gone.
    private func skip(to first: UInt64) async throws {
        let before = position
        var after = before
        // The hash of the commit before the first that is left is not known any more: 0 stands for that.
        after.number = first - 1
        after.hash = Halves(0)
        let gap = HistoryGap(log: LogName.commits(shard).description, first: before.number + 1, last: first - 1)
        log.error(
            "the history has a gap: LOG was trimmed",
            metadata: ["shard": "\(shard)", "first": "\(gap.first)", "last": "\(gap.last)"])
        try await commit([], [gap], from: before, to: after)
    }

    private func fold() async throws {
        let name = LogName.commits(shard)
        let last = try await logs.state(of: name).last
        guard last >= position.number else {
            throw HistoryProblem("LOG.\(shard) ends at \(last), the history contains \(position.number) commits: it lost some")
        }
        let reader = try await logs.read(name, from: position.number + 1)
        defer { reader.close() }
        var inputs = InputCursor(logs, shard: shard, from: position.inputNeeded)
        defer { inputs.close() }
        var fold = HistoryFold(shard: shard, isLive: isLive)
        while true {
            let records = try await reader.next(max: Limits.historyCommitsAtOnce)
            let first = position
            var before = first
            var ahead = first
            var rows: [HistoryRow] = []
            for record in records {
                let isBehindGap = ahead.number > 0 && ahead.hash == Halves(0)
                let commit = try ahead.follow(record, of: shard, isBehindGap: isBehindGap)
                for step in commit.steps {
                    let needed = ahead.inputNeeded
                    let read =
                        step.inputSequence >= needed ? try await inputs.records(needed, through: step.inputSequence) : []
                    do { try fold.add(step, inputs: read, from: &ahead) } catch {
                        throw HistoryProblem("LOG.\(shard): the effects of commit \(commit.number) cannot be read: \(error)")
                    }
                    rows += fold.take()
                }
                guard rows.count >= Limits.historyRowsAtOnce else { continue }
                try await self.commit(rows, note(inputs.takeGaps()), from: before, to: ahead)
                (before, rows) = (ahead, [])
            }
            if before != ahead { try await commit(rows, note(inputs.takeGaps()), from: before, to: ahead) }
        }
    }

    private func note(_ gaps: [HistoryGap]) -> [HistoryGap] {
        for gap in gaps {
            log.error(
                "the history has a gap: IN was trimmed",
                metadata: ["shard": "\(shard)", "first": "\(gap.first)", "last": "\(gap.last)"])
        }
        return gaps
    }

    private func commit(
        _ rows: [HistoryRow], _ gaps: [HistoryGap], from: HistoryPosition, to: HistoryPosition
    ) async throws {
        try await database.apply(rows, gaps: gaps, from: from, to: to, dropping: to.clock + (-keptMilliseconds))
        state.withLock { $0 = (to, nil) }
    }
}
