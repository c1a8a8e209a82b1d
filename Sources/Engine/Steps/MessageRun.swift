internal import CTrap
import Model

// What other shards tell, as part of a step: each message once, and in the order in which it was sent.

extension Shard {
    func run(
        messages batch: ShardMessageReader, _ record: LogRecord, _ bound: StepBound, _ events: inout Int,
        _ customer: isolated CustomerActor
    ) -> MessageProgress {
        var reader = batch
        do throws(FormatError) {
            for _ in 0..<eventsThrough where try reader.next() == nil { return .finished }
            if timeMode == .live { clock = max(clock, record.time) }
            while true {
                if eventsThrough < UInt32(batch.count), isReached(bound, events, record) { return .bounded }
                let counter = batch.first &+ UInt64(reader.index)
                guard let body = try reader.next() else { return .finished }
                take(body, counter, reader, record, customer)
                eventsThrough += 1
                events += 1
            }
        } catch {
            // What cannot be read to its end: what is left of it is set aside as one.
            if eventsThrough != Self.passedOver { setAside(record, "\(error)", reader.rest(of: record.payload)) }
            eventsThrough = Self.passedOver
            return .finished
        }
    }

    private func take(
        _ body: Range<Int>, _ counter: UInt64, _ reader: ShardMessageReader, _ record: LogRecord,
        _ customer: isolated CustomerActor
    ) {
        reprise_place_event(record.sequence, eventsThrough)
        let source = reader.source
        // What was set aside comes again under the counter that it had: whether it is taken was decided by its number.
        if replaying == 0 {
            switch inbox.place(of: counter, from: source) {
            case .known: return
            case .ahead(let expected):
                // The source sends one after another, each when the one before stands here: this log was damaged.
                let reason = "message \(counter) of shard \(source), \(expected) is missing before it"
                return setAside(record, reason, reader.alone(in: record.payload))
            case .next:
                inbox.apply(counter, from: source)
                brain.effects.add(.messageApplied(from: source, counter: counter))
            }
        }
        do {
            if let workers = workersEnded(at: .event(inputSequence: record.sequence, index: eventsThrough)) {
                throw EventFault(Self.trapped(workers))
            }
            try apply(try ShardMessageContent.read(record.payload, in: body), record, customer)
        } catch let fault as EventFault {
            setAside(record, fault.reason, reader.alone(in: record.payload))
        } catch {
            setAside(record, "\(error)", reader.alone(in: record.payload))
        }
    }

    private func apply(
        _ message: ShardMessageContent, _ record: LogRecord, _ customer: isolated CustomerActor
    ) throws {
        switch message {
        case .event(let header, let arrived):
            // It happened where it arrived. Wake-ups between then and now may have run: it comes as late as it comes.
            let now =
                switch timeMode {
                case .live: min(arrived, clock)
                case .eventTime: header.isInternal ? clock : header.time
                }
            let hash = Hashing.hash64(record.payload, in: header.key)
            try deliver(header, record, hash: hash, at: now, customer)
        case .claim(let identifier, let claimant, let former):
            try with(identifier.key, customer) { customer, brain in
                customer.take(claim: identifier, of: claimant, former: former, &brain)
            }
        case .merge(let other, let survivor):
            try with(other, customer) { customer, brain in customer.merge(into: survivor, &brain) }
        case .absorb(let other, let survivor, let range):
            try absorb(other, into: survivor, range, record, customer)
        }
    }

    private func absorb(
        _ other: CustomerKey, into survivor: CustomerKey, _ range: Range<Int>, _ record: LogRecord,
        _ customer: isolated CustomerActor
    ) throws {
        let clock = clock
        try with(survivor, customer) { customer, brain in
            if let leadsTo = customer.profile.identity?.leadsTo {
                let message = ShardMessage.absorb(other, into: leadsTo, profile: Array(record.payload[range]))
                return brain.send(message, to: leadsTo)
            }
            let profile = try Profile.arrived(record.payload, in: range, &brain.products)
            customer.absorb(profile, of: other, at: clock, &brain)
        }
    }

    /// Binds the actor to the customer of this key, known or not, with all run that is due, and packs it again.
    private func with(
        _ key: CustomerKey, _ customer: isolated CustomerActor,
        _ change: (isolated CustomerActor, inout Brain) throws -> Void
    ) throws {
        let bytes = Array(key.text.utf8)
        let hash = key.hash
        guard map.shard(hash: hash) == id else { throw EventFault("\(key) belongs to shard \(map.shard(hash: hash))") }
        settle(customer)
        let slot = activate(0..<bytes.count, of: bytes, hash: hash, customer)
        if slot == nil {
            customer.activate(new: key)
        } else if let slot, !customer.profile.isMark {
            bringUpFirst(slot, customer)
            wake(slot, through: clock, customer)
            reprise_place_event(inputSequence, eventsThrough)
        }
        do {
            try change(customer, &brain)
        } catch {
            // What was due has run: that is kept. A customer that was not known stays so.
            if slot != nil { rest(slot, hash: hash, customer) }
            throw error
        }
        rest(slot, hash: hash, customer)
    }
}
