// The binary form of a rule set as it stands in CONFIG. The revision is not part of it: it is the record's sequence.

extension RuleSet {
    static let magic: UInt8 = 0xD1
    static let version: UInt8 = 1

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: 4096)
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.string(currency)
        writer.byte(currencyDigits)
        writer.bool(fulfilledOnPlaced)
        writer.bool(consentAssumed)
        writer.string(zone.name)
        writer.signed(Int64(zone.initialOffsetSeconds))
        writer.list(zone.transitions) { writer, transition in
            writer.instant(transition.at)
            writer.signed(Int64(transition.offsetSeconds))
        }
        writer.list(segments) { writer, segment in
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
        set.zone = ZoneTable(
            name: try reader.string(), initialOffsetSeconds: try reader.zoneOffset(),
            transitions: try reader.list(max: 4096) { r throws(FormatError) in
                ZoneTable.Transition(at: try r.instant(), offsetSeconds: try r.zoneOffset())
            })
        set.segments = try reader.list(max: Limits.segmentsMax) { r throws(FormatError) in
            Segment(name: try r.string(), title: try r.string(), condition: try Condition.read(&r, depth: 0))
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
        writer.list(goods.products) { $0.string($1) }
        writer.list(goods.categories) { $0.string($1) }
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
    }

    static func read(_ reader: inout ByteReader, segments: Int) throws(FormatError) -> Rule {
        let name = try reader.string()
        var rule = Rule(name: name, title: try reader.string(), mechanic: try Mechanic.read(&reader), action: .record)
        rule.enabled = try reader.bool()
        rule.goods = Goods(
            products: try reader.list { r throws(FormatError) in try r.string() },
            categories: try reader.list { r throws(FormatError) in try r.string() })
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
        return rule
    }
}

extension Mechanic {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .regularConsumption(let periods, let ahead):
            writer.byte(1)
            writer.optional(periods.defaultMilliseconds) { $0.signed($1) }
            writer.list(periods.perProduct) { writer, period in
                writer.string(period.product)
                writer.signed(period.milliseconds)
            }
            writer.signed(ahead)
        case .timeSinceLastPurchase(let after):
            writer.byte(2)
            writer.signed(after)
        case .reviewRequest(let after):
            writer.byte(3)
            writer.signed(after)
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Mechanic {
        let start = reader.position
        switch try reader.byte() {
        case 1:
            let periods = ConsumptionPeriods(
                defaultMilliseconds: try reader.optional { r throws(FormatError) in try r.signed() },
                perProduct: try reader.list(max: Limits.periodsPerRuleMax) { r throws(FormatError) in
                    ProductPeriod(product: try r.string(), milliseconds: try r.signed())
                })
            return .regularConsumption(periods, aheadMilliseconds: try reader.signed())
        case 2: return .timeSinceLastPurchase(afterMilliseconds: try reader.signed())
        case 3: return .reviewRequest(afterMilliseconds: try reader.signed())
        default: throw FormatError(.invalid("mechanic"), at: start)
        }
    }
}

extension Condition {
    func write(to writer: inout ByteWriter) {
        func comparison(_ kind: UInt8, _ comparison: Comparison, _ value: Int64) {
            writer.byte(kind)
            writer.byte(comparison.rawValue)
            writer.signed(value)
        }
        switch self {
        case .all(let parts):
            writer.byte(1)
            writer.list(parts) { $1.write(to: &$0) }
        case .any(let parts):
            writer.byte(2)
            writer.list(parts) { $1.write(to: &$0) }
        case .not(let part):
            writer.byte(3)
            part.write(to: &writer)
        case .orderCount(let how, let value): comparison(4, how, value)
        case .orderSum(let how, let value): comparison(5, how, value)
        case .sinceLastOrder(let how, let value): comparison(6, how, value)
        case .sinceFirstOrder(let how, let value): comparison(7, how, value)
        }
    }

    static func read(_ reader: inout ByteReader, depth: Int) throws(FormatError) -> Condition {
        let start = reader.position
        guard depth < depthMax else { throw FormatError(.invalid("nesting"), at: start) }
        switch try reader.byte() {
        case 1: return .all(try reader.list(max: 256) { r throws(FormatError) in try read(&r, depth: depth + 1) })
        case 2: return .any(try reader.list(max: 256) { r throws(FormatError) in try read(&r, depth: depth + 1) })
        case 3: return .not(try read(&reader, depth: depth + 1))
        case 4: return .orderCount(try reader.choice(), try reader.signed())
        case 5: return .orderSum(try reader.choice(), try reader.signed())
        case 6: return .sinceLastOrder(try reader.choice(), milliseconds: try reader.signed())
        case 7: return .sinceFirstOrder(try reader.choice(), milliseconds: try reader.signed())
        default: throw FormatError(.invalid("condition"), at: start)
        }
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
    fileprivate mutating func index(below count: Int) throws(FormatError) -> UInt16 {
        let start = position
        let value: UInt16 = try fixed()
        guard value < count else { throw FormatError(.invalid("segment \(value) of \(count)"), at: start) }
        return value
    }
}
