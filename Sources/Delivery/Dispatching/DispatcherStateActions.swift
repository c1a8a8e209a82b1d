internal import DequeModule
internal import Model

// Changes of one action.

extension DispatcherState {
    static let heldWords = "delivery is held"

    var isHeld: Bool { hold?.isHeld ?? false }

    /// Due so early that another installation may have sent it, of which this one is the restored copy.
    private func isUncertain(_ tracked: TrackedAction) -> Bool {
        hold?.uncertainDueBeforeMilliseconds.map { tracked.due.milliseconds < $0 } ?? false
    }

    static func isDeliverable(_ channel: Channel) -> Bool { channel == .email }

    mutating func noteOpen(
        _ action: ActionID, _ shard: ShardID, _ customer: CustomerKey, due: Instant, deadline: Instant
    ) {
        guard actions[action] == nil else { return }
        guard actions.count < settings.actionsMax else {
            overflowed.insert(shard)
            return
        }
        wait(action, TrackedAction(shard: shard, customer: customer, due: due, deadline: deadline))
    }

    /// The action's customer was merged into another one, in this shard. What is under way goes on: told to the former
    /// customer, it reaches the new one.
    mutating func moved(_ opened: ActionOpened, to shard: ShardID) {
        guard var tracked = actions[opened.action] else {
            return noteOpen(opened.action, shard, opened.customer, due: opened.due, deadline: opened.deadline)
        }
        if case .asked(_, _, isLate: true) = tracked.phase {
            answered(tracked.shard)
            lateAnswers[shard, default: 0] += 1
        }
        tracked.shard = shard
        tracked.customer = opened.customer
        actions[opened.action] = tracked
        if tracked.phase == .waiting { queues[shard, default: ActionQueue()].push(opened.action, at: tracked.deadline) }
    }

    mutating func wait(_ action: ActionID, _ tracked: TrackedAction) {
        var tracked = tracked
        tracked.phase = .waiting
        actions[action] = tracked
        queues[tracked.shard, default: ActionQueue()].push(action, at: tracked.deadline)
    }

    mutating func rest(_ tracked: inout TrackedAction, _ action: ActionID, now: Instant) {
        let most = tracked.failures == 0 ? settings.setbackMax : settings.retryMax
        let failures = tracked.failures + tracked.setbacks
        let wait = DispatcherSettings.backoff(first: settings.retryFirst, factor: 3, most: most, failures: failures)
        let until = failures == 0 ? now : now + wait
        tracked.phase = .resting(until: until)
        resting.push(action, at: until)
    }

    /// Nothing was tried: it waits as before, for the lane. Should its content be what drives the provider away, the others
    /// have had their turn before it.
    mutating func stepBack(_ action: ActionID, _ tracked: TrackedAction, now: Instant) {
        var tracked = tracked
        guard tracked.foundAway else { return wait(action, tracked) }
        tracked.foundAway = false
        let until = max(now, lane.pausedUntil) + settings.retryFirst
        tracked.phase = .resting(until: until)
        actions[action] = tracked
        resting.push(action, at: until)
    }

    mutating func granted(_ granted: GrantedAction, now: Instant) -> [DispatcherCommand] {
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
            return [report(action, attempt, .notTried, "the attempt was over")]
        }
        leave(action, tracked)
        if isUncertain(tracked) {
            tracked.usedThrough = attempt.number
            actions[action] = tracked
            return [report(action, attempt, .uncertain, "due before the restore: it may have been sent")]
        }
        tracked.phase = .granted(granted)
        tracked.holder = nil
        actions[action] = tracked
        counts.granted += 1
        ready.append(action)
        if isHeld { return releaseReady(Self.heldWords) }
        return lane.isPaused(now) ? releaseReady("the provider cannot be used now") : []
    }

    mutating func denied(
        _ action: ActionID, _ attempt: AttemptID, by customer: CustomerKey, _ reason: Reason, now: Instant
    ) {
        guard var tracked = actions[action], case .asked(attempt, _, _) = tracked.phase else { return }
        leave(action, tracked)
        switch reason {
        case .unknownAction where customer != tracked.customer:
            // An identifier's key has led the request to its bearer of now; the action went with the one before.
            tracked.setbacks += 1
            rest(&tracked, action, now: now)
            actions[action] = tracked
        case .unknownAction, .alreadyClosed:
            actions[action] = nil
        case .grantedToAnother:
            if let holder = tracked.holder {
                tracked.phase = .elsewhere(holder, at: now)
                elsewhere[holder.instance, default: []].insert(action)
            } else {
                // Who has it was not in what we read: it is asked again until the log says.
                tracked.setbacks += 1
                rest(&tracked, action, now: now)
            }
            actions[action] = tracked
        default:
            // Not now. When it is for good, the shard closes the action next.
            tracked.setbacks += 1
            rest(&tracked, action, now: now)
            actions[action] = tracked
        }
    }

    mutating func heldElsewhere(_ action: ActionID, _ holder: AttemptID, now: Instant) {
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
    mutating func closed(_ action: ActionID) {
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
    mutating func leave(_ action: ActionID, _ tracked: TrackedAction) {
        switch tracked.phase {
        case .asked(_, _, let isLate):
            asked.remove(action)
            if isLate { answered(tracked.shard) }
        case .elsewhere: leaveElsewhere(action)
        case .reported: unconfirmed.remove(action)
        default: break
        }
    }

    mutating func answered(_ shard: ShardID) {
        let left = (lateAnswers[shard] ?? 0) - 1
        lateAnswers[shard] = left > 0 ? left : nil
    }

    mutating func leaveElsewhere(_ action: ActionID) {
        guard let tracked = actions[action], case .elsewhere(let holder, _) = tracked.phase else { return }
        elsewhere[holder.instance]?.remove(action)
        if elsewhere[holder.instance]?.isEmpty == true { elsewhere[holder.instance] = nil }
    }

    mutating func report(
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
        case .recorded, .withdrawn, .notTried: break
        }
        if outcome != .sent { counts.lastError = detail }
        return .report(report)
    }

    /// Gives back the permits that no message used: while the provider is away they would become uncertain in a crash.
    mutating func releaseReady(_ reason: String) -> [DispatcherCommand] {
        var commands: [DispatcherCommand] = []
        while let action = ready.popFirst() {
            guard var tracked = actions[action], case .granted(let granted) = tracked.phase else { continue }
            counts.granted -= 1
            tracked.usedThrough = granted.grant.attempt.number
            actions[action] = tracked
            commands.append(report(action, granted.grant.attempt, .notTried, reason))
        }
        return commands
    }
}
