package import Model

/// Sums the workload's answers from the commits of every shard, each shard's in order and from the first one on.
///
/// Checks while it folds that the log is whole: numbers without gaps, a chain of hashes, epochs and clocks that never go
/// back. A value type; used on one thread at a time.
package struct AnswerFold: Sendable {
    /// A log that cannot have been written by one owner at a time.
    package struct Broken: Error, Equatable, CustomStringConvertible {
        package let shard: ShardID
        package let number: UInt64
        package let what: String

        package var description: String { "commit \(number) of shard \(shard): \(what)" }
    }

    /// How far a shard's commits have come.
    package struct Progress: Equatable, Sendable {
        package var number: UInt64 = 0
        package var hash: UInt128 = 0
        package var epoch: UInt64 = 0
        package var inputSequence: UInt64 = 0
        package var clock = Instant.distantPast
    }

    /// The sums so far. They are the answers when every shard ``isComplete(_:closingSequence:)``.
    package private(set) var answers = ReferenceAnswers()
    /// Events that the shards have applied, repeats not counted.
    package private(set) var eventsApplied: Int64 = 0
    /// Effects that a run of the workload must not have: events set aside, actions suppressed or put off.
    package private(set) var unexpected = 0
    /// The first of them, for people.
    package private(set) var firstUnexpected: String?
    package private(set) var shards: [ShardID: Progress] = [:]

    private let reorder = RuleID(name: ReferenceRules.reorder)
    private let lapsed = RuleID(name: ReferenceRules.lapsed)
    private let review = RuleID(name: ReferenceRules.review)

    package init() {}

    /// Adds the next commit of its shard, as it stands in the log.
    package mutating func add(_ bytes: [UInt8]) throws {
        let (commit, hash) = try Commit.decoded(bytes)
        try add(commit, hash: hash)
    }

    package mutating func add(_ commit: Commit, hash: UInt128) throws {
        var progress = shards[commit.shard] ?? Progress()
        func check(_ holds: Bool, _ what: @autoclosure () -> String) throws {
            if !holds { throw Broken(shard: commit.shard, number: commit.number, what: what()) }
        }
        try check(commit.number == progress.number + 1, "follows commit \(progress.number)")
        try check(commit.previousHash == progress.hash, "does not name the hash of the commit before it")
        let rise: UInt64 = commit.kind.beginsEpoch ? 1 : 0
        try check(
            commit.epoch == progress.epoch + rise, "\(commit.kind) of epoch \(commit.epoch) after epoch \(progress.epoch)")
        for step in commit.steps {
            try check(step.clock >= progress.clock, "its clock goes back")
            try check(step.inputSequence >= progress.inputSequence, "its input position goes back")
            progress.clock = step.clock
            progress.inputSequence = step.inputSequence
            for effect in try step.decodedEffects() { add(effect) }
        }
        progress.number = commit.number
        progress.hash = hash
        progress.epoch = commit.epoch
        shards[commit.shard] = progress
    }

    /// Whether the shard has run everything up to the closing clock record, which stands at `closingSequence` of its IN.
    package func isComplete(_ shard: ShardID, closingSequence: UInt64) -> Bool {
        guard let progress = shards[shard] else { return false }
        return progress.inputSequence >= closingSequence && progress.clock >= ReferenceWorkload.closing
    }

    private mutating func add(_ effect: Effect) {
        switch effect {
        case .actionOpened(let opened): add(opened)
        case .sums(let deltas): for delta in deltas { add(delta) }
        case .suppressed, .postponed, .setAside, .replayed, .messageSent, .messagesDelivered, .messageApplied, .merged,
            .duplicateOffered, .actionMoved:
            unexpected += 1
            if firstUnexpected == nil { firstUnexpected = "\(effect)" }
        case .permitGranted, .permitDenied, .actionClosed, .attributed: break
        }
    }

    private mutating func add(_ opened: ActionOpened) {
        let due = UInt64(bitPattern: opened.due.milliseconds)
        switch opened.rule {
        case reorder:
            answers.firedReorder += 1
            answers.sumReorder &+= due
        case lapsed:
            answers.firedLapsed += 1
            answers.sumLapsed &+= due
        case review:
            answers.firedReview += 1
            answers.sumReview &+= due
        default:
            unexpected += 1
            if firstUnexpected == nil { firstUnexpected = "action of rule \(opened.rule)" }
        }
    }

    private mutating func add(_ delta: SumDelta) {
        switch delta.counter {
        case .orders: answers.orders += delta.amount
        case .revenue: answers.revenue += delta.amount
        case .timersArmed: answers.armed += delta.amount
        case .events: eventsApplied += delta.amount
        case .customers, .repeats, .setAside, .members, .reachableMembers: break
        }
    }
}
