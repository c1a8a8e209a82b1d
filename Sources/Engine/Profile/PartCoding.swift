import Model

// The elements of a profile's lists as bytes.

extension Instant {
    /// Wraps, so that damaged bytes cannot trap.
    @inline(__always)
    static func &+ (instant: Instant, milliseconds: Int64) -> Instant {
        Instant(milliseconds: instant.milliseconds &+ milliseconds)
    }
}

// Orders, purchases and timers stand in the form that ``PackedCustomer`` reads and changes where it stands.

extension Order: Packable {
    static var countMax: Int { Limits.ordersKeptMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        let isWide = Int64(Int32(truncatingIfNeeded: revenue)) != revenue
        let isChanged = changed != placed
        writer.byte(
            state.rawValue | (isWide ? PackedOrder.wide : 0) | (isChanged ? PackedOrder.changed : 0)
                | (wasFulfilled ? PackedOrder.fulfilled : 0) | (credit != nil ? PackedOrder.credited : 0)
                | (awaitsWorth ? PackedOrder.awaitsWorth : 0))
        writer.time(placed)
        if isChanged { writer.time(changed) }
        if isWide { writer.fixed(revenue) } else { writer.fixed(Int32(revenue)) }
        writer.shortString(id)
        if let credit { writer.fixed(credit.value) }
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Order {
        let flags = reader.byte()
        let state = State(rawValue: flags & PackedOrder.state)
        if state == nil { reader.fail() }
        let placed = reader.time()
        let changed = flags & PackedOrder.changed != 0 ? reader.time() : placed
        let revenue = flags & PackedOrder.wide != 0 ? reader.fixed(Int64.self) : Int64(reader.fixed(Int32.self))
        let id = reader.string(ofCount: Int(reader.byte()))
        return Order(
            id: id, state: state ?? .placed, placed: placed, changed: changed, revenue: revenue,
            wasFulfilled: flags & PackedOrder.fulfilled != 0,
            credit: flags & PackedOrder.credited != 0 ? ActionID(reader.fixed()) : nil,
            awaitsWorth: flags & PackedOrder.awaitsWorth != 0)
    }
}

extension Purchase: Packable {
    static var countMax: Int { Limits.productsKeptMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.small(product)
        writer.time(last)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Purchase {
        Purchase(product: reader.small(), last: reader.time())
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
        let tag =
            switch occasion {
            case .lapse: PackedTimer.lapse
            case .product: PackedTimer.product
            case .order: PackedTimer.order
            case .offer: PackedTimer.offer
            case .date: PackedTimer.date
            case .views: PackedTimer.views
            case .cart: PackedTimer.cart
            case .segment: PackedTimer.segment
            }
        writer.byte(tag | (due != firstDue ? PackedTimer.postponed : 0))
        writer.fixed(rule.number)
        writer.time(due)
        writer.time(anchor)
        if due != firstDue { writer.time(firstDue) }
        switch occasion {
        case .lapse, .cart: break
        case .product(let product), .views(let product): writer.small(product)
        case .order(let order), .offer(let order): writer.shortString(order)
        case .date(let day): writer.fixed(day)
        case .segment(let number): writer.fixed(number)
        }
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Timer {
        let tag = reader.byte()
        let rule = RuleID(reader.fixed())
        let due = reader.time()
        let anchor = reader.time()
        let firstDue = tag & PackedTimer.postponed != 0 ? reader.time() : due
        return Timer(rule: rule, occasion: occasion(tag, &reader), anchor: anchor, firstDue: firstDue, due: due)
    }

    private static func occasion(_ tag: UInt8, _ reader: inout PackReader) -> Occasion {
        switch tag & ~PackedTimer.postponed {
        case PackedTimer.lapse: return .lapse
        case PackedTimer.product: return .product(reader.small())
        case PackedTimer.order: return .order(reader.string(ofCount: Int(reader.byte())))
        case PackedTimer.offer: return .offer(reader.string(ofCount: Int(reader.byte())))
        case PackedTimer.date: return .date(reader.fixed())
        case PackedTimer.views: return .views(reader.small())
        case PackedTimer.cart: return .cart
        case PackedTimer.segment: return .segment(reader.fixed())
        default:
            reader.fail()
            return .lapse
        }
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
