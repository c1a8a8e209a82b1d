internal import CTrap
import Model

// One event, as part of a step.

extension Shard {
    /// Applies one event: repeat? whose? what is due before it; then the event itself. The customer stays bound: the next
    /// event is often its own, and one whose profile is large would be unpacked and packed for each.
    ///
    /// - Parameter isNew: known to be no repeat; else that is asked here, once.
    func apply(
        _ header: EventHeader, _ reader: inout EventBatchReader, _ record: LogRecord, isNew: Bool,
        _ customer: isolated CustomerActor
    ) {
        reprise_place_event(record.sequence, eventsThrough)
        let now = instant(of: header, record)
        if !isNew && isRepeat(header, record) { return brain.effects.add(.repeats, 1) }
        if let workers = workersEnded(at: .event(inputSequence: record.sequence, index: eventsThrough)) {
            return setAside(record, reader, Self.trapped(workers))
        }
        guard isLive || header.isInternal || (header.time >= Limits.timeMin && header.time < Limits.timeMax) else {
            return setAside(record, reader, "its time is \(header.time.milliseconds) ms, outside of 1980 to 2099")
        }
        do {
            try deliver(header, record, hash: reader.hash, at: now, customer)
        } catch let fault as EventFault {
            setAside(record, reader, fault.reason)
        } catch {
            setAside(record, reader, "\(error)")
        }
    }

    /// Whether the event came before; it is known from now on. Asked once of each.
    @inline(__always)
    func isRepeat(_ header: EventHeader, _ record: LogRecord) -> Bool {
        header.messageID != 0 && !window.insert(header.messageID, arrived: record.time) && replaying == 0
    }

    /// Applies an event to its customer, or passes it on to whom the customer's key leads. Throws when it cannot be applied.
    ///
    /// - Parameter hash: of its key.
    func deliver(
        _ header: EventHeader, _ record: LogRecord, hash: UInt64, at now: Instant, _ customer: isolated CustomerActor
    ) throws {
        guard map.shard(hash: hash).number == id.number else {
            throw EventFault("its customer belongs to shard \(map.shard(hash: hash))")
        }
        let isKnown = bind(header.key, of: record.payload, hash: hash, customer)
        if isKnown {
            if let leadsTo = customer.leadsTo {
                let body = ShardMessage.passingOn(header, of: record.payload, to: leadsTo, arrived: now)
                return brain.send(body, to: leadsTo)
            }
            // A customer that is new in this step gets the next slot.
            wake(bound?.slot ?? UInt32(table.count), through: now, customer)
            reprise_place_event(record.sequence, eventsThrough)
        } else {
            var reader = ByteReader(record.payload, in: header.key)
            customer.activate(new: try CustomerKey.read(&reader))
        }
        // Before anything is applied: an event that is set aside must have changed nothing.
        let identifiers = header.identifiers.isEmpty ? [] : try header.identifiers(record.payload)
        let touched: Facts
        // The two kinds that most events are of are not wrapped up to be told apart again.
        switch header.kind {
        case .product where !brain.remembersBrowsing:
            touched = []
            let kind = ProductEvent.quickKind(from: record.payload, in: header.body)
            customer.apply(try kind ?? ProductEvent.kind(from: record.payload, in: header.body))
        case .order:
            let order = OrderEvent.quick(from: record.payload, in: header.body)
            try customer.apply(try order ?? OrderEvent.read(from: record.payload, in: header.body), at: now, &brain)
            touched = [.orders, .purchases]
        default:
            let body = try Event.Body.read(header.kind, from: record.payload, in: header.body)
            touched = body.touched
            if !isKnown && header.isInternal { return brain.effects.add(.repeats, 1) }
            try customer.apply(body, at: instant(of: body, now, customer), &brain)
        }
        if !identifiers.isEmpty { customer.claim(identifiers, &brain) }
        // Of an event that took its way through another shard the clock knows more than it does.
        customer.follow(touched, at: isLive ? clock : now, &brain)
        brain.effects.add(.events, 1)
        if !isKnown { bound = Bound(slot: nil, hash: hash) }
    }

    /// When the event happens. Live: when the log took it, and the clock moves there. Event time: when it says, or, for what
    /// comes from inside, at the shard's clock.
    private func instant(of header: EventHeader, _ record: LogRecord) -> Instant {
        if isLive {
            clock = max(clock, record.time)
            return clock
        }
        return header.isInternal ? clock : header.time
    }

    /// In event-time mode a delivery takes no time: permit and outcome happen when their action was decided, so that the
    /// result does not depend on how fast a dispatcher was.
    private func instant(of body: Event.Body, _ now: Instant, _ customer: isolated CustomerActor) -> Instant {
        if isLive { return now }
        switch body {
        case .permitRequest(let action, _), .outcome(let action, _, _, _): return customer.decided(action) ?? now
        default: return now
        }
    }

    /// Binds the actor to the event's customer, unless it is already; false when the customer is not known.
    private func bind(_ key: Range<Int>, of bytes: [UInt8], hash: UInt64, _ customer: isolated CustomerActor) -> Bool {
        if let bound, bound.hash == hash, customer.isBound(to: bytes, in: key) { return true }
        settle(customer)
        activations += 1
        guard let slot = activate(key, of: bytes, hash: hash, customer) else { return false }
        bringUpFirst(slot, customer)
        bound = Bound(slot: slot, hash: hash)
        return true
    }
}

extension Event.Body {
    /// What conditions may ask about of what it changes.
    fileprivate var touched: Facts {
        switch self {
        case .order: [.orders, .purchases]
        case .product: .browsing
        case .identify: [.traits, .consents]
        case .engagement: [.engagement, .consents]
        case .outcome: .engagement
        case .named, .alias, .permitRequest: []
        }
    }
}
