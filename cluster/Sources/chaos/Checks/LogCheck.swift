import Model

/// Whether a shard's commits follow one another: numbers, hashes, epochs, owners, positions, time (I2, I3). Fed with the
/// records of one LOG in order; pure.
struct LogCheck: Sendable {
    let shard: ShardID
    private(set) var number: UInt64 = 0
    private(set) var epoch: UInt64 = 0
    private(set) var takeovers = 0
    /// Of the last step: message of IN and events of it.
    private(set) var input: (sequence: UInt64, events: UInt32) = (0, 0)
    private(set) var violations: [String] = []
    private var hash: (high: UInt64, low: UInt64) = (0, 0)
    private var owner = ""
    private var isReleased = true
    private var clock = Instant.distantPast
    private var configuration: UInt64 = 0

    init(shard: ShardID) { self.shard = shard }

    /// The commit, when it can be read.
    mutating func follow(_ record: LogRecord) -> Commit? {
        let commit: Commit
        let own: UInt128
        do { (commit, own) = try Commit.decoded(record.payload) } catch {
            say("I3", "record \(record.sequence) is no commit: \(error)")
            return nil
        }
        if commit.shard != shard { say("I2", "commit \(record.sequence) is of shard \(commit.shard)") }
        if commit.number != number + 1 || record.sequence != commit.number {
            say("I3", "commit \(commit.number) stands at \(record.sequence), behind commit \(number)")
        }
        if commit.previousHash != UInt128(hash.high) << 64 | UInt128(hash.low) {
            say("I4", "commit \(commit.number) does not name the hash of the commit before")
        }
        followOwner(commit)
        for step in commit.steps { follow(step, of: commit.number) }
        number = record.sequence
        hash = (UInt64(truncatingIfNeeded: own >> 64), UInt64(truncatingIfNeeded: own))
        return commit
    }

    private mutating func followOwner(_ commit: Commit) {
        if commit.kind.beginsEpoch {
            if commit.epoch != epoch + 1 { say("I2", "fence \(commit.number) has epoch \(commit.epoch) behind \(epoch)") }
            if commit.kind == .fence && !commit.steps.isEmpty { say("I2", "fence \(commit.number) has steps") }
            takeovers += 1
            owner = commit.owner
        } else {
            if commit.epoch != epoch { say("I2", "commit \(commit.number) has epoch \(commit.epoch) in epoch \(epoch)") }
            if commit.owner != owner { say("I2", "commit \(commit.number) is by \(commit.owner); \(owner) has the fence") }
            if isReleased { say("I2", "commit \(commit.number) follows a release without a fence") }
        }
        epoch = commit.epoch
        isReleased = commit.kind.endsOwnership
    }

    private mutating func follow(_ step: Step, of commit: UInt64) {
        if (step.inputSequence, step.eventsThrough) < input {
            say("I6", "commit \(commit) goes back to input \(step.inputSequence)/\(step.eventsThrough) from \(input)")
        }
        if step.clock < clock { say("I4", "commit \(commit) sets the clock back") }
        if step.configuration < configuration { say("I4", "commit \(commit) goes back to configuration \(step.configuration)") }
        input = (step.inputSequence, step.eventsThrough)
        clock = step.clock
        configuration = step.configuration
    }

    private mutating func say(_ invariant: String, _ what: String) {
        if violations.count < 20 { violations.append("\(invariant) LOG.\(shard): \(what)") }
    }
}

/// Whether the coordinators' decisions follow one another: each epoch has one leader, and they never go back (I2).
struct CoordinatorCheck: Sendable {
    private(set) var epoch: UInt64 = 0
    private(set) var violations: [String] = []
    private var leader = ""

    mutating func follow(_ record: CoordinatorRecord, sequence: UInt64) {
        if record.epoch == epoch, record.coordinator != leader {
            violations.append("I2 COORD: record \(sequence) is by \(record.coordinator); epoch \(epoch) is \(leader)'s")
        }
        if record.epoch < epoch { violations.append("I2 COORD: record \(sequence) goes back to epoch \(record.epoch)") }
        epoch = record.epoch
        leader = record.coordinator
    }
}
