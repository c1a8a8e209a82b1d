package import Model

// A shard's state as bytes. Written in a canonical order: equal states give equal bytes, which is how a replay is compared
// with the run (I4).

extension Shard {
    private static let magic: UInt8 = 0xE1
    private static let version: UInt8 = 2

    /// The whole state between two steps.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: table.count * 160 + 4096)
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.fixed(id.number)
        writer.byte(timeMode.rawValue)
        writer.varint(brain.rules.set.revision)
        writer.varint(inputSequence)
        writer.varint(UInt64(eventsThrough))
        writer.instant(clock)
        setAsideNumbers.write(to: &writer)
        caution.write(to: &writer)
        window.write(to: &writer)
        brain.products.write(to: &writer)
        brain.outbox.write(to: &writer)
        inbox.write(to: &writer)
        writer.count(table.count)
        var packed: [UInt8] = []
        for slot in 0..<UInt32(table.count) {
            table.load(slot, into: &packed)
            writer.block(packed)
        }
        return writer.bytes
    }

    /// The configuration revision that a snapshot was taken under.
    package static func revision(ofEncoded bytes: [UInt8]) throws(FormatError) -> UInt64 {
        var reader = ByteReader(bytes)
        return try header(&reader).revision
    }

    /// Takes over the state of a snapshot; this object must be new, with that revision's rules. Every profile is read once,
    /// so that damage is found here and not at some customer's next event.
    package func restore(_ bytes: [UInt8]) throws(FormatError) {
        precondition(table.count == 0 && inputSequence == 0, "restoring into a shard in use")
        var reader = ByteReader(bytes)
        let header = try Self.header(&reader)
        guard header.id == id, header.timeMode == timeMode else { throw FormatError(.invalid("shard or time mode"), at: 2) }
        guard header.revision == brain.rules.set.revision else { throw FormatError(.invalid("revision"), at: 4) }
        inputSequence = try reader.varint()
        eventsThrough = UInt32(try reader.count())
        clock = try reader.instant()
        setAsideNumbers = try SetAsideNumbers.read(&reader)
        caution = try Caution.read(&reader)
        window = try MessageWindow.read(&reader)
        brain.products = try ProductTable.read(&reader)
        brain.outbox = try Outbox.read(&reader)
        inbox = try Inbox.read(&reader)
        for _ in 0..<(try reader.count()) { try restoreCustomer(try reader.block()) }
        try reader.finish()
    }

    private func restoreCustomer(_ packed: [UInt8]) throws(FormatError) {
        guard let length = packed.first, packed.count > Int(length) else { throw FormatError(.truncated, at: 0) }
        var reader = ByteReader(packed, in: 1 + Int(length)..<packed.count)
        var profile = Profile()
        try profile.unpack(from: &reader)
        let slot = table.add(hash: Hashing.hash64(packed, in: 1..<1 + Int(length)), packed: packed)
        if let due = profile.nextWakeUp {
            table.setWakeUp(of: slot, due.milliseconds)
            calendar.insert(WakeUpCalendar.Entry(due: due.milliseconds, slot: slot))
        }
        note(open: profile.open.count, of: slot)
        if profile.isCustomer { customers += 1 }
        if let identity = profile.identity {
            var keyReader = ByteReader(packed, in: 1..<1 + Int(length))
            note(identity, under: try CustomerKey.read(&keyReader), of: slot)
        }
    }

    private struct Header {
        var id: ShardID
        var timeMode: Installation.TimeMode
        var revision: UInt64
    }

    private static func header(_ reader: inout ByteReader) throws(FormatError) -> Header {
        try reader.header(magic, version, of: "a shard's snapshot")
        return Header(id: ShardID(try reader.fixed()), timeMode: try reader.choice(), revision: try reader.varint())
    }
}
