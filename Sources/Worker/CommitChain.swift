import Model

/// The owner's end of a shard's LOG: numbers and chains the commits, and keeps each until the log has acknowledged it, so
/// that one whose fate is unknown can be sent again to the letter. Pure.
///
///     sent --acknowledged--> forgotten
///     sent --refused, or no answer--> settling --the log's last commit is read-->
///         a higher epoch: lost | our own up to number n: those above n are sent again
struct CommitChain: Equatable, Sendable {
    struct Sent: Equatable, Sendable {
        let number: UInt64
        let bytes: [UInt8]
        let halves: Halves
        /// Position of the input after this commit.
        let completedInput: UInt64

        var hash: UInt128 { halves.value }
    }

    let shard: ShardID
    let owner: String
    private let brain: UInt32
    private(set) var epoch: UInt64
    /// Number and hash of the newest commit, sent or acknowledged.
    private(set) var number: UInt64
    private var halves: Halves
    /// Number and hash of the newest acknowledged commit.
    private(set) var acknowledged: UInt64
    private var acknowledgedHalves: Halves
    /// Sent and not yet acknowledged, in order.
    private(set) var waiting: [Sent] = []

    /// Continues where the log ends.
    init(shard: ShardID, owner: String, brain: UInt32, after end: LogEnd) {
        self.shard = shard
        self.owner = owner
        self.brain = brain
        epoch = end.epoch
        number = end.number
        halves = Halves(end.hash)
        acknowledged = end.number
        acknowledgedHalves = halves
    }

    var hash: UInt128 { halves.value }
    var acknowledgedHash: UInt128 { acknowledgedHalves.value }

    /// The next commit, to be appended expecting `number - 1`. A fence raises the epoch.
    mutating func next(_ kind: Commit.Kind, _ steps: [Step], takeover: Takeover? = nil, completedInput: UInt64) -> Sent {
        if kind.beginsEpoch { epoch += 1 }
        let encoded = Commit(
            kind: kind, shard: shard, epoch: epoch, number: number + 1, previousHash: hash, brain: brain, owner: owner,
            takeover: takeover, steps: steps
        ).encoded()
        precondition(encoded.bytes.count <= Limits.commitBytesMax, "a commit of \(encoded.bytes.count) bytes")
        number += 1
        halves = Halves(encoded.hash)
        let sent = Sent(number: number, bytes: encoded.bytes, halves: Halves(encoded.hash), completedInput: completedInput)
        waiting.append(sent)
        return sent
    }

    /// What ``next`` would make now: its number and hash are known before it is written.
    func ahead(_ kind: Commit.Kind, _ steps: [Step], takeover: Takeover? = nil) -> Sent {
        var copy = self
        return copy.next(kind, steps, takeover: takeover, completedInput: 0)
    }

    /// Commit `number` is in the log, and so is every one before it.
    mutating func acknowledge(_ number: UInt64) {
        guard number > acknowledged else { return }
        while let first = waiting.first, first.number <= number {
            acknowledged = first.number
            acknowledgedHalves = first.halves
            waiting.removeFirst()
        }
    }

    enum Settlement: Equatable {
        /// Somebody fenced: the shard is theirs.
        case lost(by: String)
        /// These are not in the log and are to be sent again, in order.
        case resend([Sent])
        /// The log holds what this owner never wrote under its epoch: nothing may be written any more.
        case broken(String)
    }

    /// What the log's last commit says of those that wait. `last` nil = the log is empty.
    mutating func settle(_ last: ReadCommit?) -> Settlement {
        guard let last else {
            return acknowledged == 0 ? .resend(waiting) : .broken("the log is empty, commit \(acknowledged) was acknowledged")
        }
        if last.commit.epoch > epoch { return .lost(by: last.commit.owner) }
        if last.commit.epoch == epoch && last.commit.owner != owner { return .lost(by: last.commit.owner) }
        if last.commit.number == acknowledged {
            return last.hash == acknowledgedHash
                ? .resend(waiting) : .broken("commit \(acknowledged) is not the one that was acknowledged")
        }
        // Our fence is not in the log, and the owner before has gone on meanwhile: its commits are to be replayed first.
        if last.commit.epoch < epoch { return .lost(by: last.commit.owner) }
        guard let own = waiting.first(where: { $0.number == last.commit.number }), own.hash == last.hash else {
            return .broken("commit \(last.commit.number) of epoch \(last.commit.epoch) was not written here")
        }
        acknowledge(own.number)
        return .resend(waiting)
    }
}
