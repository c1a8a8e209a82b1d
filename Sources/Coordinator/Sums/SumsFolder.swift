internal import Logging
internal import Model
internal import Ports

/// Folds every shard's commits into the sums, each shard in a task of its own.
struct SumsFolder: Sendable {
    let logs: any LogStore
    let database: SumsDatabase
    let progress: SumsProgress
    let clock: any WallClock
    let log: Logger
    /// Whether there is a snapshot of the sums that goes on where a shard's log begins.
    let canReload: @Sendable (ShardID, _ first: UInt64) async throws -> Bool
    /// Commits in one transaction, at most; also what is held in memory per shard.
    let commitsPerBatchMax: Int
    private let deadLetters: DeadLetterCarrier

    static let batchCommitsMax = 512
    static let retryMilliseconds: Int64 = 500

    init(
        logs: any LogStore, database: SumsDatabase, progress: SumsProgress, shards: Int, clock: any WallClock, log: Logger,
        canReload: @escaping @Sendable (ShardID, _ first: UInt64) async throws -> Bool = { _, _ in false }
    ) {
        self.logs = logs
        self.database = database
        self.progress = progress
        self.clock = clock
        self.log = log
        self.canReload = canReload
        deadLetters = DeadLetterCarrier(logs: logs, log: log)
        commitsPerBatchMax = min(64, max(2, Self.batchCommitsMax / shards))
    }

    /// Until the task is cancelled, or the database fails: then it throws. A shard whose log is damaged stops alone.
    /// Throws ``Outdated`` when the logs begin behind the database, and a snapshot does not.
    func run(from positions: [ShardPosition]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, position) in positions.enumerated() {
                group.addTask { try await follow(CommitChain(shard: ShardID(index: index), position: position)) }
            }
            // The first error ends all: to wait for all would be to wait for those that follow their logs for ever.
            while try await group.next() != nil {}
        }
    }

    /// The database is too old for the logs; a snapshot of the sums is to take its place.
    struct Outdated: Error {
        let description: String
    }

    private func follow(_ start: CommitChain) async throws {
        var chain = start
        while true {
            try Task.checkCancellation()
            do {
                try await fold(&chain)
            } catch let problem as SumsProblem where problem.code != .database {
                progress.fail(chain.shard, problem.description)
                if case .trimmed(let first) = problem.code, try await canReload(first, of: chain.shard) {
                    throw Outdated(description: problem.description)
                }
                log.critical("the sums of a shard stop", metadata: ["shard": "\(chain.shard)", "problem": "\(problem)"])
                return
            } catch let error as LogError {
                if error.code == .full { progress.fail(chain.shard, "shard \(chain.shard) waits: \(error.message)") }
                log.warning("a commit log cannot be folded now", metadata: ["shard": "\(chain.shard)", "error": "\(error)"])
                try await clock.sleep(until: clock.now() + Self.retryMilliseconds)
            }
        }
    }

    /// Whether a snapshot goes on where the log begins; tries until the snapshots can be asked.
    private func canReload(_ first: UInt64, of shard: ShardID) async throws -> Bool {
        while true {
            do { return try await canReload(shard, first) } catch let error as LogError {
                log.warning(
                    "the snapshots of the sums cannot be asked for", metadata: ["shard": "\(shard)", "error": "\(error)"])
                try await clock.sleep(until: clock.now() + Self.retryMilliseconds)
            }
        }
    }

    /// Reads and adds until something fails. The chain stands at what the database contains.
    private func fold(_ chain: inout CommitChain) async throws {
        let name = LogName.commits(chain.shard)
        try await compare(chain, with: name)
        let reader = try await logs.read(name, from: chain.position.number + 1)
        defer { reader.close() }
        while true {
            let records = try await next(reader, chain)
            var ahead = chain
            var sums = Sums()
            var dead: [DeadEntry] = []
            for record in records {
                let commit = try ahead.follow(record)
                do { dead += try sums.add(commit) } catch {
                    throw SumsProblem(
                        .unreadable, chain.shard, "commit \(commit.number) has effects that cannot be read: \(error)")
                }
            }
            progress.see(ahead.position.number, of: Int(chain.shard.number))
            // Before the position moves: what the sums contain is in DEAD too, so that LOG and IN may be trimmed by it.
            try await deadLetters.carry(dead)
            try await database.apply(sums, shard: chain.shard, from: chain.position, to: ahead.position)
            chain = ahead
            progress.fold(bytes: records.reduce(0) { $0 + $1.payload.count }, of: chain.shard)
            progress.contain(chain.position.number, of: chain.shard)
        }
    }

    private func next(_ reader: any LogReader, _ chain: CommitChain) async throws -> [LogRecord] {
        do { return try await reader.next(max: commitsPerBatchMax) } catch let error as LogError {
            switch error.code {
            case .trimmed(let first):
                throw SumsProblem(
                    .trimmed(first: first), chain.shard,
                    "commits before \(first) are trimmed away, the sums contain only \(chain.position.number)")
            case .gap(let expected, let found):
                throw SumsProblem(.broken, chain.shard, "record \(expected) is missing, the next is \(found)")
            case .refused, .ambiguous, .full, .tooLarge, .unavailable: throw error
            }
        }
    }

    /// The log must still hold what the sums contain.
    private func compare(_ chain: CommitChain, with name: LogName) async throws {
        let state = try await logs.state(of: name)
        let number = chain.position.number
        guard state.last >= number else {
            throw SumsProblem(.ahead, chain.shard, "ends at \(state.last), the sums contain \(number) commits: it lost some")
        }
        progress.see(state.last, of: Int(chain.shard.number))
        if number > 0, let record = try await logs.record(number, of: name) { try chain.verify(record) }
    }
}
