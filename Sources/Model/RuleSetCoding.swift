// The binary form of a rule set as it stands in CONFIG. The revision is not part of it: it is the record's sequence.

extension RuleSet {
    static let magic: UInt8 = 0xD1
    static let version: UInt8 = 2

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: 4096)
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.string(currency)
        writer.byte(currencyDigits)
        writer.bool(fulfilledOnPlaced)
        writer.bool(consentAssumed)
        zone.write(to: &writer)
        writer.list(otherZones) { $1.write(to: &$0) }
        writer.list(contactLimits) { writer, limit in
            writer.optional(limit.channel) { $0.byte($1.rawValue) }
            limit.rate.write(to: &writer)
        }
        writer.signed(memory.purchasesMilliseconds)
        writer.signed(memory.browsingMilliseconds)
        writer.fixed(nextSegmentNumber)
        writer.list(segments) { writer, segment in
            writer.fixed(segment.number)
            writer.string(segment.name)
            writer.string(segment.title)
            segment.condition.write(to: &writer)
        }
        writer.list(rules) { $1.write(to: &$0) }
        writer.list(templates) { writer, template in
            writer.string(template.name)
            writer.string(template.subject)
            writer.string(template.text)
            writer.string(template.html)
            writer.string(template.from)
        }
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }

    package static func decoded(_ bytes: [UInt8], revision: UInt64) throws(FormatError) -> RuleSet {
        guard bytes.count > 10 else { throw FormatError(.truncated, at: bytes.count) }
        let end = bytes.count - 8
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.header(magic, version, of: "a rule set")
        var trailer = ByteReader(bytes, in: end..<bytes.count)
        guard try trailer.fixed(UInt64.self) == Hashing.hash64(bytes, in: 0..<end) else { throw FormatError(.checksum, at: end) }
        var set = RuleSet(
            revision: revision, currency: try reader.string(), currencyDigits: try reader.byte(),
            fulfilledOnPlaced: try reader.bool(), consentAssumed: try reader.bool())
        set.zone = try ZoneTable.read(&reader)
        set.otherZones = try reader.list(max: Limits.zonesMax) { r throws(FormatError) in try ZoneTable.read(&r) }
        set.contactLimits = try reader.list(max: Limits.contactLimitsMax) { r throws(FormatError) in
            ContactLimit(
                channel: try r.optional { r throws(FormatError) in try r.choice() }, rate: try RateLimit.read(&r))
        }
        set.memory = Memory(
            purchasesMilliseconds: try reader.signed(), browsingMilliseconds: try reader.signed())
        set.nextSegmentNumber = try reader.fixed()
        set.segments = try reader.list(max: Limits.segmentsMax) { r throws(FormatError) in
            let number: UInt16 = try r.fixed()
            return Segment(
                name: try r.string(), title: try r.string(), condition: try Condition.read(&r, depth: 0), number: number)
        }
        let segments = set.segments.count
        set.rules = try reader.list(max: Limits.rulesMax) { r throws(FormatError) in try Rule.read(&r, segments: segments) }
        set.templates = try reader.list(max: Limits.templatesMax) { r throws(FormatError) in
            MessageTemplate(
                name: try r.string(), subject: try r.string(), text: try r.string(), html: try r.string(), from: try r.string())
        }
        try reader.finish()
        return set
    }
}

extension Rule {
    func write(to writer: inout ByteWriter) {
        writer.string(name)
        writer.string(title)
        mechanic.write(to: &writer)
        writer.bool(enabled)
        goods.write(to: &writer)
        for indices in [inAll, inAny, inNone] { writer.list(indices) { $0.fixed($1) } }
        writer.optional(hours) { writer, hours in
            writer.fixed(hours.fromMinute)
            writer.fixed(hours.toMinute)
            writer.byte(hours.weekdays)
        }
        writer.signed(postponeMilliseconds)
        switch action {
        case .record: writer.byte(0)
        case .email(let template):
            writer.byte(1)
            writer.string(template)
        }
        writer.optional(conversion) { $0.signed($1.windowMilliseconds) }
        writer.optional(repeatLimit) { $1.write(to: &$0) }
        writer.bool(isTransactional)
    }

    static func read(_ reader: inout ByteReader, segments: Int) throws(FormatError) -> Rule {
        let name = try reader.string()
        var rule = Rule(
            name: name, title: try reader.string(), mechanic: try Mechanic.read(&reader, segments: segments), action: .record)
        rule.enabled = try reader.bool()
        rule.goods = try Goods.read(&reader)
        rule.inAll = try reader.list { r throws(FormatError) in try r.index(below: segments) }
        rule.inAny = try reader.list { r throws(FormatError) in try r.index(below: segments) }
        rule.inNone = try reader.list { r throws(FormatError) in try r.index(below: segments) }
        rule.hours = try reader.optional { r throws(FormatError) in
            AllowedHours(fromMinute: try r.fixed(), toMinute: try r.fixed(), weekdays: try r.byte())
        }
        rule.postponeMilliseconds = try reader.signed()
        let position = reader.position
        switch try reader.byte() {
        case 0: rule.action = .record
        case 1: rule.action = .email(template: try reader.string())
        default: throw FormatError(.invalid("action kind"), at: position)
        }
        rule.conversion = try reader.optional { r throws(FormatError) in Conversion(windowMilliseconds: try r.signed()) }
        rule.repeatLimit = try reader.optional { r throws(FormatError) in try RateLimit.read(&r) }
        rule.isTransactional = try reader.bool()
        return rule
    }
}

extension RateLimit {
    func write(to writer: inout ByteWriter) {
        writer.signed(count)
        writer.signed(windowMilliseconds)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> RateLimit {
        RateLimit(count: try reader.signed(), windowMilliseconds: try reader.signed())
    }
}

extension ZoneTable {
    func write(to writer: inout ByteWriter) {
        writer.string(name)
        writer.signed(Int64(initialOffsetSeconds))
        writer.list(transitions) { writer, transition in
            writer.instant(transition.at)
            writer.signed(Int64(transition.offsetSeconds))
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> ZoneTable {
        ZoneTable(
            name: try reader.string(), initialOffsetSeconds: try reader.zoneOffset(),
            transitions: try reader.list(max: 4096) { r throws(FormatError) in
                Transition(at: try r.instant(), offsetSeconds: try r.zoneOffset())
            })
    }
}

extension ByteReader {
    /// Seconds east of UTC; no zone is a whole day off.
    fileprivate mutating func zoneOffset() throws(FormatError) -> Int32 {
        let start = position
        let value = try signed()
        guard let offset = Int32(exactly: value), offset.magnitude < 86_400 else {
            throw FormatError(.invalid("zone offset \(value)"), at: start)
        }
        return offset
    }

    /// An index that must exist: whoever reads it later does not look again.
    mutating func index(below count: Int) throws(FormatError) -> UInt16 {
        let start = position
        let value: UInt16 = try fixed()
        guard value < count else { throw FormatError(.invalid("segment \(value) of \(count)"), at: start) }
        return value
    }
}
