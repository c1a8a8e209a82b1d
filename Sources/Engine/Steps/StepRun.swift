internal import CTrap
package import Model

/// How far a step goes: as far as the limits allow, or exactly as far as a recorded one went.
enum StepBound {
    case limits
    case recorded(Step)
}

/// Customers that a step woke because the clock said so.
private struct WakeUpsRun {
    var onTime: UInt32 = 0
    var late: UInt32 = 0
    /// Not woken, but brought up to the configuration.
    var swept: UInt32 = 0

    var hasWoken: Bool { onTime > 0 || late > 0 }
}

extension Shard {
    /// Runs one bounded step over what waits and, in live mode, over what is due by `now`; nil when there was nothing to do.
    ///
    /// `now` is the time of the log's clock; it is ignored in event-time mode, where clock records drive. `delivered`: up to
    /// which counter other shards' inputs have this one's messages.
    package func runStep(
        _ inputs: inout InputQueue, now: Instant, delivered: [ShardID: UInt64] = [:]
    ) -> Step? {
        // The customer's actor shares this shard's executor, which `assumeIsolated` checks: no other thread is in either.
        nonisolated(unsafe) let shard = self
        return customer.assumeIsolated { customer in
            unsafe shard.runStep(&inputs, now: now, delivered, customer)
        }
    }

    private func runStep(
        _ inputs: inout InputQueue, now: Instant, _ delivered: [ShardID: UInt64], _ customer: isolated CustomerActor
    ) -> Step? {
        reprise_place_enter(id.number)
        defer { reprise_place_leave() }
        let before = (inputSequence, eventsThrough)
        let wasTold = note(delivered: delivered.sorted { $0.key < $1.key })
        var run = WakeUpsRun()
        var endsWithClock = false
        runInputs(&inputs, .limits, &run.onTime, &endsWithClock, customer)
        settle(customer)
        let isMoved = before != (inputSequence, eventsThrough)
        // A careful owner's step is one thing.
        let isFull = isMoved && commitBound == .event
        let isIdle =
            timeMode == .live
            ? isFull || !runDueWakeUps(hasInputs: !inputs.isEmpty, now: now, &run, customer) : run.onTime == 0
        if isSweeping && commitBound == .none {
            let most = isIdle && inputs.isEmpty ? Limits.stepSweptMax : Limits.stepSweptBesideMax
            run.swept = sweep(atMost: UInt32(most), customer)
        }
        if isIdle && !isMoved && !endsWithClock && !wasTold && run.swept == 0 && !hasAdopted { return nil }
        if isMoved || run.hasWoken { caution.stepped() }
        return takeStep(run)
    }

    /// Live mode, behind the inputs of the step; false when nothing was due.
    ///
    /// What waits in IN happened before `now`: until it is applied the clock follows it. A shard whose clock is so far
    /// behind plays an outage back: then everything that is due gives way, to be decided at the pace of what is late and
    /// with what the inputs still tell.
    private func runDueWakeUps(
        hasInputs: Bool, now: Instant, _ run: inout WakeUpsRun, _ customer: isolated CustomerActor
    ) -> Bool {
        let limit = hasInputs ? clock : max(clock, now)
        let isBehind = now - limit > Limits.lateMilliseconds
        let portion = pace.portion(at: now)
        guard portion > 0 && hasLate() || (!isBehind || portion > 0) && hasWakeUps(through: limit) else { return false }
        clock = limit
        retireLate()
        if !isBehind { run.onTime = runWakeUps(through: clock, atMost: wakeUpsMax, customer) }
        run.late = runLateWakeUps(atMost: min(portion, wakeUpsMax - run.onTime), customer)
        pace.took(run.late, at: now)
        return true
    }

    /// Runs a recorded step of this commit again. The effects must be those recorded: the caller compares.
    /// Throws when the inputs do not reach as far as the step did.
    package func replay(_ step: Step, _ inputs: inout InputQueue, commit: UInt64 = 1) throws(ReplayFault) -> Step {
        guard inputs.lastSequence >= step.inputSequence || inputSequence == step.inputSequence else {
            throw ReplayFault.missingInput(step.inputSequence)
        }
        let told: [(key: ShardID, value: UInt64)]
        do {
            told = try Effect.deliveries(at: step.effects).map { (key: $0.0, value: $0.1) }
        } catch {
            throw ReplayFault.unreadable("\(error)")
        }
        // The customer's actor shares this shard's executor, which `assumeIsolated` checks: no other thread is in either.
        nonisolated(unsafe) let shard = self
        return customer.assumeIsolated { customer in
            unsafe shard.replay(step, told, &inputs, commit, customer)
        }
    }

    /// Forgets messages that their destinations have. True when there were any.
    private func note(delivered: [(key: ShardID, value: UInt64)]) -> Bool {
        var wasTold = false
        for (destination, through) in delivered where brain.outbox.delivered(to: destination, through: through) {
            brain.effects.add(.messagesDelivered(to: destination, through: through))
            wasTold = true
        }
        return wasTold
    }

    private func replay(
        _ step: Step, _ told: [(key: ShardID, value: UInt64)], _ inputs: inout InputQueue, _ commit: UInt64,
        _ customer: isolated CustomerActor
    ) -> Step {
        reprise_place_replay(id.number, commit)
        defer { reprise_place_leave() }
        let before = (inputSequence, eventsThrough)
        _ = note(delivered: told)
        var run = WakeUpsRun()
        var endsWithClock = false
        runInputs(&inputs, .recorded(step), &run.onTime, &endsWithClock, customer)
        settle(customer)
        if timeMode == .live {
            clock = max(clock, step.clock)
            retireLate()
            run.onTime = runWakeUps(through: clock, atMost: step.wakeUps, customer)
            run.late = runLateWakeUps(atMost: step.lateWakeUps, customer)
        }
        run.swept = sweep(atMost: step.swept, customer)
        if before != (inputSequence, eventsThrough) || run.hasWoken { caution.stepped() }
        return takeStep(run)
    }

    /// The effects of what was changed by hand, as a step that runs nothing.
    func takeStep() -> Step { takeStep(WakeUpsRun()) }

    private func takeStep(_ run: WakeUpsRun) -> Step {
        hasAdopted = false
        precondition(
            brain.effects.byteCount <= Limits.stepEffectBytesMax, "a step of \(brain.effects.byteCount) bytes of effects")
        return Step(
            inputSequence: inputSequence, eventsThrough: eventsThrough, clock: clock, wakeUps: run.onTime,
            lateWakeUps: run.late, swept: run.swept, configuration: brain.rules.set.revision, effects: brain.effects.take())
    }

    /// Applies waiting messages until a bound is reached, a clock record has been worked on, or nothing waits.
    private func runInputs(
        _ inputs: inout InputQueue, _ bound: StepBound, _ wakeUps: inout UInt32, _ endsWithClock: inout Bool,
        _ customer: isolated CustomerActor
    ) {
        var events = 0
        let before = (inputSequence, eventsThrough)
        while let record = inputs.first {
            if record.sequence > inputSequence {
                guard reaches(record.sequence, bound) else { return }
                precondition(record.sequence == inputSequence + 1, "input \(record.sequence) after \(inputSequence)")
                inputSequence = record.sequence
                eventsThrough = 0
            } else if record.sequence < inputSequence {
                inputs.removeFirst()
                continue
            }
            switch run(record, bound, &events, &wakeUps, customer) {
            case .finished:
                inputs.removeFirst()
                completedInput = record.sequence
                // One message is enough for a careful owner; not the one that is read again and had come to its end.
                if case .limits = bound, commitBound != .none, before != (inputSequence, eventsThrough) { return }
            case .finishedClock:
                inputs.removeFirst()
                completedInput = record.sequence
                endsWithClock = true
                return
            case .bounded: return
            }
        }
    }

    private func reaches(_ sequence: UInt64, _ bound: StepBound) -> Bool {
        switch bound {
        // Messages that are set aside whole have no events to be bounded at.
        case .limits: brain.effects.byteCount < Limits.commitBytesTarget
        case .recorded(let step): sequence <= step.inputSequence
        }
    }

    private var isEventByEvent: Bool {
        switch commitBound {
        case .event: true
        case .none, .message: false
        }
    }

    enum MessageProgress { case finished, finishedClock, bounded }

    /// No event more in this step, after `events` of them.
    func isReached(_ bound: StepBound, _ events: Int, _ record: LogRecord) -> Bool {
        switch bound {
        case .limits:
            events >= Limits.stepEventsMax || events >= 1 && isEventByEvent || brain.effects.byteCount >= Limits.commitBytesTarget
                || brain.outbox.isFull
        case .recorded(let step):
            record.sequence == step.inputSequence && eventsThrough >= step.eventsThrough
        }
    }

    private func run(
        _ record: LogRecord, _ bound: StepBound, _ events: inout Int, _ wakeUps: inout UInt32, _ customer: isolated CustomerActor
    ) -> MessageProgress {
        do throws(FormatError) {
            guard record.payload.count <= Limits.batchBytesMax else {
                throw FormatError(
                    .invalid("a message of \(record.payload.count) bytes, allowed are \(Limits.batchBytesMax)"), at: 0)
            }
            switch try InputContent.read(record.payload) {
            case .clock(let instant): return run(clock: instant, record, bound, &wakeUps, customer)
            case .events(let reader): return run(events: reader, record, bound, &events, customer)
            case .messages(let reader): return run(messages: reader, record, bound, &events, customer)
            case .replay(let number, let message):
                guard replaying == 0 else { throw FormatError(.invalid("replay within a replay"), at: 2) }
                let again = LogRecord(sequence: record.sequence, time: record.time, payload: message)
                return run(replayOf: number, again, bound, &events, &wakeUps, customer)
            }
        } catch {
            // A message that cannot be read is set aside as one.
            if eventsThrough != Self.passedOver { setAside(record, "\(error)", record.payload) }
            eventsThrough = Self.passedOver
            return .finished
        }
    }

    /// In place of a count: the rest of the message was set aside, or is not wanted.
    static let passedOver = UInt32(Int32.max)

    /// A message that was set aside, once more: taken the first time that it comes, whatever the window of message ids says.
    private func run(
        replayOf number: UInt64, _ record: LogRecord, _ bound: StepBound, _ events: inout Int, _ wakeUps: inout UInt32,
        _ customer: isolated CustomerActor
    ) -> MessageProgress {
        var isTaken = false
        if eventsThrough == 0 {
            // Taking it and its first event belong to one step.
            if isReached(bound, events, record) { return .bounded }
            switch setAsideNumbers.replay(number) {
            case .taken: isTaken = true
            case .repeated:
                brain.effects.add(.repeats, 1)
                eventsThrough = Self.passedOver
            case .full:
                setAside(record, "more than \(Limits.replayedRangesMax) runs of numbers were replayed", record.payload)
                eventsThrough = Self.passedOver
            }
        }
        if eventsThrough == Self.passedOver { return .finished }
        replaying = number
        defer { replaying = 0 }
        let progress = run(record, bound, &events, &wakeUps, customer)
        if isTaken { brain.effects.add(.replayed(number: number)) }
        if progress != .bounded && eventsThrough == 0 { eventsThrough = Self.passedOver }
        return progress
    }

    private func run(
        events batch: EventBatchReader, _ record: LogRecord, _ bound: StepBound, _ events: inout Int,
        _ customer: isolated CustomerActor
    ) -> MessageProgress {
        var reader = batch
        do throws(FormatError) {
            for _ in 0..<eventsThrough where try reader.next() == nil { return .finished }
            var touched = reader.index
            // Both stay so within a message.
            let isUsual = changesInPlace
            let bytes = record.payload
            while true {
                // Behind the last event no bound holds: the run and its replay both look whether the message ends there.
                if eventsThrough < UInt32(batch.count) && isReached(bound, events, record) { return .bounded }
                if reader.index >= touched { touched = touchAhead(&reader) }
                if isUsual, reader.taken < reader.ahead.count {
                    let progress = applyInPlace(reader.ahead[reader.taken], bytes, record, customer)
                    reader.pass()
                    if progress != .done {
                        let header = reader.ahead[reader.taken - 1].header
                        apply(header, &reader, record, isNew: progress == .new, customer)
                    }
                } else {
                    guard let header = try reader.next() else { return .finished }
                    apply(header, &reader, record, isNew: false, customer)
                }
                eventsThrough += 1
                eventsApplied += 1
                events += 1
            }
        } catch {
            // A message that cannot be read to its end: what is left of it is set aside as one.
            if eventsThrough != Self.passedOver { setAside(record, "\(error)", reader.rest(of: record.payload)) }
            eventsThrough = Self.passedOver
            return .finished
        }
    }

    /// Works on a clock record: runs what is due by it; the clock stands at it only when all of that has run.
    private func run(
        clock instant: Instant, _ record: LogRecord, _ bound: StepBound, _ wakeUps: inout UInt32,
        _ customer: isolated CustomerActor
    ) -> MessageProgress {
        if eventsThrough > 0 { return .finished }
        guard timeMode == .eventTime else {
            setAside(record, "a clock record in a live installation", record.payload)
            eventsThrough = 1
            return .finished
        }
        guard instant >= .distantPast, instant <= .distantFuture else {
            setAside(record, "a clock record of \(instant.milliseconds) ms", record.payload)
            eventsThrough = 1
            return .finished
        }
        settle(customer)
        switch bound {
        case .limits:
            wakeUps = runWakeUps(through: instant, atMost: wakeUpsMax, customer)
            if hasWakeUps(through: instant) { return .bounded }
        case .recorded(let step):
            let isLast = step.inputSequence == record.sequence
            wakeUps = runWakeUps(through: instant, atMost: isLast ? step.wakeUps : .max, customer)
            if isLast && step.eventsThrough == 0 { return .bounded }
        }
        clock = max(clock, instant)
        eventsThrough = 1
        return .finishedClock
    }

    /// Runs due wake-ups in the order of due time and slot; returns how many customers were woken.
    private func runWakeUps(through limit: Instant, atMost most: UInt32, _ customer: isolated CustomerActor) -> UInt32 {
        var ran: UInt32 = 0
        while ran < most && brain.effects.byteCount < Limits.commitBytesTarget {
            guard let entry = nextEntry(through: limit) else { break }
            ran += 1
            // One due time at a time: between two of one customer others may be due.
            if wakeInPlace(entry.slot, through: entry.due, customer) { continue }
            customer.activate(entry.slot, in: table)
            bringUpFirst(entry.slot, customer)
            wake(entry.slot, through: Instant(milliseconds: entry.due), customer)
            rest(entry.slot, hash: 0, customer)
        }
        return ran
    }

    private var wakeUpsMax: UInt32 {
        switch commitBound {
        case .none: UInt32(Limits.stepWakeUpsMax)
        case .message: UInt32(Limits.carefulWakeUpsMax)
        case .event: 1
        }
    }

    /// Runs what the activated customer has due by `limit`, earliest first: each at its own due time or, when it comes late,
    /// at `late`.
    func wake(_ slot: UInt32, through limit: Instant, late: Instant? = nil, _ customer: isolated CustomerActor) {
        while case let next = customer.nextWakeUp, next <= limit.milliseconds {
            let due = Instant(milliseconds: next)
            reprise_place_wake_up(due.milliseconds, slot)
            if let workers = workersEnded(at: .wakeUp(due: due, slot: slot)) {
                setAsideWakeUp(due, at: late ?? due, workers, customer)
            } else {
                customer.wake(due: due, at: late ?? due, &brain)
            }
        }
    }

    /// Runs what is late, the latest first: each decides as of the clock, which is when it is asked. A customer is asked
    /// about everything of it that is late at once.
    private func runLateWakeUps(atMost most: UInt32, _ customer: isolated CustomerActor) -> UInt32 {
        var ran: UInt32 = 0
        while ran < most && brain.effects.byteCount < Limits.commitBytesTarget {
            guard let entry = nextLateEntry() else { break }
            customer.activate(entry.slot, in: table)
            bringUpFirst(entry.slot, customer)
            wake(entry.slot, through: clock + -Limits.lateMilliseconds, late: clock, customer)
            rest(entry.slot, hash: 0, customer)
            ran += 1
        }
        return ran
    }
}

/// Why a recorded step could not be run again.
package enum ReplayFault: Error, Equatable {
    /// The log does not hold this input.
    case missingInput(UInt64)
    /// What the step recorded cannot be read.
    case unreadable(String)
    /// The step does not come to the recorded input and event, but to these: its input is read otherwise.
    case otherEnd(UInt64, UInt32)
}
