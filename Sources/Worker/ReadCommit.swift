import Model

/// A commit read from the log, with its own hash.
struct ReadCommit: Equatable, Sendable {
    let commit: Commit
    let sequence: UInt64
    /// When the log took it.
    let time: Instant
    private let halves: Halves

    /// Reads a record of a LOG.
    init(_ record: LogRecord) throws(FormatError) {
        let (commit, hash) = try Commit.decoded(record.payload)
        self.commit = commit
        sequence = record.sequence
        time = record.time
        halves = Halves(hash)
    }

    var hash: UInt128 { halves.value }
}

/// Where a shard's LOG ends: the last commit's number, hash and epoch; zeros = it is empty.
struct LogEnd: Equatable, Sendable {
    var number: UInt64
    var epoch: UInt64
    private var halves: Halves

    static let empty = LogEnd(number: 0, hash: 0, epoch: 0)

    init(number: UInt64, hash: UInt128, epoch: UInt64) {
        self.number = number
        self.epoch = epoch
        halves = Halves(hash)
    }

    var hash: UInt128 { halves.value }
}
