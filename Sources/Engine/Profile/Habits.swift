package import Model

/// What segments ask of a customer beyond its orders: what it did with products and messages, and of which segments it is.
/// Kept only as far as the installation asks for it.
package struct Habits: Sendable {
    var boughtPart = Part<PastAct>()
    var browsedPart = Part<PastAct>()
    var olderPart = Part<OlderOrder>()
    var engagedPart = Part<Engaged>()
    var memberPart = Part<Member>()
    var contactPart = Part<Contact>()
    /// When a membership could next change by time alone. Milliseconds; `CustomerTable.noWakeUp` = never.
    var membershipDue = CustomerTable.noWakeUp
    /// Its memberships are counted among those of whom a message can reach.
    var isReachable = false
    /// The configuration that the customer was brought up to before its turn; 0 = none.
    var broughtUp: UInt64 = 0
    /// In event-time mode: the instant for which the memberships stand; none is looked at again for an earlier one.
    var followedAt = Instant.distantPast

    var isEmpty: Bool {
        boughtPart.isEmpty && browsedPart.isEmpty && olderPart.isEmpty && engagedPart.isEmpty && memberPart.isEmpty
            && contactPart.isEmpty && membershipDue == CustomerTable.noWakeUp && !isReachable && broughtUp == 0
            && followedAt == .distantPast
    }

    /// Something the customer did, and not only what follows from it.
    var hasFacts: Bool {
        !(boughtPart.isEmpty && browsedPart.isEmpty && olderPart.isEmpty && engagedPart.isEmpty && contactPart.isEmpty)
    }

    mutating func clear() {
        boughtPart.clear()
        browsedPart.clear()
        olderPart.clear()
        engagedPart.clear()
        memberPart.clear()
        contactPart.clear()
        membershipDue = CustomerTable.noWakeUp
        isReachable = false
        broughtUp = 0
        followedAt = .distantPast
    }
}

/// Something a customer did with a product.
package struct PastAct: Equatable, Sendable {
    package var act: Act
    /// Index in the shard's product table.
    package var product: UInt32
    package var time: Instant
    /// Of the order's id, where it was bought; else 0. Tells two orders of one instant apart.
    package var order: UInt16
}

extension PastAct {
    /// An order of all that does not depend on who tells them.
    static func precedes(_ left: PastAct, _ right: PastAct) -> Bool {
        (left.time, left.act.rawValue, left.product, left.order) < (right.time, right.act.rawValue, right.product, right.order)
    }
}

/// An order that is not kept in whole any more; it stood when it was let go.
package struct OlderOrder: Equatable, Sendable {
    package var placed: Instant
    /// Minor units.
    package var revenue: Int64
}

/// When the customer last did that with a message.
package struct Engaged: Equatable, Sendable {
    package var sign: EngagementSign
    package var last: Instant
}

/// A message that reached the customer, or an action that a rule's own limit counts.
package struct Contact: Equatable, Sendable {
    package var time: Instant
    package var rule: RuleID
    package var channel: Channel
}

/// Of the segment with this number.
package struct Member: Equatable, Sendable {
    package var segment: UInt16
}

extension Profile {
    /// Products of orders that stand, by time ascending; the newest ``Limits/purchasesKeptMax``.
    package var bought: [PastAct] {
        _read {
            if habits.boughtPart.hasValues { yield habits.boughtPart.values } else { yield habits.boughtPart.read(packed, base) }
        }
        _modify {
            habits.boughtPart.beginChange(packed, base)
            yield &habits.boughtPart.values
        }
    }

    /// Views and what was put into the cart, by time ascending; the newest ``Limits/browsingKeptMax``.
    package var browsed: [PastAct] {
        _read {
            if habits.browsedPart.hasValues {
                yield habits.browsedPart.values
            } else {
                yield habits.browsedPart.read(packed, base)
            }
        }
        _modify {
            habits.browsedPart.beginChange(packed, base)
            yield &habits.browsedPart.values
        }
    }

    /// Orders that stood when they were let go, in the order they were; the newest ``Limits/olderOrdersKeptMax``.
    package var olderOrders: [OlderOrder] {
        _read {
            if habits.olderPart.hasValues { yield habits.olderPart.values } else { yield habits.olderPart.read(packed, base) }
        }
        _modify {
            habits.olderPart.beginChange(packed, base)
            yield &habits.olderPart.values
        }
    }

    /// By sign ascending.
    package var engaged: [Engaged] {
        _read {
            if habits.engagedPart.hasValues {
                yield habits.engagedPart.values
            } else {
                yield habits.engagedPart.read(packed, base)
            }
        }
        _modify {
            habits.engagedPart.beginChange(packed, base)
            yield &habits.engagedPart.values
        }
    }

    /// Of which segments the customer is counted, by number ascending.
    package var members: [Member] {
        _read {
            if habits.memberPart.hasValues { yield habits.memberPart.values } else { yield habits.memberPart.read(packed, base) }
        }
        _modify {
            habits.memberPart.beginChange(packed, base)
            yield &habits.memberPart.values
        }
    }

    /// By time ascending; the newest ``Limits/contactsKeptMax``.
    package var contacts: [Contact] {
        _read {
            if habits.contactPart.hasValues {
                yield habits.contactPart.values
            } else {
                yield habits.contactPart.read(packed, base)
            }
        }
        _modify {
            habits.contactPart.beginChange(packed, base)
            yield &habits.contactPart.values
        }
    }

    // MARK: Remembering

    mutating func remember(_ contact: Contact) {
        var place = contacts.count
        while place > 0 && contacts[place - 1].time > contact.time { place -= 1 }
        contacts.insert(contact, at: place)
        if contacts.count > Limits.contactsKeptMax { contacts.removeFirst() }
    }

    /// Takes the product out of the cart: the last time that it was put there does not count.
    mutating func takeFromCart(_ product: UInt32) {
        unfold(.addedToCart)
        if let place = browsed.lastIndex(where: { $0.act == .addedToCart && $0.product == product }) { browsed.remove(at: place) }
    }

    /// Remembers what was done at `time`, and forgets what is older than `memory` by then or beyond the bound.
    mutating func remember(_ act: PastAct, memory: Int64) {
        switch act.act {
        case .bought: Self.insert(act, into: &bought, memory: memory, max: Limits.purchasesKeptMax)
        case .viewed, .addedToCart: Self.insert(act, into: &browsed, memory: memory, max: Limits.browsingKeptMax)
        }
    }

    private static func insert(_ act: PastAct, into acts: inout [PastAct], memory: Int64, max: Int) {
        var place = acts.count
        while place > 0 && acts[place - 1].time > act.time { place -= 1 }
        acts.insert(act, at: place)
        let newest = acts[acts.count - 1].time
        var gone = Swift.max(acts.count - max, 0)
        while gone < acts.count && newest - acts[gone].time >= memory { gone += 1 }
        if gone > 0 { acts.removeFirst(gone) }
    }

    mutating func forgetPurchases(of order: Order) {
        if habits.boughtPart.isEmpty { return }
        let tag = order.tag
        bought.removeAll { $0.time == order.placed && $0.order == tag }
    }

    /// Of an order that is kept in whole no more, time and worth stay.
    mutating func letGo(_ order: Order) {
        guard order.state.stands else { return }
        olderOrders.append(OlderOrder(placed: order.placed, revenue: order.revenue))
        if olderOrders.count > Limits.olderOrdersKeptMax { olderOrders.removeFirst() }
    }

    mutating func engage(_ sign: EngagementSign, at time: Instant) {
        let place = engaged.firstIndex { $0.sign.rawValue >= sign.rawValue } ?? engaged.count
        if place < engaged.count && engaged[place].sign == sign {
            if engaged[place].last < time { engaged[place].last = time }
        } else {
            engaged.insert(Engaged(sign: sign, last: time), at: place)
        }
    }
}

extension Order {
    /// Of its id: with its time it tells which purchases are its own.
    var tag: UInt16 { UInt16(truncatingIfNeeded: Hashing.hash64(id)) }
}

// MARK: As bytes

extension PastAct: Packable {
    static var countMax: Int { max(Limits.purchasesKeptMax, Limits.browsingKeptMax) }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.varint(UInt64(product) << 2 | UInt64(act.rawValue))
        writer.signed(time - base)
        if act == .bought { writer.fixed(order) }
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> PastAct {
        let first = reader.varint()
        guard let act = Act(rawValue: UInt8(first & 3)), first >> 2 <= UInt64(Int32.max) else {
            reader.fail()
            return PastAct(act: .viewed, product: 0, time: base, order: 0)
        }
        return PastAct(
            act: act, product: UInt32(first >> 2), time: base &+ reader.signed(), order: act == .bought ? reader.fixed() : 0)
    }
}

extension OlderOrder: Packable {
    static var countMax: Int { Limits.olderOrdersKeptMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.signed(placed - base)
        writer.signed(revenue)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> OlderOrder {
        OlderOrder(placed: base &+ reader.signed(), revenue: reader.signed())
    }
}

extension Engaged: Packable {
    static var countMax: Int { EngagementSign.allCases.count }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.byte(sign.rawValue)
        writer.signed(last - base)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Engaged {
        Engaged(sign: reader.choice(or: .sent), last: base &+ reader.signed())
    }
}

extension Contact: Packable {
    static var countMax: Int { Limits.contactsKeptMax }

    func pack(into writer: inout PackWriter, base: Instant) {
        writer.fixed(rule.number)
        writer.byte(channel.rawValue)
        writer.signed(time - base)
    }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Contact {
        let rule = RuleID(reader.fixed())
        let channel = reader.choice(or: Channel.record)
        return Contact(time: base &+ reader.signed(), rule: rule, channel: channel)
    }
}

extension Member: Packable {
    static var countMax: Int { Limits.segmentsMax }

    func pack(into writer: inout PackWriter, base: Instant) { writer.varint(UInt64(segment)) }

    static func unpack(_ reader: inout PackReader, base: Instant) -> Member {
        Member(segment: UInt16(reader.count(max: Int(UInt16.max))))
    }
}

extension Habits {
    private struct Parts: OptionSet {
        let rawValue: UInt16
        static let bought = Parts(rawValue: 1 << 0)
        static let browsed = Parts(rawValue: 1 << 1)
        static let older = Parts(rawValue: 1 << 2)
        static let engaged = Parts(rawValue: 1 << 3)
        static let members = Parts(rawValue: 1 << 4)
        static let due = Parts(rawValue: 1 << 5)
        static let reachable = Parts(rawValue: 1 << 6)
        static let contacts = Parts(rawValue: 1 << 7)
        static let broughtUp = Parts(rawValue: 1 << 8)
        static let followedAt = Parts(rawValue: 1 << 9)
    }

    private var parts: Parts {
        var parts: Parts = []
        if !boughtPart.isEmpty { parts.insert(.bought) }
        if !browsedPart.isEmpty { parts.insert(.browsed) }
        if !olderPart.isEmpty { parts.insert(.older) }
        if !engagedPart.isEmpty { parts.insert(.engaged) }
        if !memberPart.isEmpty { parts.insert(.members) }
        if membershipDue != CustomerTable.noWakeUp { parts.insert(.due) }
        if isReachable { parts.insert(.reachable) }
        if !contactPart.isEmpty { parts.insert(.contacts) }
        if broughtUp != 0 { parts.insert(.broughtUp) }
        if followedAt != .distantPast { parts.insert(.followedAt) }
        return parts
    }

    func pack(into writer: inout PackWriter, _ packed: UnsafeRawBufferPointer, _ base: Instant) {
        let parts = parts
        writer.varint(UInt64(parts.rawValue))
        if parts.contains(.broughtUp) { writer.varint(broughtUp) }
        if parts.contains(.followedAt) { writer.signed(followedAt - base) }
        if parts.contains(.due) { writer.signed(membershipDue &- base.milliseconds) }
        if parts.contains(.bought) { unsafe boughtPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.browsed) { unsafe browsedPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.older) { unsafe olderPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.engaged) { unsafe engagedPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.members) { unsafe memberPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.contacts) { unsafe contactPart.pack(into: &writer, packed, base: base) }
    }

    /// Takes what stands there, its lists as they are; it must be empty.
    mutating func fold(_ reader: inout PackReader, _ base: Instant) {
        let parts = Parts(rawValue: UInt16(reader.count(max: Int(UInt16.max))))
        if parts.contains(.broughtUp) { broughtUp = reader.varint() }
        if parts.contains(.followedAt) { followedAt = base &+ reader.signed() }
        isReachable = parts.contains(.reachable)
        if parts.contains(.due) { membershipDue = base.milliseconds &+ reader.signed() }
        if parts.contains(.bought) { boughtPart.fold(at: reader.part()) }
        if parts.contains(.browsed) { browsedPart.fold(at: reader.part()) }
        if parts.contains(.older) { olderPart.fold(at: reader.part()) }
        if parts.contains(.engaged) { engagedPart.fold(at: reader.part()) }
        if parts.contains(.members) { memberPart.fold(at: reader.part()) }
        if parts.contains(.contacts) { contactPart.fold(at: reader.part()) }
    }

    mutating func unfoldChecked(_ packed: [UInt8], _ base: Instant) -> Bool {
        let areSound = [
            boughtPart.unfoldChecked(packed, base), browsedPart.unfoldChecked(packed, base),
            olderPart.unfoldChecked(packed, base), engagedPart.unfoldChecked(packed, base),
            memberPart.unfoldChecked(packed, base), contactPart.unfoldChecked(packed, base),
        ]
        return areSound.allSatisfy { $0 }
    }

    /// From now on nothing is as it was packed.
    mutating func changeAll(_ packed: [UInt8], _ base: Instant) {
        boughtPart.beginChange(packed, base)
        browsedPart.beginChange(packed, base)
        olderPart.beginChange(packed, base)
        engagedPart.beginChange(packed, base)
        memberPart.beginChange(packed, base)
        contactPart.beginChange(packed, base)
    }
}
