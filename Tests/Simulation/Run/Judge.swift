internal import Checkers
internal import Model
internal import Ports

/// Looks on from outside: feeds each record to the checkers as it is written.
// Sendable: used on the simulation's thread alone.
final class Judge: @unchecked Sendable {
    private let installation: Installation
    private(set) var commits: [CommitLogChecker]
    /// Every commit so far, by shard and in order.
    private(set) var made: [[Commit]]
    /// Of all shards: an action may be opened in one and closed in another.
    private var actions = ActionChecker()
    private(set) var sums = SumsChecker()
    private var messages = MessageChecker()
    private(set) var letters = DeadLetterChecker()
    private var coordinator: CoordinatorLogChecker
    private var takeovers: TakeoverWatch
    private var ends: [(sequence: UInt64, parts: UInt32)]
    /// Where events stand that end whoever applies them, by shard.
    private var poisons: [Int: [(sequence: UInt64, index: UInt32)]] = [:]
    private let count: (String) -> Void
    /// Something was set aside that can be taken again.
    var onLetter: (DeadLetterID, SetAside) -> Void = { _, _ in }

    init(installation: Installation, count: @escaping (String) -> Void) {
        self.installation = installation
        self.count = count
        commits = installation.shards.all.map { CommitLogChecker(shard: $0, timeMode: installation.timeMode) }
        made = installation.shards.all.map { _ in [] }
        coordinator = CoordinatorLogChecker(shards: installation.shards.shards)
        takeovers = TakeoverWatch(shards: installation.shards.shards)
        ends = installation.shards.all.map { _ in (0, 0) }
    }

    func written(_ log: LogName, _ record: LogRecord) {
        switch log {
        case .input(let shard): input(Int(shard.number), record)
        case .commits(let shard): commit(Int(shard.number), record)
        case .coordinator:
            coordinator.feed(record)
            takeovers.feed(record)
        case .configuration: count("rules applied")
        case .deadLetters:
            count("records of what was set aside")
            letters.feed(record)
        case .delivery: count("words on delivery")
        }
    }

    private func input(_ shard: Int, _ record: LogRecord) {
        switch try? InputMessage.decoded(record.payload) {
        case .events(let events):
            ends[shard] = (record.sequence, UInt32(events.count))
            for (index, event) in events.enumerated() {
                actions.feed(event)
                guard case .named(ShopPlan.poison, _) = event.body else { continue }
                poisons[shard, default: []].append((record.sequence, UInt32(index)))
            }
        case .clock, .replay: ends[shard] = (record.sequence, 1)
        case .messages(let source, let first, let bodies):
            ends[shard] = (record.sequence, UInt32(bodies.count))
            let repeats = messages.repeats
            messages.feed(from: source, first: first, bodies, to: ShardID(index: shard))
            if messages.repeats > repeats { count("messages: brought again") }
        case nil: ends[shard] = (record.sequence, 0)
        }
    }

    private func commit(_ shard: Int, _ record: LogRecord) {
        let lastKind = commits[shard].lastKind
        guard let commit = commits[shard].feed(record) else { return }
        made[shard].append(commit)
        count("commit: \(commit.kind)")
        for branch in takeovers.branches(of: commit, behind: lastKind) { count(branch) }
        let effects = commit.steps.flatMap { (try? $0.decodedEffects()) ?? [] }
        letters.feed(commit, effects)
        for effect in effects {
            count("effect: \(Self.name(of: effect))")
            actions.feed(effect)
            sums.feed(effect)
            messages.feed(effect, of: commit.shard)
            guard case .setAside(let event) = effect, event.isReplayable else { continue }
            onLetter(DeadLetterID(shard: commit.shard, number: event.number), event)
        }
    }

    /// Whether a host that made this commit applied an event that ends it, and where that stands: then the host has ended
    /// before the commit could leave it.
    func trap(_ shard: ShardID, _ payload: [UInt8]) -> (place: Place, owner: String)? {
        let index = Int(shard.number)
        guard let poisons = poisons[index], let commit = try? Commit.decoded(payload).commit, let last = commit.steps.last,
            commit.number == commits[index].number + 1
        else { return nil }
        let begin = (commits[index].inputSequence, commits[index].eventsThrough)
        for poison in poisons {
            let through = (poison.sequence, poison.index + 1)
            guard begin < through, through <= (last.inputSequence, last.eventsThrough) else { continue }
            let isSetAside = commit.steps.flatMap { (try? $0.decodedEffects()) ?? [] }.contains { effect in
                guard case .setAside(let event) = effect else { return false }
                return event.inputSequence == poison.sequence && event.index == poison.index
            }
            if !isSetAside { return (.event(inputSequence: poison.sequence, index: poison.index), commit.owner) }
        }
        return nil
    }

    func mail(_ shard: ShardID, _ action: ActionID, _ attempt: AttemptID) {
        count("mail")
        actions.feedMail(action, attempt)
    }

    /// Everything in IN is decided upon, every message has come, every action has its outcome, and what was set aside was
    /// taken again.
    var isQuiet: Bool {
        for (shard, end) in ends.enumerated() {
            guard commits[shard].inputSequence == end.sequence, commits[shard].eventsThrough >= end.parts else { return false }
        }
        return actions.open == 0 && messages.waiting == 0 && letters.open.isEmpty
    }

    /// What is left to do, for people.
    var lag: String {
        let shards = ends.enumerated().map { shard, end in
            "shard \(shard): \(commits[shard].inputSequence)/\(commits[shard].eventsThrough) of \(end.sequence)/\(end.parts)"
        }
        return shards.joined(separator: "; ")
            + ", \(actions.open) open, \(messages.waiting) messages, \(letters.open.count) dead letters"
    }

    func compare(_ report: MechanicsReport) -> [Violation] { sums.compare(report) }

    var violations: [Violation] {
        violationsOfLogs + actions.violations() + messages.violations() + letters.violations()
    }

    /// Of each log for itself.
    var violationsOfLogs: [Violation] { commits.flatMap(\.violations) + coordinator.violations }

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
