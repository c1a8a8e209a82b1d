internal import Model
internal import Ports

/// How far a shard's store is: the commit that was folded last, and where IN stood behind it.
struct HistoryPosition: Equatable, Sendable {
    /// 0 = none yet.
    var number: UInt64 = 0
    var hash = Halves(0)
    var epoch: UInt64 = 0
    /// Sequence in IN of the message that was read last; 0 = none yet.
    var input: UInt64 = 0
    /// Events of that message that were read; ``allOfIt`` = it is not needed any more.
    var through = HistoryPosition.allOfIt
    /// The shard's clock.
    var clock = Instant.distantPast

    static let start = HistoryPosition()
    static let allOfIt = UInt32(Int32.max)

    /// The first message of IN that is still needed.
    var inputNeeded: UInt64 { through == Self.allOfIt ? input + 1 : max(input, 1) }
}

/// Why a shard's history does not go on. Said, never passed over.
struct HistoryProblem: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension HistoryPosition {
    /// The record as the commit behind this position, which moves on to it; IN and clock are moved by its steps.
    ///
    /// - Parameter isBehindGap: commits in between are gone, so that its hash cannot be compared.
    mutating func follow(_ record: LogRecord, of shard: ShardID, isBehindGap: Bool) throws(HistoryProblem) -> Commit {
        let commit: Commit
        let found: UInt128
        do { (commit, found) = try Commit.decoded(record.payload) } catch {
            throw HistoryProblem("LOG.\(shard): record \(record.sequence) is not a commit: \(error)")
        }
        guard commit.number == record.sequence, commit.shard == shard else {
            throw HistoryProblem(
                "LOG.\(shard): record \(record.sequence) is commit \(commit.number) of shard \(commit.shard)")
        }
        if !isBehindGap {
            guard commit.number == number + 1, commit.previousHash == hash.value else {
                throw HistoryProblem("LOG.\(shard): commit \(commit.number) does not follow the commit \(number) that was folded")
            }
        }
        number = commit.number
        hash = Halves(found)
        epoch = commit.epoch
        return commit
    }
}
