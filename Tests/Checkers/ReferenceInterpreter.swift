package import Model

/// Decides again what a shard decided, from IN alone and in the plainest way, and compares the outputs, customer by customer.
///
/// Of LOG it takes only where each step ended, its time and its configuration, and what was set aside because it ended
/// workers; not one effect else. It knows the mechanics, segments, hours in UTC, permits and first touch; bounds of a profile
/// it does not know, so that a customer must stay within them. Customers with identifiers it does not know either: they and
/// their goods must be theirs alone, and what the shard counts is then not compared.
package struct ReferenceInterpreter {
    private let timeMode: Installation.TimeMode
    private let configuration: [UInt64: RuleSet]
    /// Whether a customer may have identifiers or be merged.
    private let isForeign: @Sendable (CustomerKey) -> Bool
    private var customers: [CustomerKey: ReferenceCustomer] = [:]
    private var setAside: Set<Place> = []
    private var replayed: Set<UInt64> = []
    private var products: [String: Product] = [:]
    /// Of the customers it knows.
    private var counts = ReferenceCounts()
    /// Orders that stand, of the customers it knows; after ``compare(_:inputs:steps:)``.
    package var orders: Int64 { counts.counters[.orders] ?? 0 }
    private var clock = Instant.distantPast
    private var known = KnownMessages()
    /// Inputs that only customers with identifiers send were passed over.
    private var hasSkipped = false

    /// - Parameter configuration: the records of CONFIG.
    package init(
        timeMode: Installation.TimeMode, configuration: [LogRecord],
        isForeign: @escaping @Sendable (CustomerKey) -> Bool = { _ in false }
    ) throws {
        self.timeMode = timeMode
        self.isForeign = isForeign
        var sets: [UInt64: RuleSet] = [0: RuleSet()]
        for record in configuration {
            sets[record.sequence] = try RuleSet.decoded(record.payload, revision: record.sequence)
        }
        self.configuration = sets
    }

    /// What comes out otherwise. Nil: the steps woke customers late, or set a wake-up aside, which it does not know.
    package mutating func compare(_ shard: ShardID, inputs: [LogRecord], steps: [Step]) throws -> [Violation]? {
        if steps.contains(where: { $0.lateWakeUps > 0 }) { return nil }
        for case .setAside(let event) in try steps.flatMap({ try $0.decodedEffects() }) {
            guard !event.message.isEmpty else { return nil }
            setAside.insert(.event(inputSequence: event.inputSequence, index: event.index))
        }
        var recorded: [CustomerKey: [Effect]] = [:]
        var recordedCounts = ReferenceCounts()
        var position = (sequence: UInt64(1), index: 0)
        var before: RuleSet?
        for step in steps {
            guard let rules = configuration[step.configuration] else {
                return [Violation("I4 configuration", "revision \(step.configuration) is named and not in CONFIG")]
            }
            if let before, before.revision != rules.revision { bringUp(before, rules) }
            before = rules
            try apply(inputs, from: &position, through: step, rules)
            for effect in try step.decodedEffects() {
                if case .sums(let deltas) = effect { recordedCounts.add(deltas) }
                guard let (customer, plain) = effect.ofCustomer else { continue }
                if isForeign(customer) { hasSkipped = true } else { recorded[customer, default: []].append(plain) }
            }
        }
        var found: [Violation] = []
        for (key, customer) in customers.sorted(by: { $0.key < $1.key }) {
            let log = recorded[key] ?? []
            counts.add(customer.counts)
            if log != customer.decided { found.append(Self.difference(shard, key, log, customer.decided)) }
        }
        for key in recorded.keys.sorted() where customers[key] == nil {
            found.append(Violation("reference interpreter", "shard \(shard): \(key) has effects and no events"))
        }
        if !hasSkipped && recordedCounts.withoutZeros != counts.withoutZeros {
            found.append(Violation("reference interpreter", "shard \(shard) counts \(recordedCounts), expected \(counts)"))
        }
        return found
    }

    private static func difference(_ shard: ShardID, _ key: CustomerKey, _ log: [Effect], _ own: [Effect]) -> Violation {
        let place = zip(log, own).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(log.count, own.count)
        let there = place < log.count ? "\(log[place])" : "nothing"
        let here = place < own.count ? "\(own[place])" : "nothing"
        return Violation(
            "reference interpreter", "shard \(shard), \(key), decision \(place + 1): LOG has \(there), expected was \(here)")
    }

    /// The step's share of IN, then what its clock made due.
    private mutating func apply(
        _ inputs: [LogRecord], from position: inout (sequence: UInt64, index: Int), through step: Step, _ rules: RuleSet
    ) throws {
        while position.sequence <= step.inputSequence {
            let record = inputs[Int(position.sequence) - 1]
            let end = record.sequence < step.inputSequence ? Int.max : Int(step.eventsThrough)
            switch try InputMessage.decoded(record.payload) {
            case .clock(let instant):
                guard end > 0 else { return }
                if timeMode == .eventTime && position.index == 0 {
                    wakeAll(through: instant, rules)
                    clock = max(clock, instant)
                }
                position.index = 1
            case .replay(let number, let message):
                guard end > 0 else { return }
                if position.index == 0 {
                    try replay(number, LogRecord(sequence: record.sequence, time: record.time, payload: message), rules)
                }
                position.index = 1
            case .events(let events):
                while position.index < min(end, events.count) {
                    apply(events[position.index], record, position.index, rules)
                    position.index += 1
                }
            case .messages:
                hasSkipped = true
                if timeMode == .live && end > 0 { clock = max(clock, record.time) }
            }
            guard record.sequence < step.inputSequence else { break }
            position = (record.sequence + 1, 0)
        }
        guard timeMode == .live else { return }
        clock = max(clock, step.clock)
        wakeAll(through: clock, rules)
    }

    /// Another configuration: from this instant on it counts for everybody.
    private mutating func bringUp(_ before: RuleSet, _ rules: RuleSet) {
        let known = Set(before.rules.filter(\.enabled).map(\.id))
        let fresh = Set(rules.rules.filter(\.enabled).map(\.id)).subtracting(known)
        for key in customers.keys { customers[key]?.bringUp(rules, fresh: fresh, from: clock) }
    }

    private mutating func wakeAll(through limit: Instant, _ rules: RuleSet) {
        for key in customers.keys { customers[key]?.wake(through: limit, rules) }
    }

    /// What was set aside, once more: taken the first time.
    private mutating func replay(_ number: UInt64, _ record: LogRecord, _ rules: RuleSet) throws {
        guard replayed.insert(number).inserted else {
            counts.counters[.repeats, default: 0] += 1
            return
        }
        guard case .events(let events) = try InputMessage.decoded(record.payload) else { return }
        for (index, event) in events.enumerated() { apply(event, record, index, isReplay: true, rules) }
    }

    private mutating func apply(
        _ event: Event, _ record: LogRecord, _ index: Int, isReplay: Bool = false, _ rules: RuleSet
    ) {
        var isInternal = false
        if case .permitRequest = event.body { isInternal = true }
        if case .outcome = event.body { isInternal = true }
        if timeMode == .live { clock = max(clock, record.time) }
        let now = timeMode == .live || isInternal ? clock : event.time
        if event.messageID != 0 && !known.insert(event.messageID, at: record.time) && !isReplay {
            counts.counters[.repeats, default: 0] += 1
            return
        }
        if setAside.contains(.event(inputSequence: record.sequence, index: UInt32(index))) {
            counts.counters[.setAside, default: 0] += 1
            return
        }
        if isForeign(event.customer) {
            hasSkipped = true
            return
        }
        guard customers[event.customer] != nil || !isInternal else {
            counts.counters[.repeats, default: 0] += 1
            return
        }
        if customers[event.customer] == nil { counts.counters[.customers, default: 0] += 1 }
        var customer = customers[event.customer] ?? ReferenceCustomer(key: event.customer)
        customer.wake(through: now, rules)
        var time = now
        if timeMode == .eventTime, case .permitRequest(let action, _) = event.body { time = customer.decidedTime(action) ?? now }
        if timeMode == .eventTime, case .outcome(let action, _, _, _) = event.body { time = customer.decidedTime(action) ?? now }
        customer.apply(event.body, at: time, rules, &products)
        counts.counters[.events, default: 0] += 1
        customers[event.customer] = customer
    }
}

/// Message ids as they are remembered: those of the last hour and of the hour before.
private struct KnownMessages {
    private var younger: Set<UInt128> = []
    private var older: Set<UInt128> = []
    private var began = Instant.distantPast

    mutating func insert(_ id: UInt128, at now: Instant) -> Bool {
        if now - began > Milliseconds.hour {
            older = younger
            younger = []
            began = now
        }
        return !older.contains(id) && younger.insert(id).inserted
    }
}

extension ReferenceCustomer {
    fileprivate func decidedTime(_ action: ActionID) -> Instant? { open.first { $0.action == action }?.decided }
}

extension ReferenceCounts {
    mutating func add(_ other: ReferenceCounts) {
        counters.merge(other.counters) { $0 + $1 }
        armed.merge(other.armed) { $0 + $1 }
    }

    mutating func add(_ deltas: [SumDelta]) {
        for delta in deltas {
            switch delta.counter {
            case .timersArmed: armed[delta.rule, default: 0] += delta.amount
            // Of memberships only the end is certain: a sweep may come sooner or later.
            case .members, .reachableMembers: break
            default: counters[delta.counter, default: 0] += delta.amount
            }
        }
    }

    var withoutZeros: ReferenceCounts {
        ReferenceCounts(counters: counters.filter { $0.value != 0 }, armed: armed.filter { $0.value != 0 })
    }
}

extension Effect {
    /// Whose it is, and the effect as it is compared; nil for what is nobody's.
    fileprivate var ofCustomer: (CustomerKey, Effect)? {
        switch self {
        case .actionOpened(let opened): return (opened.customer, self)
        case .suppressed(let decision), .postponed(let decision, _): return (decision.customer, self)
        case .permitGranted(var grant):
            grant.fields = []
            return (grant.customer, .permitGranted(grant))
        case .permitDenied(let customer, _, _, _): return (customer, self)
        case .actionClosed(let closed): return (closed.customer, self)
        case .attributed(let credit): return (credit.customer, self)
        case .setAside, .replayed, .sums, .messageSent, .messagesDelivered, .messageApplied, .merged, .duplicateOffered,
            .actionMoved:
            return nil
        }
    }
}
