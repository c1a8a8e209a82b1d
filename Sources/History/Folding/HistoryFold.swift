internal import Model
internal import Ports

/// Folds steps and the inputs that they read into rows. Pure: the same commits and inputs give the same rows, wherever the
/// fold begins anew.
///
/// LOG leads and IN follows: a step says how far it read IN, and its effects say which of these inputs were set aside, which
/// messages of other shards were taken, and whether what was replayed was. So one position stands for both logs.
struct HistoryFold: Sendable {
    let shard: ShardID
    let isLive: Bool
    private(set) var rows: [HistoryRow] = []

    init(shard: ShardID, isLive: Bool) {
        self.shard = shard
        self.isLive = isLive
    }

    mutating func take() -> [HistoryRow] {
        defer { rows = [] }
        return rows
    }

    /// What a step's effects say of its inputs.
    private struct Told {
        var setAside: [Place: String] = [:]
        var replayed: Set<UInt64> = []
        var applied: Set<Source> = []
        /// Events that were passed on to where their customer's key leads, in the order of the inputs, and how many of them
        /// were found among the inputs.
        var passedOn: [Event] = []
        var passed = 0

        struct Place: Hashable {
            var input: UInt64
            var index: UInt32
        }

        struct Source: Hashable {
            var shard: ShardID
            var counter: UInt64
        }
    }

    /// Adds a step.
    ///
    /// - Parameters:
    ///   - inputs: records of IN, ascending, from the position's ``HistoryPosition/inputNeeded`` to the step's; those that
    ///     are gone are left out.
    ///   - position: of the step before; moves to this one's.
    mutating func add(_ step: Step, inputs: [LogRecord], from position: inout HistoryPosition) throws(FormatError) {
        var effects: [Effect] = []
        var told = Told()
        var reader = ByteReader(step.effects)
        while !reader.isAtEnd {
            let effect = try Effect.read(&reader)
            try Self.note(effect, in: &told)
            effects.append(effect)
        }
        for record in inputs where record.sequence <= step.inputSequence {
            read(record, step, &told, &position)
        }
        if position.input < step.inputSequence {
            position.input = step.inputSequence
            position.through = step.eventsThrough
        }
        position.clock = max(position.clock, step.clock)
        for effect in effects { add(effect, at: step.clock) }
    }

    private static func note(_ effect: Effect, in told: inout Told) throws(FormatError) {
        switch effect {
        case .setAside(let event):
            told.setAside[Told.Place(input: event.inputSequence, index: event.index)] = event.reason
        case .replayed(let number): told.replayed.insert(number)
        case .messageApplied(let from, let counter): told.applied.insert(Told.Source(shard: from, counter: counter))
        case .messageSent(_, _, let body):
            if case .event(let event, _) = try ShardMessage.decoded(body) { told.passedOn.append(event) }
        case .actionOpened, .suppressed, .postponed, .permitGranted, .permitDenied, .actionClosed, .attributed,
            .messagesDelivered, .merged, .duplicateOffered, .actionMoved, .sums:
            break
        }
    }

    // MARK: Inputs

    /// What the step read of one record. One that cannot be read was set aside as a whole.
    private mutating func read(_ record: LogRecord, _ step: Step, _ told: inout Told, _ position: inout HistoryPosition) {
        let isSame = position.input == record.sequence && position.through != HistoryPosition.allOfIt
        let first = isSame ? Int(position.through) : 0
        let isLast = record.sequence == step.inputSequence
        let end = isLast ? Int(step.eventsThrough) : Int.max
        position.input = record.sequence
        if isLive { position.clock = max(position.clock, record.time) }
        let count: Int
        do throws(FormatError) {
            switch try InputContent.read(record.payload) {
            case .replay(let number, let message):
                let isTaken = first > 0 || told.replayed.contains(number)
                let again = LogRecord(sequence: record.sequence, time: record.time, payload: message)
                count = try read(
                    try InputContent.read(message), again, isTaken ? first..<max(first, end) : 0..<0, &told, position.clock,
                    replay: true)
            case let content:
                count = try read(content, record, first..<max(first, end), &told, position.clock, replay: false)
            }
        } catch {
            // What is left of it was set aside as one, and says so in DEAD.
            position.through = HistoryPosition.allOfIt
            return
        }
        position.through = end >= count ? HistoryPosition.allOfIt : UInt32(end)
    }

    /// Reads those places of a message; returns how many it has. An event or message that cannot be read was set aside.
    private mutating func read(
        _ content: InputContent, _ record: LogRecord, _ places: Range<Int>, _ told: inout Told, _ clock: Instant, replay: Bool
    ) throws(FormatError) -> Int {
        switch content {
        case .clock, .replay: return 1
        case .events(var reader):
            while let header = try reader.next() {
                guard places.contains(reader.index - 1), let event = try? header.event(record.payload) else { continue }
                let place = Told.Place(input: record.sequence, index: UInt32(reader.index - 1))
                add(event, place, &told, at: isLive ? clock : event.time, replay: replay, fromAfar: false)
            }
            return reader.count
        case .messages(var reader):
            while let body = try reader.next() {
                let source = Told.Source(shard: reader.source, counter: reader.first &+ UInt64(reader.index - 1))
                // A message that stands in the log twice, sent again before its coming was known, was applied the first time.
                guard places.contains(reader.index - 1), replay || told.applied.remove(source) != nil,
                    let message = try? ShardMessage.decoded(Array(record.payload[body]))
                else { continue }
                switch message {
                case .event(let event, let arrived):
                    let place = Told.Place(input: record.sequence, index: UInt32(reader.index - 1))
                    let time = isLive ? min(arrived, clock) : event.time
                    add(event, place, &told, at: time, replay: replay, fromAfar: true)
                case .merge(let other, let survivor):
                    if survivor.outlives(other) { rows.append(.mark(other, leadsTo: survivor)) }
                case .claim, .absorb: continue
                }
            }
            return reader.count
        }
    }

    private mutating func add(
        _ event: Event, _ place: Told.Place, _ told: inout Told, at time: Instant, replay: Bool, fromAfar: Bool
    ) {
        if told.passed < told.passedOn.count, told.passedOn[told.passed].isSame(event) {
            rows.append(.mark(event.customer, leadsTo: told.passedOn[told.passed].customer))
            rows.append(.passedOn(message: fromAfar ? Halves(0) : Halves(event.messageID), time: time))
            told.passed += 1
            return
        }
        guard var row = HistoryEvent(event, time: time) else { return }
        // Repeats of what another shard passed on are known where it arrived.
        if fromAfar { row.message = Halves(0) }
        row.note = told.setAside[place] ?? ""
        row.isReplay = replay
        rows.append(.event(row))
    }

    // MARK: Effects

    private mutating func add(_ effect: Effect, at clock: Instant) {
        switch effect {
        case .actionOpened(let opened): rows.append(.decision(Self.row(opened, .opened)))
        case .actionMoved(let opened): rows.append(.decision(Self.row(opened, .moved)))
        case .suppressed(let decision): rows.append(.decision(Self.row(decision, .suppressed, until: nil)))
        case .postponed(let decision, let until): rows.append(.decision(Self.row(decision, .postponed, until: until)))
        case .permitGranted(let grant):
            rows.append(
                .decision(
                    HistoryDecision(
                        customer: grant.customer, time: clock, kind: .permitGranted, rule: grant.rule, action: grant.action,
                        channel: grant.channel, text: HistoryEvent.cut(grant.template))))
        case .permitDenied(let customer, let action, _, let reason):
            rows.append(
                .decision(
                    HistoryDecision(
                        customer: customer, time: clock, kind: .permitDenied, rule: RuleID(0), action: action, reason: reason)))
        case .actionClosed(let closed):
            rows.append(
                .decision(
                    HistoryDecision(
                        customer: closed.customer, time: closed.time, kind: .closed, rule: closed.rule, action: closed.action,
                        reason: closed.reason, outcome: closed.outcome, text: HistoryEvent.cut(closed.detail))))
        case .attributed(let credit):
            rows.append(
                .decision(
                    HistoryDecision(
                        customer: credit.customer, time: credit.time, kind: .attributed, rule: credit.rule,
                        action: credit.action, orderID: credit.orderID, revenue: credit.revenue, sales: credit.sales,
                        conversions: credit.conversions)))
        case .merged(let other, let survivor, let time): rows.append(.merged(other, into: survivor, time: time))
        case .setAside, .replayed, .messageSent, .messagesDelivered, .messageApplied, .duplicateOffered, .sums: break
        }
    }

    private static func row(_ opened: ActionOpened, _ kind: HistoryDecision.Kind) -> HistoryDecision {
        HistoryDecision(
            customer: opened.customer, time: opened.decided, kind: kind, rule: opened.rule, action: opened.action,
            channel: opened.channel, text: HistoryEvent.cut(opened.subject))
    }

    private static func row(_ decision: Decision, _ kind: HistoryDecision.Kind, until: Instant?) -> HistoryDecision {
        HistoryDecision(
            customer: decision.customer, time: decision.decided, kind: kind, rule: decision.rule, action: decision.action,
            reason: decision.reason, until: until)
    }
}

extension Event {
    /// Whether this is the other, as another customer's.
    fileprivate func isSame(_ other: Event) -> Bool {
        customer != other.customer && messageID == other.messageID && time == other.time && body == other.body
    }
}
