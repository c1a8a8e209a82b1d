internal import DequeModule
internal import Model

// What is to be done next.

extension DispatcherState {
    /// Sends what may be sent, asks for what can be sent soon.
    mutating func next(now: Instant) -> [DispatcherCommand] {
        var commands: [DispatcherCommand] = []
        guard !lane.isPaused(now), !isHeld else { return commands }
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
    mutating func popWaiting() -> ActionID? {
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

    mutating func repeatRequests(now: Instant) -> [DispatcherCommand] {
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
    mutating func repeatReports(now: Instant) -> [DispatcherCommand] {
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
