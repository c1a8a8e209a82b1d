import Model

// Most wake-ups decide by the occasion alone and record an action. That needs no list of the customer as values: the timer is
// read and taken out where it stands. Decides as `WakeUp.swift` does, or not at all.

extension Brain {
    /// Runs the first timer due at `due`, which is now. Returns when the customer wants to be woken next; nil = nothing was
    /// changed, because somebody has to look closer.
    mutating func wakeInPlace(_ customer: inout PackedCustomer, due: Int64) -> Int64? {
        guard customer.parts.isDisjoint(with: [.open, .mark, .claimed, .habits]),
            let (timer, next) = customer.timers.first(due: due),
            // Of several at one instant the rules' order counts.
            next > due, let index = rules.index(of: timer.rule), rules.gists[index].decidesInPlace, isWanted(timer, customer)
        else { return nil }
        let isLapse = timer.occasion.isLapse
        // Two of one rule: only the last to come up says that lapses have.
        if isLapse, customer.timers.find(timer.rule, .lapse, except: timer.place) != nil { return nil }
        #if DEBUG
            InjectedTrap.hit("wake:" + rules.set.rules[index].name)
        #endif
        effects.addArmed(timer.rule, -1)
        switch timer.occasion {
        case .lapse: unsafe open(timer, index, UnsafeBufferPointer(start: nil, count: 0), customer)
        case .order(let id): unsafe open(timer, index, id, customer)
        case .product(let product): open(timer, index, product: product, customer)
        case .other: preconditionFailure("a timer that is not wanted in place")
        }
        if isLapse { customer.noteLapse(decided: timer.firstDue) }
        customer.remove(timer)
        return next
    }

    @inline(__always)
    private func isWanted(_ timer: PackedTimers.Found, _ customer: PackedCustomer) -> Bool {
        switch timer.occasion {
        case .lapse: customer.lastOrder.map { $0 <= timer.anchor } ?? false
        case .product(let product): customer.lastPurchase(product).map { $0 <= timer.anchor } ?? true
        case .order(let id): unsafe customer.state(ofOrder: id)?.stands ?? true
        case .other: false
        }
    }

    @inline(__always)
    private mutating func open(_ timer: PackedTimers.Found, _ index: Int, product: UInt32, _ customer: PackedCustomer) {
        idScratch.removeAll()
        products.appendID(of: product, to: &idScratch)
        let id = unsafe idScratch.unsafeBytes
        unsafe open(timer, index, id, customer)
    }

    @inline(__always)
    private mutating func open(
        _ timer: PackedTimers.Found, _ index: Int, _ subject: UnsafeBufferPointer<UInt8>, _ customer: PackedCustomer
    ) {
        let rule = rules.gists[index]
        let action = unsafe ActionID.value(timer, customer: customer.key, subject: subject, &scratch)
        let deadline = timer.due + rule.postponeMilliseconds + testedChange.deadlineMilliseconds
        unsafe effects.addOpened(
            customer: customer.key, action: action, rule: rule.id, channel: Channel.record.rawValue, due: timer.firstDue,
            decided: timer.due, deadline: deadline, subject: subject)
    }
}

extension PackedOccasion {
    @inline(__always)
    fileprivate var isLapse: Bool { if case .lapse = self { true } else { false } }
}

extension ActionID {
    /// The same as ``ActionID/init(_:customer:subject:_:)``, its texts as bytes.
    @inline(__always)
    fileprivate static func value(
        _ timer: PackedTimers.Found, customer: UnsafeRawBufferPointer, subject: UnsafeBufferPointer<UInt8>,
        _ writer: inout PackWriter
    ) -> UInt128 {
        writer.removeAll()
        writer.varint(UInt64(customer.count))
        unsafe writer.append(customer)
        writer.fixed(timer.rule.number)
        switch timer.occasion {
        case .lapse:
            writer.byte(0)
            writer.signed(timer.anchor)
        case .product:
            writer.byte(1)
            writer.varint(UInt64(subject.count))
            unsafe writer.append(UnsafeRawBufferPointer(subject))
            writer.signed(timer.anchor)
        case .order:
            writer.byte(2)
            writer.varint(UInt64(subject.count))
            unsafe writer.append(UnsafeRawBufferPointer(subject))
        case .other: preconditionFailure("a timer that is not decided in place")
        }
        return unsafe writer.withBytes { unsafe Hashing.hash128($0) }
    }
}
