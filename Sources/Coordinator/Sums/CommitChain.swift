internal import Model
internal import Ports

/// How far a shard's commits are contained in the sums. Number 0 = none.
struct ShardPosition: Equatable, Sendable {
    var number: UInt64
    // Two halves: Swift 6.3 passes a UInt128 wrongly to async functions when registers run out.
    private var hashHigh: UInt64
    private var hashLow: UInt64
    var epoch: UInt64

    init(number: UInt64, hash: UInt128, epoch: UInt64) {
        self.number = number
        hashHigh = UInt64(truncatingIfNeeded: hash >> 64)
        hashLow = UInt64(truncatingIfNeeded: hash)
        self.epoch = epoch
    }

    var hash: UInt128 { UInt128(hashHigh) << 64 | UInt128(hashLow) }

    static let start = ShardPosition(number: 0, hash: 0, epoch: 0)
}

/// Why a shard's commits cannot be added. Said, never passed over: the figures would be wrong.
struct SumsProblem: Error, Equatable, CustomStringConvertible {
    enum Code: Equatable, Sendable {
        /// A record is not a commit.
        case unreadable
        /// It is not the commit that follows.
        case broken
        /// The sums contain commits that the log does not.
        case ahead
        /// The log begins behind the sums' position.
        case trimmed(first: UInt64)
        /// The database is of another installation, or was changed by somebody else.
        case database
    }

    let code: Code
    let shard: ShardID?
    let description: String

    init(_ code: Code, _ shard: ShardID? = nil, _ what: String) {
        self.code = code
        self.shard = shard
        description = (shard.map { "LOG.\($0): " } ?? "") + what
    }
}

/// Checks that commits follow one another: numbers, hashes, epochs. A value type.
struct CommitChain: Sendable {
    let shard: ShardID
    private(set) var position: ShardPosition

    init(shard: ShardID, position: ShardPosition) {
        self.shard = shard
        self.position = position
    }

    /// The record as the commit after `position`, which moves on. Nothing changes when it throws.
    mutating func follow(_ record: LogRecord) throws(SumsProblem) -> Commit {
        let commit: Commit
        let hash: UInt128
        do { (commit, hash) = try Commit.decoded(record.payload) } catch {
            throw SumsProblem(.unreadable, shard, "record \(record.sequence) is not a commit: \(error)")
        }
        let number = position.number + 1
        guard record.sequence == number, commit.number == number, commit.shard == shard else {
            throw SumsProblem(
                .broken, shard,
                "record \(record.sequence) is commit \(commit.number) of shard \(commit.shard), commit \(number) was expected")
        }
        guard commit.previousHash == position.hash else {
            throw SumsProblem(.broken, shard, "commit \(number) does not follow the commit \(position.number) that was added")
        }
        guard commit.kind.beginsEpoch ? commit.epoch > position.epoch : commit.epoch == position.epoch else {
            throw SumsProblem(
                .broken, shard, "commit \(number) (\(commit.kind)) has epoch \(commit.epoch) after \(position.epoch)")
        }
        position = ShardPosition(number: number, hash: hash, epoch: commit.epoch)
        return commit
    }

    /// Checks that the record at the position is the commit that was added.
    func verify(_ record: LogRecord) throws(SumsProblem) {
        let hash: UInt128
        do { hash = try Commit.decoded(record.payload).hash } catch {
            throw SumsProblem(.unreadable, shard, "record \(record.sequence) is not a commit: \(error)")
        }
        guard hash == position.hash else {
            throw SumsProblem(.broken, shard, "commit \(position.number) is not the one that was added to the sums")
        }
    }
}
