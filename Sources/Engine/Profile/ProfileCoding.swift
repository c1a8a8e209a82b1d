import Model

// A dormant customer's bytes. Fields that most customers lack are announced by one bit each; times are relative to the
// first order, so that a customer with three orders takes about a hundred bytes.

extension Profile {
    private struct Parts: OptionSet {
        let rawValue: UInt16
        static let orders = Parts(rawValue: 1 << 0)
        static let views = Parts(rawValue: 1 << 1)
        static let clicks = Parts(rawValue: 1 << 2)
        static let opens = Parts(rawValue: 1 << 3)
        static let consents = Parts(rawValue: 1 << 4)
        static let history = Parts(rawValue: 1 << 5)
        static let products = Parts(rawValue: 1 << 6)
        static let timers = Parts(rawValue: 1 << 7)
        static let open = Parts(rawValue: 1 << 8)
        static let touches = Parts(rawValue: 1 << 9)
        static let traits = Parts(rawValue: 1 << 10)
        static let lapse = Parts(rawValue: 1 << 11)
        static let identity = Parts(rawValue: 1 << 12)
    }

    private var parts: Parts {
        var parts: Parts = []
        if firstOrder != nil { parts.insert(.orders) }
        if views != 0 { parts.insert(.views) }
        if clicks != 0 { parts.insert(.clicks) }
        if opens != 0 { parts.insert(.opens) }
        if consents != ConsentSet() { parts.insert(.consents) }
        if !orders.isEmpty { parts.insert(.history) }
        if !products.isEmpty { parts.insert(.products) }
        if !timers.isEmpty { parts.insert(.timers) }
        if !open.isEmpty { parts.insert(.open) }
        if !touches.isEmpty { parts.insert(.touches) }
        if !traits.isEmpty { parts.insert(.traits) }
        if lapseDecided != nil { parts.insert(.lapse) }
        if identity != nil { parts.insert(.identity) }
        return parts
    }

    func pack(into writer: inout ByteWriter) {
        let parts = parts
        writer.fixed(parts.rawValue)
        let base = firstOrder ?? .distantPast
        if let firstOrder {
            writer.instant(firstOrder)
            writer.signed((lastOrder ?? firstOrder) - firstOrder)
            writer.signed(orderCount)
            writer.signed(orderSum)
        }
        if parts.contains(.views) { writer.signed(views) }
        if parts.contains(.clicks) { writer.signed(clicks) }
        if parts.contains(.opens) { writer.signed(opens) }
        if parts.contains(.consents) {
            writer.fixed(consents.bits)
            writer.byte(consents.suppressed)
        }
        if let lapseDecided { writer.signed(lapseDecided - base) }
        if parts.contains(.history) { writer.list(orders) { $1.pack(into: &$0, base: base) } }
        if parts.contains(.products) {
            writer.list(products) { writer, purchase in
                writer.varint(UInt64(purchase.product))
                writer.signed(purchase.last - base)
            }
        }
        if parts.contains(.timers) { writer.list(timers) { $1.pack(into: &$0, base: base) } }
        if parts.contains(.open) { writer.list(open) { $1.pack(into: &$0, base: base) } }
        if parts.contains(.touches) { writer.list(touches) { $1.pack(into: &$0, base: base) } }
        if parts.contains(.traits) {
            writer.list(traits) { writer, trait in
                writer.string(trait.name)
                writer.string(trait.value)
            }
        }
        if let identity { identity.pack(into: &writer) }
    }

    /// Whether the packed profile that begins there has an identity; without unpacking it.
    static func hasIdentity(_ packed: [UInt8], at start: Int) -> Bool {
        guard packed.count >= start + 2 else { return false }
        return Parts(rawValue: UInt16(packed[start]) | UInt16(packed[start + 1]) << 8).contains(.identity)
    }

    mutating func unpack(from reader: inout ByteReader) throws(FormatError) {
        clear()
        let parts = Parts(rawValue: try reader.fixed())
        if parts.contains(.orders) {
            let first = try reader.instant()
            firstOrder = first
            lastOrder = first + (try reader.signed())
            orderCount = try reader.signed()
            orderSum = try reader.signed()
        }
        let base = firstOrder ?? .distantPast
        if parts.contains(.views) { views = try reader.signed() }
        if parts.contains(.clicks) { clicks = try reader.signed() }
        if parts.contains(.opens) { opens = try reader.signed() }
        if parts.contains(.consents) {
            consents.bits = try reader.fixed()
            consents.suppressed = try reader.byte()
        }
        if parts.contains(.lapse) { lapseDecided = base + (try reader.signed()) }
        if parts.contains(.history) {
            for _ in 0..<(try reader.count(max: Limits.ordersKeptMax)) { orders.append(try Order.unpack(&reader, base: base)) }
        }
        if parts.contains(.products) {
            for _ in 0..<(try reader.count(max: Limits.productsKeptMax)) {
                products.append(Purchase(product: UInt32(try reader.count()), last: base + (try reader.signed())))
            }
        }
        if parts.contains(.timers) {
            for _ in 0..<(try reader.count(max: Limits.timersMax)) { timers.append(try Timer.unpack(&reader, base: base)) }
        }
        if parts.contains(.open) {
            for _ in 0..<(try reader.count(max: Limits.openActionsMax)) {
                open.append(try OpenAction.unpack(&reader, base: base))
            }
        }
        if parts.contains(.touches) {
            for _ in 0..<(try reader.count(max: 2 * Limits.touchesMax)) { touches.append(try Touch.unpack(&reader, base: base)) }
        }
        if parts.contains(.traits) {
            for _ in 0..<(try reader.count(max: Limits.traitsMax)) {
                traits.append(Trait(try reader.string(), try reader.string()))
            }
        }
        if parts.contains(.identity) { identity = try Identity.unpack(&reader) }
        try reader.finish()
    }
}

extension Order {
    func pack(into writer: inout ByteWriter, base: Instant) {
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

    static func unpack(_ reader: inout ByteReader, base: Instant) throws(FormatError) -> Order {
        let id = try reader.string()
        let position = reader.position
        let flags = try reader.byte()
        guard let state = State(rawValue: flags & 0x0f) else { throw FormatError(.invalid("order state"), at: position) }
        let placed = base + (try reader.signed())
        return Order(
            id: id, state: state, placed: placed, changed: flags & 0x10 != 0 ? placed + (try reader.signed()) : placed,
            revenue: try reader.signed(), wasFulfilled: flags & 0x20 != 0,
            credit: flags & 0x40 != 0 ? ActionID(try reader.fixed()) : nil, awaitsWorth: flags & 0x80 != 0)
    }
}

extension Occasion {
    /// The tag takes the low two bits of a byte whose others are the caller's.
    func pack(into writer: inout ByteWriter, flags: UInt8) {
        switch self {
        case .lapse: writer.byte(flags << 2)
        case .product(let product):
            writer.byte(flags << 2 | 1)
            writer.varint(UInt64(product))
        case .order(let order):
            writer.byte(flags << 2 | 2)
            writer.string(order)
        }
    }

    static func unpack(_ reader: inout ByteReader) throws(FormatError) -> (Occasion, flags: UInt8) {
        let position = reader.position
        let tag = try reader.byte()
        switch tag & 3 {
        case 0: return (.lapse, tag >> 2)
        case 1: return (.product(UInt32(try reader.count())), tag >> 2)
        case 2: return (.order(try reader.string()), tag >> 2)
        default: throw FormatError(.invalid("occasion"), at: position)
        }
    }
}

extension Timer {
    func pack(into writer: inout ByteWriter, base: Instant) {
        writer.fixed(rule.number)
        occasion.pack(into: &writer, flags: due != firstDue ? 1 : 0)
        writer.signed(anchor - base)
        writer.signed(firstDue - anchor)
        if due != firstDue { writer.signed(due - firstDue) }
    }

    static func unpack(_ reader: inout ByteReader, base: Instant) throws(FormatError) -> Timer {
        let rule = RuleID(try reader.fixed())
        let (occasion, flags) = try Occasion.unpack(&reader)
        let anchor = base + (try reader.signed())
        let firstDue = anchor + (try reader.signed())
        return Timer(
            rule: rule, occasion: occasion, anchor: anchor, firstDue: firstDue,
            due: flags & 1 != 0 ? firstDue + (try reader.signed()) : firstDue)
    }
}

extension OpenAction {
    func pack(into writer: inout ByteWriter, base: Instant) {
        writer.fixed(id.value)
        writer.fixed(rule.number)
        writer.byte(channel.rawValue)
        occasion.pack(into: &writer, flags: grant != nil ? 1 : 0)
        writer.signed(anchor - base)
        writer.signed(due - anchor)
        writer.signed(decided - due)
        writer.signed(deadline - decided)
        if let grant { writer.attempt(grant) }
        writer.byte(failures)
    }

    static func unpack(_ reader: inout ByteReader, base: Instant) throws(FormatError) -> OpenAction {
        let id = ActionID(try reader.fixed())
        let rule = RuleID(try reader.fixed())
        let channel: Channel = try reader.choice()
        let (occasion, flags) = try Occasion.unpack(&reader)
        let anchor = base + (try reader.signed())
        let due = anchor + (try reader.signed())
        let decided = due + (try reader.signed())
        return OpenAction(
            id: id, rule: rule, channel: channel, occasion: occasion, anchor: anchor, due: due, decided: decided,
            deadline: decided + (try reader.signed()),
            grant: flags & 1 != 0 ? try reader.attempt() : nil, failures: try reader.byte())
    }
}

extension Touch {
    func pack(into writer: inout ByteWriter, base: Instant) {
        writer.fixed(action.value)
        writer.fixed(rule.number)
        writer.signed(time - base)
        writer.signed(windowEnd - time)
        writer.signed(sales)
    }

    static func unpack(_ reader: inout ByteReader, base: Instant) throws(FormatError) -> Touch {
        let action = ActionID(try reader.fixed())
        let rule = RuleID(try reader.fixed())
        let time = base + (try reader.signed())
        return Touch(action: action, rule: rule, time: time, windowEnd: time + (try reader.signed()), sales: try reader.signed())
    }
}
