import Model

// A dormant customer's bytes. Behind the front, the head: counters, what is known of the orders, consents. Then the lists.
//
//     front    parts (2), length of the head (1), of the orders (2), of the products (2), of the timers (2)
//     head     views, clicks, opens; with orders: first, last, lapse decided (6 each), count, sum; consents (3)
//     lists    orders, products, timers; the others, those that are there, each with its length before it
//
// Most events change a profile where it stands, by ``PackedCustomer``: so what these change has one length, or stands where it
// can be reached without reading the rest. A list is passed over until somebody asks for it.

extension Profile {
    struct Parts: OptionSet {
        let rawValue: UInt16
        /// Something is known of its orders.
        static let orders = Parts(rawValue: 1 << 0)
        static let consents = Parts(rawValue: 1 << 1)
        static let open = Parts(rawValue: 1 << 2)
        static let touches = Parts(rawValue: 1 << 3)
        static let traits = Parts(rawValue: 1 << 4)
        static let identity = Parts(rawValue: 1 << 5)
        /// Of an identity: it leads to another customer; somebody claims it.
        static let mark = Parts(rawValue: 1 << 6)
        static let claimed = Parts(rawValue: 1 << 7)
        static let habits = Parts(rawValue: 1 << 8)
    }

    /// Where things stand in the front, and how long it is.
    enum Front {
        static let head = 2
        static let orders = 3
        static let products = 5
        static let timers = 7
        static let count = 9
    }

    private var parts: Parts {
        var parts: Parts = []
        if firstOrder != nil || lastOrder != nil || lapseDecided != nil || orderCount != 0 || orderSum != 0 {
            parts.insert(.orders)
        }
        if consents != ConsentSet() { parts.insert(.consents) }
        if !openPart.isEmpty { parts.insert(.open) }
        if !touchPart.isEmpty { parts.insert(.touches) }
        if !traitPart.isEmpty { parts.insert(.traits) }
        if !identityPart.isEmpty { parts.insert(.identity) }
        if identityPart.isMark { parts.insert(.mark) }
        if identityPart.isClaimed { parts.insert(.claimed) }
        if !habits.isEmpty { parts.insert(.habits) }
        return parts
    }

    mutating func pack(into writer: inout PackWriter) {
        let base = firstOrder ?? .distantPast
        if base != self.base {
            changeAll()
            self.base = base
        }
        unsafe packed.withUnsafeBytes { unsafe pack(into: &writer, $0, base) }
    }

    private func pack(into writer: inout PackWriter, _ packed: UnsafeRawBufferPointer, _ base: Instant) {
        let parts = parts
        let front = writer.count
        writer.fixed(parts.rawValue)
        writer.byte(0)
        for _ in 0..<3 { writer.fixed(UInt16(0)) }
        packHead(parts, into: &writer)
        writer.put(UInt8(writer.count - front - Front.count), at: front + Front.head)
        writer.put(unsafe orderPart.packValues(into: &writer, packed, base: base), at: front + Front.orders)
        writer.put(unsafe productPart.packValues(into: &writer, packed, base: base), at: front + Front.products)
        writer.put(unsafe timerPart.packValues(into: &writer, packed, base: base), at: front + Front.timers)
        if parts.contains(.open) { unsafe openPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.touches) { unsafe touchPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.traits) { unsafe traitPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.identity) { unsafe identityPart.pack(into: &writer, packed) }
        if parts.contains(.habits) { unsafe habits.pack(into: &writer, packed, base) }
    }

    private func packHead(_ parts: Parts, into writer: inout PackWriter) {
        writer.varint(UInt64(bitPattern: views))
        writer.varint(UInt64(bitPattern: clicks))
        writer.varint(UInt64(bitPattern: opens))
        if parts.contains(.orders) {
            writer.time(orNone: firstOrder)
            writer.time(orNone: lastOrder)
            writer.time(orNone: lapseDecided)
            writer.signed(orderCount)
            writer.signed(orderSum)
        }
        if parts.contains(.consents) {
            writer.fixed(consents.bits)
            writer.byte(consents.suppressed)
        }
    }

    /// Whether the packed profile that begins there has an identity; without unpacking it.
    static func hasIdentity(_ packed: [UInt8], at start: Int) -> Bool {
        guard packed.count >= start + 2 else { return false }
        return Parts(rawValue: UInt16(packed[start]) | UInt16(packed[start + 1]) << 8).contains(.identity)
    }

    /// Becomes what stands in that part of ``packed``, lists as they are; `wakeUp` is the ``nextWakeUp`` that it was packed
    /// with. False when the bytes are damaged.
    mutating func fold(in range: Range<Int>, wakeUp: Int64) -> Bool {
        clear()
        packedWakeUp = wakeUp
        // Taken out meanwhile: this changes the rest of the profile, and would else count a reference to them.
        var bytes: [UInt8] = []
        swap(&bytes, &packed)
        defer { swap(&bytes, &packed) }
        return PackReader.read(bytes, in: range) { reader in
            let parts = Parts(rawValue: reader.fixed())
            let head = Int(reader.byte())
            let (orders, products, timers): (UInt16, UInt16, UInt16) = (reader.fixed(), reader.fixed(), reader.fixed())
            let headEnd = reader.position + head
            foldHead(parts, &reader)
            if reader.position != headEnd { reader.fail() }
            if orders > 0 { orderPart.fold(at: reader.bytes(Int(orders))) }
            if products > 0 { productPart.fold(at: reader.bytes(Int(products))) }
            if timers > 0 { timerPart.fold(at: reader.bytes(Int(timers))) }
            if parts.contains(.open) { openPart.fold(at: reader.part()) }
            if parts.contains(.touches) { touchPart.fold(at: reader.part()) }
            if parts.contains(.traits) { traitPart.fold(at: reader.part()) }
            if parts.contains(.identity) {
                identityPart = IdentityPart(
                    at: reader.part(), isMark: parts.contains(.mark), isClaimed: parts.contains(.claimed))
            }
            if parts.contains(.habits) {
                habits.fold(&reader, base)
                packedMembershipDue = habits.membershipDue
            }
            return reader.isSound && reader.isAtEnd
        }
    }

    private mutating func foldHead(_ parts: Parts, _ reader: inout PackReader) {
        views = Int64(bitPattern: reader.varint())
        clicks = Int64(bitPattern: reader.varint())
        opens = Int64(bitPattern: reader.varint())
        if parts.contains(.orders) {
            firstOrder = reader.timeOrNone()
            lastOrder = reader.timeOrNone()
            lapseDecided = reader.timeOrNone()
            orderCount = reader.signed()
            orderSum = reader.signed()
        }
        base = firstOrder ?? .distantPast
        if parts.contains(.consents) {
            consents.bits = reader.fixed()
            consents.suppressed = reader.byte()
        }
    }

    // MARK: Out of the shard

    /// The same bytes, for those that travel.
    func pack(into writer: inout ByteWriter) {
        var packing = self
        var pack = PackWriter()
        packing.pack(into: &pack)
        writer.bytes += pack.bytes
    }

    /// Reads all of it, from bytes that may be damaged.
    mutating func unpack(from reader: inout ByteReader) throws(FormatError) {
        let position = reader.position
        packed = reader.takeRest()
        guard fold(in: 0..<packed.count, wakeUp: CustomerTable.noWakeUp), unfold() else {
            throw FormatError(.invalid("profile"), at: position)
        }
        changeAll()
    }
}
