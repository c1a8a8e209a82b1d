import Model

// A dormant customer's bytes. Fields that most customers lack are announced by one bit each; times are relative to the
// first order, so that a customer with three orders takes about a hundred bytes. Each list has its length before it and is
// passed over until somebody asks for it.

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
        /// Of an identity: it leads to another customer; somebody claims it.
        static let mark = Parts(rawValue: 1 << 13)
        static let claimed = Parts(rawValue: 1 << 14)
        static let habits = Parts(rawValue: 1 << 15)
    }

    private var parts: Parts {
        var parts: Parts = []
        if firstOrder != nil { parts.insert(.orders) }
        if views != 0 { parts.insert(.views) }
        if clicks != 0 { parts.insert(.clicks) }
        if opens != 0 { parts.insert(.opens) }
        if consents != ConsentSet() { parts.insert(.consents) }
        if !orderPart.isEmpty { parts.insert(.history) }
        if !productPart.isEmpty { parts.insert(.products) }
        if !timerPart.isEmpty { parts.insert(.timers) }
        if !openPart.isEmpty { parts.insert(.open) }
        if !touchPart.isEmpty { parts.insert(.touches) }
        if !traitPart.isEmpty { parts.insert(.traits) }
        if lapseDecided != nil { parts.insert(.lapse) }
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
        writer.fixed(parts.rawValue)
        if let firstOrder {
            writer.signed(firstOrder.milliseconds)
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
        if parts.contains(.history) { unsafe orderPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.products) { unsafe productPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.timers) { unsafe timerPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.open) { unsafe openPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.touches) { unsafe touchPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.traits) { unsafe traitPart.pack(into: &writer, packed, base: base) }
        if parts.contains(.identity) { unsafe identityPart.pack(into: &writer, packed) }
        if parts.contains(.habits) { unsafe habits.pack(into: &writer, packed, base) }
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
            foldHead(parts, &reader)
            if parts.contains(.history) { orderPart.fold(at: reader.part()) }
            if parts.contains(.products) { productPart.fold(at: reader.part()) }
            if parts.contains(.timers) { timerPart.fold(at: reader.part()) }
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
        if parts.contains(.orders) {
            let first = Instant(milliseconds: reader.signed())
            firstOrder = first
            lastOrder = first &+ reader.signed()
            orderCount = reader.signed()
            orderSum = reader.signed()
        }
        base = firstOrder ?? .distantPast
        if parts.contains(.views) { views = reader.signed() }
        if parts.contains(.clicks) { clicks = reader.signed() }
        if parts.contains(.opens) { opens = reader.signed() }
        if parts.contains(.consents) {
            consents.bits = reader.fixed()
            consents.suppressed = reader.byte()
        }
        if parts.contains(.lapse) { lapseDecided = base &+ reader.signed() }
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
