import Model

// The elements of a profile's lists as bytes.

extension Instant {
    /// Wraps, so that damaged bytes cannot trap.
    @inline(__always)
    static func &+ (instant: Instant, milliseconds: Int64) -> Instant {
        Instant(milliseconds: instant.milliseconds &+ milliseconds)
    }
}

extension Order: Packable {
    static var countMax: Int { Limits.ordersKeptMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.string(id)
        let flags: UInt8 =
            (changed != placed ? 0x10 : 0) | (wasFulfilled ? 0x20 : 0) | (credit != nil ? 0x40 : 0)
            | (awaitsWorth ? 0x80 : 0)
        writer.byte(state.rawValue | flags)
        writer.signed(placed - base)
        if changed != placed { writer.signed(changed - placed) }
        writer.signed(revenue)
        if let credit { writer.fixed(credit.value) }
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Order {
        let id = reader.string()
        let flags = reader.byte()
        let state = State(rawValue: flags & 0x0f)
        if state == nil { reader.fail() }
        let placed = base &+ reader.signed()
        return Order(
            id: id, state: state ?? .placed, placed: placed,
            changed: flags & 0x10 != 0 ? placed &+ reader.signed() : placed,
            revenue: reader.signed(), wasFulfilled: flags & 0x20 != 0,
            credit: flags & 0x40 != 0 ? ActionID(reader.fixed()) : nil, awaitsWorth: flags & 0x80 != 0)
    }
}

extension Purchase: Packable {
    static var countMax: Int { Limits.productsKeptMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.varint(UInt64(product))
        writer.signed(last - base)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Purchase {
        Purchase(product: UInt32(reader.count(max: Int(Int32.max))), last: base &+ reader.signed())
    }
}

extension Occasion {
    /// The tag takes the low two bits of a byte whose others are the caller's; those that are rare have a second one.
    func pack(into writer: inout PackWriter, flags: UInt8) {
        switch self {
        case .lapse: writer.byte(flags << 2)
        case .product(let product):
            writer.byte(flags << 2 | 1)
            writer.varint(UInt64(product))
        case .order(let order):
            writer.byte(flags << 2 | 2)
            writer.string(order)
        case .offer(let order):
            writer.byte(flags << 2 | 3)
            writer.byte(0)
            writer.string(order)
        case .date(let day):
            writer.byte(flags << 2 | 3)
            writer.byte(1)
            writer.signed(day)
        case .views(let product):
            writer.byte(flags << 2 | 3)
            writer.byte(2)
            writer.varint(UInt64(product))
        case .cart:
            writer.byte(flags << 2 | 3)
            writer.byte(3)
        case .segment(let number):
            writer.byte(flags << 2 | 3)
            writer.byte(4)
            writer.fixed(number)
        }
    }

    static func unpack(_ reader: inout PackReader) -> (Occasion, flags: UInt8) {
        let tag = reader.byte()
        switch tag & 3 {
        case 0: return (.lapse, tag >> 2)
        case 1: return (.product(UInt32(reader.count(max: Int(Int32.max)))), tag >> 2)
        case 2: return (.order(reader.string()), tag >> 2)
        default: return (unpackRare(&reader), tag >> 2)
        }
    }

    private static func unpackRare(_ reader: inout PackReader) -> Occasion {
        switch reader.byte() {
        case 0: return .offer(reader.string())
        case 1: return .date(reader.signed())
        case 2: return .views(UInt32(reader.count(max: Int(Int32.max))))
        case 3: return .cart
        case 4: return .segment(reader.fixed())
        default:
            reader.fail()
            return .lapse
        }
    }
}

extension Timer: Packable {
    static var countMax: Int { Limits.timersMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.fixed(rule.number)
        occasion.pack(into: &writer, flags: due != firstDue ? 1 : 0)
        writer.signed(anchor - base)
        writer.signed(firstDue - anchor)
        if due != firstDue { writer.signed(due - firstDue) }
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Timer {
        let rule = RuleID(reader.fixed())
        let (occasion, flags) = Occasion.unpack(&reader)
        let anchor = base &+ reader.signed()
        let firstDue = anchor &+ reader.signed()
        return Timer(
            rule: rule, occasion: occasion, anchor: anchor, firstDue: firstDue,
            due: flags & 1 != 0 ? firstDue &+ reader.signed() : firstDue)
    }
}

extension OpenAction: Packable {
    static var countMax: Int { Limits.openActionsMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.fixed(id.value)
        writer.fixed(rule.number)
        writer.byte(channel.rawValue)
        occasion.pack(into: &writer, flags: grant != nil ? 1 : 0)
        writer.signed(anchor - base)
        writer.signed(due - anchor)
        writer.signed(decided - due)
        writer.signed(deadline - decided)
        if let grant {
            writer.fixed(grant.instance)
            writer.varint(grant.number)
        }
        writer.byte(failures)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> OpenAction {
        let id = ActionID(reader.fixed())
        let rule = RuleID(reader.fixed())
        let channel = reader.choice(or: Channel.record)
        let (occasion, flags) = Occasion.unpack(&reader)
        let anchor = base &+ reader.signed()
        let due = anchor &+ reader.signed()
        let decided = due &+ reader.signed()
        return OpenAction(
            id: id, rule: rule, channel: channel, occasion: occasion, anchor: anchor, due: due, decided: decided,
            deadline: decided &+ reader.signed(),
            grant: flags & 1 != 0 ? AttemptID(instance: reader.fixed(), number: reader.varint()) : nil,
            failures: reader.byte())
    }
}

extension Touch: Packable {
    static var countMax: Int { 2 * Limits.touchesMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.fixed(action.value)
        writer.fixed(rule.number)
        writer.signed(time - base)
        writer.signed(windowEnd - time)
        writer.signed(sales)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Touch {
        let action = ActionID(reader.fixed())
        let rule = RuleID(reader.fixed())
        let time = base &+ reader.signed()
        return Touch(action: action, rule: rule, time: time, windowEnd: time &+ reader.signed(), sales: reader.signed())
    }
}

extension Trait: Packable {
    static var countMax: Int { Limits.traitsMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.string(name)
        writer.string(value)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Trait { Trait(reader.string(), reader.string()) }
}
