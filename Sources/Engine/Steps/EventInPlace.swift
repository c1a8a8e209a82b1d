internal import CTrap
import Model

// What most events do, done where the customer's bytes stand. The result, byte for byte, is that of binding the customer,
// applying the event and packing it; a test compares the two. Whatever is unusual is left to that.

extension Shard {
    /// Nothing about the shard and its rules is unusual; asked once for a message and for each customer that is woken.
    var changesInPlace: Bool {
        appliesInPlace && trusted == nil && sweepFrom == nil && caution.isCalm && brain.rules.changesInPlace
    }

    /// What an event does, as far as it can be done in place.
    private enum InPlace {
        case nothing
        case count(PackedCustomer.Counter)
        case place(PlacedOrder)
    }

    /// How far applying an event in place came.
    enum InPlaceProgress {
        case done
        /// It has to be applied as any other.
        case untouched
        /// The same, but it is known to be no repeat, and what was due before it may have been run.
        case new
    }

    /// Applies the event, if nothing about it, its customer and the shard is unusual.
    @inline(__always)
    func applyInPlace(
        _ event: EventAhead, _ bytes: [UInt8], _ record: LogRecord, _ customer: isolated CustomerActor
    ) -> InPlaceProgress {
        let header = event.header
        guard header.identifiers.isEmpty, event.hash & keyMask == UInt64(id.number),
            isLive || (header.time >= Limits.timeMin && header.time < Limits.timeMax)
        else { return .untouched }
        reprise_place_event(record.sequence, eventsThrough)
        let now = isLive ? max(clock, record.time) : header.time
        guard let change = change(header, bytes, at: now) else { return .untouched }
        if isLive { clock = now }
        if isRepeat(header, record) {
            brain.effects.add(.repeats, 1)
            return .done
        }
        return apply(change, header.key, bytes, hash: event.hash, record, at: now, customer) ? .done : .new
    }

    private func apply(
        _ change: InPlace, _ key: Range<Int>, _ bytes: [UInt8], hash: UInt64, _ record: LogRecord, at now: Instant,
        _ customer: isolated CustomerActor
    ) -> Bool {
        if let bound {
            // Whoever is bound stays bound for its next event.
            if bound.hash == hash { return false }
            settle(customer)
        }
        guard let slot = table.slot(hash: hash, key: bytes, in: key) else {
            return applyInPlace(change, toNew: key, bytes, hash: hash, customer)
        }
        guard wakeInPlace(slot, through: now.milliseconds, customer) else { return false }
        reprise_place_event(record.sequence, eventsThrough)
        guard applyInPlace(change, slot, bytes, customer) else { return false }
        brain.effects.add(.events, 1)
        return true
    }

    @inline(__always)
    private func change(_ header: EventHeader, _ bytes: [UInt8], at now: Instant) -> InPlace? {
        switch header.kind {
        case .product:
            switch ProductEvent.quickKind(from: bytes, in: header.body) {
            case .viewed, .clicked: .count(.views)
            case .addedToCart, .removedFromCart, .addedToWishlist, .removedFromWishlist, .reviewed, .shared: .nothing
            case nil: nil
            }
        case .engagement:
            switch Engagement.quickKind(from: bytes, in: header.body) {
            case .clicked: .count(.clicks)
            case .opened: .count(.opens)
            case .delivered: .nothing
            case .bounced, .markedAsSpam, .unsubscribed, nil: nil
            }
        case .order: brain.placedOrder(from: bytes, in: header.body, at: now).map { .place($0) }
        case .identify, .named, .alias, .permitRequest, .outcome: nil
        }
    }

    private func applyInPlace(
        _ change: InPlace, _ slot: UInt32, _ bytes: [UInt8], _ customer: isolated CustomerActor
    ) -> Bool {
        switch change {
        case .nothing: return customer.isPlain(slot, in: table)
        case .count(let counter):
            // Before it is changed; that it is not after all does no harm.
            if capture != nil { capture?.write(slot, self) }
            guard customer.count(counter, slot, in: table) else { return false }
        case .place(let order):
            guard let next = customer.place(order, of: bytes, slot, in: table, &brain, into: &packing) else { return false }
            if capture != nil { capture?.write(slot, self) }
            table.store(slot, packing)
            note(wakeUp: next, of: slot)
        }
        changed.insert(slot)
        return true
    }

    private func applyInPlace(
        _ change: InPlace, toNew key: Range<Int>, _ bytes: [UInt8], hash: UInt64, _ customer: isolated CustomerActor
    ) -> Bool {
        var wakeUp = CustomerTable.noWakeUp
        switch change {
        case .nothing:
            guard customer.begin(key, of: bytes, nil, into: &packing) else { return false }
        case .count(let counter):
            guard customer.begin(key, of: bytes, counter, into: &packing) else { return false }
        case .place(let order):
            guard let next = customer.begin(key, with: order, of: bytes, &brain, into: &packing) else { return false }
            wakeUp = next
        }
        let slot = table.add(hash: hash, packed: packing)
        customers += 1
        brain.effects.add(.customers, 1)
        brain.effects.add(.events, 1)
        changed.insert(slot)
        note(wakeUp: wakeUp, of: slot)
        return true
    }

    /// Runs what the customer has due by `limit`, each at its own due time. False = not all of it has run.
    func wakeInPlace(_ slot: UInt32, through limit: Int64, _ customer: isolated CustomerActor) -> Bool {
        let first = table.wakeUp(of: slot)
        if first > limit { return true }
        guard changesInPlace else { return false }
        if capture != nil { capture?.write(slot, self) }
        var next = first
        var hasRun = false
        while next <= limit {
            reprise_place_wake_up(next, slot)
            guard let later = customer.wakeInPlace(slot, due: next, in: table, &brain) else { break }
            next = later
            hasRun = true
        }
        guard hasRun else { return false }
        changed.insert(slot)
        note(wakeUp: next, of: slot)
        return next > limit
    }
}

extension CustomerActor {
    /// Runs the first timer of the customer that is due at `due`. Returns when it wants to be woken next; nil = it was not run.
    func wakeInPlace(_ slot: UInt32, due: Int64, in table: CustomerTable, _ brain: inout Brain) -> Int64? {
        var packed = table.packed(slot)
        guard let next = brain.wakeInPlace(&packed, due: due) else { return nil }
        table.shrink(slot, to: packed.count)
        return next
    }

    /// Counts one more for a customer; false = it was not.
    func count(_ counter: PackedCustomer.Counter, _ slot: UInt32, in table: CustomerTable) -> Bool {
        let packed = table.packed(slot)
        return packed.isPlain && packed.increment(counter)
    }

    func isPlain(_ slot: UInt32, in table: CustomerTable) -> Bool { table.packed(slot).isPlain }

    /// Writes what the customer is with one order more. Returns when it wants to be woken next; nil = it was not.
    func place(
        _ order: PlacedOrder, of bytes: [UInt8], _ slot: UInt32, in table: CustomerTable, _ brain: inout Brain,
        into writer: inout PackWriter
    ) -> Int64? {
        writer.removeAll()
        return brain.place(order, of: bytes, on: table.packed(slot), into: &writer)
    }

    /// Writes a customer of whom nothing was known; false = it was not.
    func begin(
        _ key: Range<Int>, of bytes: [UInt8], _ counter: PackedCustomer.Counter?, into writer: inout PackWriter
    ) -> Bool {
        writer.removeAll()
        guard writer.appendBlank(key, of: bytes) else { return false }
        return counter.map { counter in writer.withCustomer { $0.increment(counter) } } ?? true
    }

    /// The same with a first order. Returns when it wants to be woken next.
    func begin(
        _ key: Range<Int>, with order: PlacedOrder, of bytes: [UInt8], _ brain: inout Brain, into writer: inout PackWriter
    ) -> Int64? {
        blank.removeAll()
        guard blank.appendBlank(key, of: bytes) else { return nil }
        writer.removeAll()
        return blank.withCustomer { brain.place(order, of: bytes, on: $0, into: &writer) }
    }
}

extension PackedCustomer {
    /// A customer like most: no mark, nobody claims it, and nothing is remembered of it that follows every event.
    @inline(__always)
    var isPlain: Bool { parts.isDisjoint(with: [.mark, .claimed, .habits]) }
}

extension Engagement {
    /// Nil says nothing, as ``ProductEvent/quickKind(from:in:)``.
    static func quickKind(from bytes: [UInt8], in range: Range<Int>) -> Kind? {
        PackReader.read(bytes, in: range) { reader in
            let kind = reader.choice(or: Kind.delivered)
            _ = reader.choice(or: Channel.record)
            let hasAction = reader.byte()
            if hasAction > 1 { reader.fail() }
            if hasAction == 1 { _ = reader.fixed(UInt128.self) }
            return reader.isSound && reader.isAtEnd ? kind : nil
        }
    }
}
