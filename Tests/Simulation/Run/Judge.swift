internal import Checkers
internal import Model
internal import Ports

/// Looks on from outside: feeds each record to the checkers as it is written.
// Sendable: used on the simulation's thread alone.
final class Judge: @unchecked Sendable {
    private let installation: Installation
    private(set) var commits: [CommitLogChecker]
    private(set) var actions: [ActionChecker]
    private var sums = SumsChecker()
    private var coordinator: CoordinatorLogChecker
    private var ends: [(sequence: UInt64, parts: UInt32)]
    private let count: (String) -> Void

    init(installation: Installation, count: @escaping (String) -> Void) {
        self.installation = installation
        self.count = count
        commits = installation.shards.all.map { CommitLogChecker(shard: $0, timeMode: installation.timeMode) }
        actions = installation.shards.all.map { _ in ActionChecker() }
        coordinator = CoordinatorLogChecker(shards: installation.shards.shards)
        ends = installation.shards.all.map { _ in (0, 0) }
    }

    func written(_ log: LogName, _ record: LogRecord) {
        switch log {
        case .input(let shard): input(Int(shard.number), record)
        case .commits(let shard): commit(Int(shard.number), record)
        case .coordinator: coordinator.feed(record)
        case .configuration: count("rules applied")
        case .deadLetters: count("records of what was set aside")
        case .delivery: count("words on delivery")
        }
    }

    private func input(_ shard: Int, _ record: LogRecord) {
        switch try? InputMessage.decoded(record.payload) {
        case .events(let events):
            ends[shard] = (record.sequence, UInt32(events.count))
            for event in events { actions[shard].feed(event) }
        case .clock, .replay: ends[shard] = (record.sequence, 1)
        case .messages(_, _, let bodies): ends[shard] = (record.sequence, UInt32(bodies.count))
        case nil: ends[shard] = (record.sequence, 0)
        }
    }

    private func commit(_ shard: Int, _ record: LogRecord) {
        let before = commits[shard].steps.count
        commits[shard].feed(record)
        if let kind = try? Commit.decoded(record.payload).commit.kind { count("commit: \(kind)") }
        for step in commits[shard].steps[before...] {
            for effect in (try? step.decodedEffects()) ?? [] {
                count("effect: \(Self.name(of: effect))")
                actions[shard].feed(effect)
                sums.feed(effect)
            }
        }
    }

    func mail(_ shard: ShardID, _ action: ActionID, _ attempt: AttemptID) {
        count("mail")
        actions[Int(shard.number)].feedMail(action, attempt)
    }

    /// Everything in IN is decided upon, and every action has its outcome.
    var isQuiet: Bool {
        for (shard, end) in ends.enumerated() {
            guard commits[shard].inputSequence == end.sequence, commits[shard].eventsThrough == end.parts else { return false }
            guard actions[shard].open == 0 else { return false }
        }
        return true
    }

    /// What is left to do, for people.
    var lag: String {
        ends.enumerated().map { shard, end in
            "shard \(shard): \(commits[shard].inputSequence)/\(commits[shard].eventsThrough) of \(end.sequence)/\(end.parts), "
                + "\(actions[shard].open) open"
        }.joined(separator: "; ")
    }

    func compare(_ report: MechanicsReport) -> [Violation] { sums.compare(report) }

    var violations: [Violation] {
        commits.flatMap(\.violations) + actions.flatMap { $0.violations() } + coordinator.violations
    }

    private static func name(of effect: Effect) -> String {
        switch effect {
        case .actionOpened: "opened"
        case .suppressed(let decision): "suppressed, \(decision.reason)"
        case .postponed: "postponed"
        case .permitGranted: "permit granted"
        case .permitDenied(_, _, _, let reason): "permit denied, \(reason)"
        case .actionClosed(let closed): "closed, \(closed.outcome)"
        case .attributed(let attribution): "attributed, \(attribution.kind)"
        case .setAside: "set aside"
        case .replayed: "replayed"
        case .messageSent: "message sent"
        case .messagesDelivered: "messages delivered"
        case .messageApplied: "message applied"
        case .merged: "merged"
        case .duplicateOffered: "duplicate offered"
        case .actionMoved: "action moved"
        case .sums: "sums"
        }
    }
}
