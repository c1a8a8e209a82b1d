internal import DequeModule
internal import Model

/// What a dispatcher decides: which permits to ask for, what to send, which outcomes to report. Pure: it is told what
/// happened and the time, and answers with what is to be done.
///
/// I11 rests on three things: only a grant that was read from LOG sends; an attempt sends at most once, because it is
/// used up before its message is handed over; and an action without a certain "did not leave" is never asked for again.
struct DispatcherState: Sendable {
    let settings: DispatcherSettings
    var actions: [ActionID: TrackedAction] = [:]
    var lane: Lane
    var peers: Peers
    var counts = Counts()
    var isStopping = false
    /// The last word on whether messages may leave; nil = they may.
    var hold: DeliveryRecord?
    /// Shards with more open actions than were remembered: they must be asked again when there is room.
    var overflowed: Set<ShardID> = []

    var queues: [ShardID: ActionQueue] = [:]
    var resting = ActionQueue()
    var ready = Deque<ActionID>()
    var asked: Set<ActionID> = []
    var lateAnswers: [ShardID: Int] = [:]
    var unconfirmed: Set<ActionID> = []
    var elsewhere: [UInt64: Set<ActionID>] = [:]
    var attempts: UInt64 = 0

    struct Counts: Equatable, Sendable {
        var sent: UInt64 = 0
        var failed: UInt64 = 0
        var undeliverable: UInt64 = 0
        var uncertain: UInt64 = 0
        var granted = 0
        var reporting = 0
        var lastError = ""
    }

    init(_ settings: DispatcherSettings) {
        self.settings = settings
        lane = Lane(settings)
        peers = Peers(settings)
    }

    /// Permits asked for, held or in use; those whose answer is late are not counted.
    var permitsInFlight: Int { asked.count - lateAnswers.values.reduce(0, +) + counts.granted + lane.sending }
    /// Nothing is under way that only this dispatcher can finish.
    var isIdle: Bool { asked.isEmpty && counts.granted == 0 && lane.sending == 0 && counts.reporting == 0 }
    var hasRoom: Bool { actions.count < settings.actionsMax / 2 }
    var elsewhereCount: Int { elsewhere.values.reduce(0) { $0 + $1.count } }
    /// Waiting or resting.
    var queuedCount: Int {
        actions.count - asked.count - counts.granted - lane.sending - counts.reporting - unconfirmed.count - elsewhereCount
    }
    var inFlightCount: Int { asked.count + counts.granted + lane.sending + counts.reporting }

    // MARK: What happened

    /// All that is open in a shard, or the first part of it, as of one of its commits or a few; its effects follow from the
    /// first of these.
    mutating func loaded(
        _ shard: ShardID, _ open: [OpenAction], isWhole: Bool = true, now: Instant
    ) -> [DispatcherCommand] {
        if isWhole {
            overflowed.remove(shard)
            let listed = Set(open.map(\.action))
            let gone = actions.filter { $0.value.shard == shard && !listed.contains($0.key) }.keys.sorted()
            for action in gone { closed(action) }
        } else {
            overflowed.insert(shard)
        }
        for item in open where Self.isDeliverable(item.channel) {
            if let holder = item.holder, holder.instance != settings.instance {
                noteOpen(item.action, shard, item.customer, due: item.due, deadline: item.deadline)
                heldElsewhere(item.action, holder, now: now)
            } else {
                noteOpen(item.action, shard, item.customer, due: item.due, deadline: item.deadline)
            }
        }
        return next(now: now)
    }

    /// An effect as it stands in LOG.
    mutating func apply(_ effect: Effect, shard: ShardID, configuration: UInt64, now: Instant) -> [DispatcherCommand] {
        switch effect {
        case .actionOpened(let opened):
            guard Self.isDeliverable(opened.channel) else { return [] }
            noteOpen(opened.action, shard, opened.customer, due: opened.due, deadline: opened.deadline)
        case .actionMoved(let opened):
            guard Self.isDeliverable(opened.channel) else { return [] }
            moved(opened, to: shard)
        case .permitGranted(let grant):
            return granted(GrantedAction(shard: shard, grant: grant, configuration: configuration), now: now) + next(now: now)
        case .permitDenied(let customer, let action, let attempt, let reason):
            denied(action, attempt, by: customer, reason, now: now)
        case .actionClosed(let closing):
            closed(closing.action)
        default:
            return []
        }
        return next(now: now)
    }

    /// What became of a message that was to be sent.
    mutating func finished(
        _ action: ActionID, _ attempt: AttemptID, _ result: DeliveryResult, now: Instant
    ) -> [DispatcherCommand] {
        guard var tracked = actions[action], tracked.phase == .sending(attempt) else {
            preconditionFailure("a message finished that was not being sent")
        }
        lane.sending -= 1
        var commands: [DispatcherCommand] = []
        let outcome: (Outcome, String)
        switch result {
        case .sent(let words):
            lane.passed()
            outcome = (.sent, words)
        case .undeliverable(let words):
            outcome = (.undeliverable, words)
        case .uncertain(let words):
            lane.failed(now: now)
            outcome = (.uncertain, words)
        case .failed(let words, provider: true):
            lane.failed(now: now)
            tracked.foundAway = true
            outcome = (.notTried, words)
        case .failed(let words, provider: false):
            lane.passed()
            tracked.failures += 1
            outcome =
                tracked.failures < Limits.attemptsMax
                ? (.failedForNow, words) : (.undeliverable, "\(tracked.failures) attempts failed, the last with: \(words)")
        }
        actions[action] = tracked
        commands.append(report(action, attempt, outcome.0, outcome.1))
        if lane.isPaused(now) { commands += releaseReady("the provider cannot be used now") }
        return commands + next(now: now)
    }

    /// The log has the outcome that was to be reported.
    mutating func written(_ report: OutcomeReport, now: Instant) -> [DispatcherCommand] {
        guard var tracked = actions[report.action], tracked.phase == .reporting(report) else { return [] }
        counts.reporting -= 1
        if tracked.isClosed {
            actions[report.action] = nil
        } else if report.outcome == .failedForNow {
            rest(&tracked, report.action, now: now)
            actions[report.action] = tracked
        } else if report.outcome == .notTried {
            stepBack(report.action, tracked, now: now)
        } else {
            tracked.phase = .reported(report, at: now)
            actions[report.action] = tracked
            unconfirmed.insert(report.action)
        }
        return next(now: now)
    }

    mutating func heard(_ instance: UInt64, now: Instant) { peers.heard(instance, now: now) }

    /// Time passed.
    mutating func tick(now: Instant) -> [DispatcherCommand] {
        var commands = repeatRequests(now: now)
        while let first = resting.first, first.time <= now, let action = resting.pop() {
            if let tracked = actions[action], tracked.phase == .resting(until: first.time) { wait(action, tracked) }
        }
        commands += repeatReports(now: now)
        for instance in elsewhere.keys.sorted() {
            for action in (elsewhere[instance] ?? []).sorted() {
                guard let tracked = actions[action], case .elsewhere(let holder, let since) = tracked.phase,
                    peers.isDead(instance, since: since, now: now)
                else { continue }
                leaveElsewhere(action)
                commands.append(report(action, holder, .uncertain, "the dispatcher that had the permit is gone"))
            }
        }
        return commands + next(now: now)
    }

    /// While delivery is held no permit is asked for, and those that no message used are given back.
    mutating func hold(_ word: DeliveryRecord, now: Instant) -> [DispatcherCommand] {
        hold = word
        return (word.isHeld ? releaseReady(Self.heldWords) : []) + next(now: now)
    }

    /// No more permits are asked for. What is under way goes on; see ``isIdle``.
    mutating func stop() { isStopping = true }
}
