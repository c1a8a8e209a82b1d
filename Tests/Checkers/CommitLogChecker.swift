package import Model

/// Follows one shard's LOG and says where it is not what one owner at a time can have written (I2, I3).
///
/// Feed every record in order, from the first one that was written; ask for `violations` at any time. A value type.
package struct CommitLogChecker: Sendable {
    package let shard: ShardID
    package private(set) var violations: [Violation] = []
    /// Number, epoch and owner of the newest commit; 0 = none yet.
    package private(set) var number: UInt64 = 0
    package private(set) var epoch: UInt64 = 0
    package private(set) var owner = ""
    /// Commits that began an epoch.
    package private(set) var takeovers = 0
    /// Where the newest step stands in IN.
    package private(set) var inputSequence: UInt64 = 0
    package private(set) var eventsThrough: UInt32 = 0
    package private(set) var clock = Instant.distantPast
    /// The kind of the newest commit; nil = none yet.
    package private(set) var lastKind: Commit.Kind?
    private var halves = Halves(0)
    private var configuration: UInt64 = 0

    private let timeMode: Installation.TimeMode

    package init(shard: ShardID, timeMode: Installation.TimeMode) {
        self.shard = shard
        self.timeMode = timeMode
    }

    /// Returns the commit, when it is one.
    @discardableResult package mutating func feed(_ record: LogRecord) -> Commit? {
        do {
            let (commit, hash) = try Commit.decoded(record.payload)
            follow(commit, at: record.sequence)
            for step in commit.steps { follow(step, of: commit) }
            // Event time runs as it is told; live, no shard may be where the log has not been yet.
            let ahead = clock - record.time
            if timeMode == .live && !commit.steps.isEmpty && ahead > Limits.clockDriftMillisecondsMax {
                report("no host ahead of its time", "commit \(commit.number) stands at a clock \(ahead) ms ahead of the log's")
            }
            number = commit.number
            epoch = commit.epoch
            owner = commit.owner
            halves = Halves(hash)
            lastKind = commit.kind
            return commit
        } catch {
            report("I3 whole commits", "record \(record.sequence) is no commit: \(error)")
            return nil
        }
    }

    private mutating func follow(_ commit: Commit, at sequence: UInt64) {
        if commit.shard != shard { report("I3 whole commits", "commit \(commit.number) is of shard \(commit.shard)") }
        if commit.number != number + 1 || sequence != commit.number {
            report("I3 whole commits", "commit \(commit.number) stands at \(sequence), behind commit \(number)")
        }
        if commit.previousHash != halves.value {
            report("I4 chain of hashes", "commit \(commit.number) does not name the hash of the one before it")
        }
        switch commit.kind {
        case .fence, .trusted:
            takeovers += 1
            if commit.epoch != epoch + 1 {
                report("I2 one owner", "fence \(commit.number) of epoch \(commit.epoch) after \(epoch)")
            }
            if commit.kind == .fence && !commit.steps.isEmpty {
                report("I2 one owner", "fence \(commit.number) decides something")
            }
        case .steps, .released, .releasePoint, .attempt:
            if lastKind == nil { report("I2 one owner", "commit \(commit.number) comes before any fence") }
            if commit.epoch != epoch { report("I2 one owner", "commit \(commit.number) of epoch \(commit.epoch) in \(epoch)") }
            if commit.owner != owner {
                report("I2 one owner", "epoch \(epoch) is \(owner)'s, commit \(commit.number) is \(commit.owner)'s")
            }
            if lastKind?.endsOwnership == true { report("I2 one owner", "commit \(commit.number) comes behind the release") }
        }
    }

    private mutating func follow(_ step: Step, of commit: Commit) {
        let stands = (inputSequence, eventsThrough)
        let goesOn = step.inputSequence > stands.0 || (step.inputSequence == stands.0 && step.eventsThrough >= stands.1)
        if !goesOn {
            report(
                "I6 input positions",
                "commit \(commit.number) goes back to \(step.inputSequence)/\(step.eventsThrough) from \(stands.0)/\(stands.1)")
        }
        if step.clock < clock { report("I6 time", "commit \(commit.number): the clock goes back by \(clock - step.clock) ms") }
        if step.configuration < configuration {
            report(
                "I4 configuration", "commit \(commit.number) goes back to revision \(step.configuration) from \(configuration)")
        }
        configuration = step.configuration
        inputSequence = step.inputSequence
        eventsThrough = step.eventsThrough
        clock = step.clock
    }

    private mutating func report(_ promise: String, _ what: String) {
        violations.append(Violation(promise, "LOG.\(shard): \(what)"))
    }
}
