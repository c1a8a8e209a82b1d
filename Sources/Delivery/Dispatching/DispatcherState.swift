internal import DequeModule
internal import Model

/// What a dispatcher decides: which permits to ask for, what to send, which outcomes to report. Pure: it is told what
/// happened and the time, and answers with what is to be done.
///
/// I11 rests on three things: only a grant that was read from LOG sends; an attempt sends at most once, because it is
/// used up before its message is handed over; and an action without a certain "did not leave" is never asked for again.
struct DispatcherState: Sendable {
    let settings: DispatcherSettings
    private(set) var actions: [ActionID: TrackedAction] = [:]
    private(set) var lane: Lane
    private(set) var peers: Peers
    private(set) var counts = Counts()
    private(set) var isStopping = false
    /// Shards with more open actions than were remembered: they must be asked again when there is room.
    private(set) var overflowed: Set<ShardID> = []

    private var queues: [ShardID: ActionQueue] = [:]
    private var resting = ActionQueue()
    private var ready = Deque<ActionID>()
    private var asked: Set<ActionID> = []
    private var lateAnswers: [ShardID: Int] = [:]
    private var unconfirmed: Set<ActionID> = []
    private var elsewhere: [UInt64: Set<ActionID>] = [:]
    private var attempts: UInt64 = 0

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

    /// All that is open in a shard as of one of its commits; its effects follow from there.
    mutating func loaded(_ shard: ShardID, _ open: [OpenAction], now: Instant) -> [DispatcherCommand] {
        overflowed.remove(shard)
        let listed = Set(open.map(\.action))
        let gone = actions.filter { $0.value.shard == shard && !listed.contains($0.key) }.keys.sorted()
        for action in gone { closed(action) }
        for item in open where Self.isDeliverable(item.channel) {
            if let holder = item.holder, holder.instance != settings.instance {
                noteOpen(item.action, shard, item.customer, item.deadline)
                heldElsewhere(item.action, holder, now: now)
            } else {
                noteOpen(item.action, shard, item.customer, item.deadline)
            }
        }
        return next(now: now)
    }

    /// An effect as it stands in LOG.
    mutating func apply(_ effect: Effect, shard: ShardID, configuration: UInt64, now: Instant) -> [DispatcherCommand] {
        switch effect {
        case .actionOpened(let opened):
            guard Self.isDeliverable(opened.channel) else { return [] }
            noteOpen(opened.action, shard, opened.customer, opened.deadline)
        case .permitGranted(let grant):
            return granted(GrantedAction(shard: shard, grant: grant, configuration: configuration), now: now) + next(now: now)
        case .permitDenied(_, let action, let attempt, let reason):
            denied(action, attempt, reason, now: now)
        case .actionClosed(let closing):
            closed(closing.action)
        default:
            return []
        }
        return next(now: now)
    }

    /// What became of a message that was to be sent.
    mutating func finished(_ action: ActionID, _ attempt: AttemptID, _ result: DeliveryResult, now: Instant) -> [DispatcherCommand] {
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
            tracked.setbacks += 1
            outcome = (.failedForNow, words)
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
                guard let tracked = actions[action], case .elsewhere(let holder?, let since) = tracked.phase,
                    peers.isDead(instance, since: since, now: now)
                else { continue }
                leaveElsewhere(action)
                commands.append(report(action, holder, .uncertain, "the dispatcher that had the permit is gone"))
            }
        }
        return commands + next(now: now)
    }

    /// No more permits are asked for. What is under way goes on; see ``isIdle``.
    mutating func stop() { isStopping = true }
}

// MARK: Changes of one action

extension DispatcherState {
    static func isDeliverable(_ channel: Channel) -> Bool { channel == .email }

    private mutating func noteOpen(_ action: ActionID, _ shard: ShardID, _ customer: CustomerKey, _ deadline: Instant) {
        guard actions[action] == nil else { return }
        guard actions.count < settings.actionsMax else {
            overflowed.insert(shard)
            return
        }
        wait(action, TrackedAction(shard: shard, customer: customer, deadline: deadline))
    }

    private mutating func wait(_ action: ActionID, _ tracked: TrackedAction) {
        var tracked = tracked
        tracked.phase = .waiting
        actions[action] = tracked
        queues[tracked.shard, default: ActionQueue()].push(action, at: tracked.deadline)
    }

    private mutating func rest(_ tracked: inout TrackedAction, _ action: ActionID, now: Instant) {
        let most = tracked.setbacks > 0 && tracked.failures == 0 ? settings.setbackMax : settings.retryMax
        let failures = tracked.failures + tracked.setbacks
        let wait = failures == 0 ? 0 : DispatcherSettings.backoff(first: settings.retryFirst, factor: 3, most: most, failures: failures)
        let until = now + wait
        tracked.phase = .resting(until: until)
        resting.push(action, at: until)
    }

    private mutating func granted(_ granted: GrantedAction, now: Instant) -> [DispatcherCommand] {
        let action = granted.grant.action
        let attempt = granted.grant.attempt
        guard attempt.instance == settings.instance else {
            heldElsewhere(action, attempt, now: now)
            return []
        }
        guard var tracked = actions[action], tracked.isAtRest else { return [] }
        guard attempt.number > tracked.usedThrough else {
            // The permit of an attempt that is over, given once more: nothing left under it, the shard may take it back.
            leave(action, tracked)
            return [report(action, attempt, .failedForNow, "the attempt was over")]
        }
        leave(action, tracked)
        tracked.phase = .granted(granted)
        tracked.holder = nil
        actions[action] = tracked
        counts.granted += 1
        ready.append(action)
        return lane.isPaused(now) ? releaseReady("the provider cannot be used now") : []
    }

    private mutating func denied(_ action: ActionID, _ attempt: AttemptID, _ reason: Reason, now: Instant) {
        guard var tracked = actions[action], case .asked(attempt, _, _) = tracked.phase else { return }
        leave(action, tracked)
        switch reason {
        case .unknownAction, .alreadyClosed:
            actions[action] = nil
        case .grantedToAnother:
            tracked.phase = .elsewhere(tracked.holder, at: now)
            actions[action] = tracked
            if let holder = tracked.holder {
                elsewhere[holder.instance, default: []].insert(action)
            } else {
                // Who has it was not in what we read: it is asked again until the log says.
                tracked.setbacks += 1
                rest(&tracked, action, now: now)
                actions[action] = tracked
            }
        default:
            // Not now. When it is for good, the shard closes the action next.
            tracked.setbacks += 1
            rest(&tracked, action, now: now)
            actions[action] = tracked
        }
    }

    private mutating func heldElsewhere(_ action: ActionID, _ holder: AttemptID, now: Instant) {
        guard var tracked = actions[action], tracked.isAtRest else { return }
        tracked.holder = holder
        if case .asked = tracked.phase {
            // The answer to our own request is still to come.
            actions[action] = tracked
            return
        }
        leave(action, tracked)
        tracked.phase = .elsewhere(holder, at: now)
        actions[action] = tracked
        elsewhere[holder.instance, default: []].insert(action)
    }

    /// The shard is done with the action. One that is being sent or reported is finished first.
    private mutating func closed(_ action: ActionID) {
        guard var tracked = actions[action] else { return }
        switch tracked.phase {
        case .sending, .reporting:
            tracked.isClosed = true
            actions[action] = tracked
        case .granted:
            counts.granted -= 1
            actions[action] = nil
        default:
            leave(action, tracked)
            actions[action] = nil
        }
    }

    /// Takes the action out of whatever list its phase keeps it in. Queues drop it when it is popped.
    private mutating func leave(_ action: ActionID, _ tracked: TrackedAction) {
        switch tracked.phase {
        case .asked(_, _, let isLate):
            asked.remove(action)
            if isLate { answered(tracked.shard) }
        case .elsewhere: leaveElsewhere(action)
        case .reported: unconfirmed.remove(action)
        default: break
        }
    }

    private mutating func answered(_ shard: ShardID) {
        let left = (lateAnswers[shard] ?? 0) - 1
        lateAnswers[shard] = left > 0 ? left : nil
    }

    private mutating func leaveElsewhere(_ action: ActionID) {
        guard let tracked = actions[action], case .elsewhere(let holder?, _) = tracked.phase else { return }
        elsewhere[holder.instance]?.remove(action)
        if elsewhere[holder.instance]?.isEmpty == true { elsewhere[holder.instance] = nil }
    }

    private mutating func report(
        _ action: ActionID, _ attempt: AttemptID, _ outcome: Outcome, _ detail: String
    ) -> DispatcherCommand {
        guard var tracked = actions[action] else { preconditionFailure("an outcome of an action that is not known") }
        let report = OutcomeReport(
            shard: tracked.shard, customer: tracked.customer, action: action, attempt: attempt, outcome: outcome, detail: detail)
        tracked.phase = .reporting(report)
        actions[action] = tracked
        counts.reporting += 1
        switch outcome {
        case .sent: counts.sent += 1
        case .failedForNow: counts.failed += 1
        case .undeliverable: counts.undeliverable += 1
        case .uncertain: counts.uncertain += 1
        case .recorded, .withdrawn: break
        }
        if outcome != .sent { counts.lastError = detail }
        return .report(report)
    }

    /// Gives back the permits that no message used: while the provider is away they would become uncertain in a crash.
    private mutating func releaseReady(_ reason: String) -> [DispatcherCommand] {
        var commands: [DispatcherCommand] = []
        while let action = ready.popFirst() {
            guard var tracked = actions[action], case .granted(let granted) = tracked.phase else { continue }
            counts.granted -= 1
            tracked.usedThrough = granted.grant.attempt.number
            actions[action] = tracked
            commands.append(report(action, granted.grant.attempt, .failedForNow, reason))
        }
        return commands
    }
}

// MARK: What is next

extension DispatcherState {
    /// Sends what may be sent, asks for what can be sent soon.
    private mutating func next(now: Instant) -> [DispatcherCommand] {
        var commands: [DispatcherCommand] = []
        guard !lane.isPaused(now) else { return commands }
        while lane.sending < lane.connections, let action = ready.popFirst() {
            guard var tracked = actions[action], case .granted(let granted) = tracked.phase else { continue }
            tracked.usedThrough = granted.grant.attempt.number
            tracked.phase = .sending(granted.grant.attempt)
            actions[action] = tracked
            counts.granted -= 1
            lane.sending += 1
            commands.append(.send(granted))
        }
        guard !isStopping else { return commands }
        while permitsInFlight < lane.permitsMax, asked.count + counts.granted + lane.sending < Limits.permitsInFlightMax,
            let action = popWaiting(), var tracked = actions[action]
        {
            attempts += 1
            let attempt = AttemptID(instance: settings.instance, number: attempts)
            tracked.phase = .asked(attempt, at: now, isLate: false)
            actions[action] = tracked
            asked.insert(action)
            commands.append(
                .ask(PermitRequest(shard: tracked.shard, customer: tracked.customer, action: action, attempt: attempt)))
        }
        return commands
    }

    /// The earliest deadline of all shards but those whose answers are late: one without an owner holds up no other.
    private mutating func popWaiting() -> ActionID? {
        while true {
            var best: (time: Instant, action: ActionID, shard: ShardID)?
            for (shard, queue) in queues where lateAnswers[shard] == nil {
                guard let first = queue.first else { continue }
                if best.map({ (first.time, first.action) < ($0.time, $0.action) }) ?? true {
                    best = (first.time, first.action, shard)
                }
            }
            guard let best else { return nil }
            _ = queues[best.shard]?.pop()
            if queues[best.shard]?.count == 0 { queues[best.shard] = nil }
            if actions[best.action]?.phase == .waiting { return best.action }
        }
    }

    private mutating func repeatRequests(now: Instant) -> [DispatcherCommand] {
        var commands: [DispatcherCommand] = []
        for action in asked.sorted() {
            guard var tracked = actions[action], case .asked(let attempt, let at, let isLate) = tracked.phase else { continue }
            if !isLate, now - at >= settings.answerLate {
                tracked.phase = .asked(attempt, at: at, isLate: true)
                actions[action] = tracked
                lateAnswers[tracked.shard, default: 0] += 1
            } else if isLate, now - at >= settings.repeatAfter {
                tracked.phase = .asked(attempt, at: now, isLate: true)
                actions[action] = tracked
                commands.append(
                    .ask(PermitRequest(shard: tracked.shard, customer: tracked.customer, action: action, attempt: attempt)))
            }
        }
        return commands
    }

    /// An outcome that did not close its action is told again; a stranger's that was taken for gone is asked for anew,
    /// and the shard decides.
    private mutating func repeatReports(now: Instant) -> [DispatcherCommand] {
        var commands: [DispatcherCommand] = []
        for action in unconfirmed.sorted() {
            guard var tracked = actions[action], case .reported(let report, let at) = tracked.phase,
                now - at >= settings.repeatAfter
            else { continue }
            unconfirmed.remove(action)
            if report.attempt.instance == settings.instance {
                tracked.phase = .reporting(report)
                actions[action] = tracked
                counts.reporting += 1
                commands.append(.report(report))
            } else {
                wait(action, tracked)
            }
        }
        return commands
    }
}
