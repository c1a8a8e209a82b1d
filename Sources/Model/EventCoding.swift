// The binary form of one event: kind, flags, time relative to the batch, message id, key, body. The header can be read
// without the body, so that an event finds its customer before anything is built from it.

/// Kind byte of an event's body; the numbers stand in stored logs and never change their meaning.
package enum EventKind: UInt8, Sendable {
    case order = 1
    case product, identify, engagement, named, alias, permitRequest, outcome
}

/// What is needed to find the customer; the body is read later.
package struct EventHeader: Equatable, Sendable {
    package var kind: EventKind
    package var messageID: UInt128
    package var time: Instant
    /// Where the key's bytes stand.
    package var key: Range<Int>
    /// Where the other identifiers stand; empty = there are none.
    package var identifiers: Range<Int>
    /// Where the body's bytes stand.
    package var body: Range<Int>

    /// Internal events have no time of their own.
    package var isInternal: Bool {
        switch kind {
        case .permitRequest, .outcome: true
        case .order, .product, .identify, .engagement, .named, .alias: false
        }
    }

    package static func read(_ reader: inout ByteReader, base: Instant) throws(FormatError) -> EventHeader {
        let start = reader.position
        guard let kind = EventKind(rawValue: try reader.byte()) else { throw FormatError(.invalid("event kind"), at: start) }
        let flags = try reader.byte()
        guard flags & ~(hasMessageID | hasIdentifiers) == 0 else { throw FormatError(.invalid("event flags"), at: start + 1) }
        let time = try reader.instant(after: base)
        let messageID = flags & hasMessageID != 0 ? try reader.fixed(UInt128.self) : 0
        let key = try reader.range()
        guard key.count >= 1, key.count <= Limits.customerKeyBytesMax else {
            throw FormatError(.invalid("customer key of \(key.count) bytes"), at: key.lowerBound)
        }
        let identifiers = flags & hasIdentifiers != 0 ? try reader.range() : key.upperBound..<key.upperBound
        let body = try reader.range()
        return EventHeader(
            kind: kind, messageID: messageID, time: time, key: key, identifiers: identifiers, body: body)
    }

    /// Reads an event of the usual form at `place`, which is moved behind it, without asking anything twice. Nil = another
    /// form, or damaged: then ``read(_:base:)`` says what it is.
    static func quick(_ bytes: UnsafeBufferPointer<UInt8>, _ place: inout Int, end: Int, base: Instant) -> EventHeader? {
        // As much as the fixed parts and three lengths may take, so that only the texts' ends need to be compared.
        guard place + 48 <= end, let kind = EventKind(rawValue: unsafe bytes[place]) else { return nil }
        let flags = unsafe bytes[place + 1]
        guard flags & ~hasMessageID == 0 else { return nil }
        var at = place + 2
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = unsafe bytes[at]
            at += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { break }
            shift += 7
            if shift > 56 { return nil }
        }
        let time = base.milliseconds &+ (Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))
        var messageID: UInt128 = 0
        if flags & hasMessageID != 0 {
            messageID = UInt128(
                littleEndian: unsafe UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: at, as: UInt128.self))
            at += 16
        }
        let keyCount = Int(unsafe bytes[at])
        guard keyCount >= 1, keyCount < 0x80, at + 1 + keyCount + 2 <= end else { return nil }
        let key = at + 1..<at + 1 + keyCount
        at = key.upperBound
        var bodyCount = Int(unsafe bytes[at])
        at += 1
        if bodyCount >= 0x80 {
            let high = Int(unsafe bytes[at])
            guard high < 0x80 else { return nil }
            bodyCount = bodyCount & 0x7f | high << 7
            at += 1
        }
        guard at + bodyCount <= end else { return nil }
        place = at + bodyCount
        return EventHeader(
            kind: kind, messageID: messageID, time: Instant(milliseconds: time), key: key,
            identifiers: key.upperBound..<key.upperBound, body: at..<at + bodyCount)
    }

    private static let hasMessageID: UInt8 = 1
    private static let hasIdentifiers: UInt8 = 2

    static func writeHead(_ kind: EventKind, hasMessageID: Bool, hasIdentifiers: Bool, to writer: inout ByteWriter) {
        writer.byte(kind.rawValue)
        writer.byte((hasMessageID ? Self.hasMessageID : 0) | (hasIdentifiers ? Self.hasIdentifiers : 0))
    }

    /// The event in whole, out of the bytes that the header was read from.
    package func event(_ bytes: [UInt8]) throws(FormatError) -> Event {
        var reader = ByteReader(bytes, in: key)
        return Event(
            messageID: messageID, customer: try CustomerKey.read(&reader), time: time,
            identifiers: try identifiers(bytes), body: try Event.Body.read(kind, from: bytes, in: body))
    }

    package func identifiers(_ bytes: [UInt8]) throws(FormatError) -> [Identifier] {
        guard !identifiers.isEmpty else { return [] }
        var reader = ByteReader(bytes, in: identifiers)
        let list = try reader.list(max: Limits.eventIdentifiersMax) { r throws(FormatError) in try Identifier.read(&r) }
        try reader.finish()
        return list
    }

    /// The event again, as another customer's; what it says is copied.
    func write(to writer: inout ByteWriter, _ bytes: [UInt8], customer: CustomerKey, base: Instant) {
        Self.writeHead(kind, hasMessageID: messageID != 0, hasIdentifiers: !identifiers.isEmpty, to: &writer)
        writer.instant(time, after: base)
        if messageID != 0 { writer.fixed(messageID) }
        writer.string(customer.text)
        if !identifiers.isEmpty { writer.block(bytes[identifiers]) }
        writer.block(bytes[body])
    }
}

extension Event {
    var kind: EventKind {
        switch body {
        case .order: .order
        case .product: .product
        case .identify: .identify
        case .engagement: .engagement
        case .named: .named
        case .alias: .alias
        case .permitRequest: .permitRequest
        case .outcome: .outcome
        }
    }

    /// Appends the event; `base` is the batch's time, to which the event's own is relative.
    package func write(to writer: inout ByteWriter, base: Instant) {
        writeHead(to: &writer)
        writer.instant(time, after: base)
        writeRest(to: &writer)
    }

    /// Kind and flags: what stands before the time.
    func writeHead(to writer: inout ByteWriter) {
        EventHeader.writeHead(kind, hasMessageID: messageID != 0, hasIdentifiers: !identifiers.isEmpty, to: &writer)
    }

    /// What stands behind the time.
    func writeRest(to writer: inout ByteWriter) {
        if messageID != 0 { writer.fixed(messageID) }
        writer.string(customer.text)
        if !identifiers.isEmpty {
            var list = ByteWriter(reserving: 64)
            list.list(identifiers) { $1.write(to: &$0) }
            writer.block(list.bytes)
        }
        var content = ByteWriter(reserving: 64)
        body.write(to: &content)
        writer.block(content.bytes)
    }

    package static func read(_ reader: inout ByteReader, base: Instant, bytes: [UInt8]) throws(FormatError) -> Event {
        try EventHeader.read(&reader, base: base).event(bytes)
    }
}

extension CustomerKey {
    /// Reads the rest of the reader as a key.
    package static func read(_ reader: inout ByteReader) throws(FormatError) -> CustomerKey {
        let start = reader.position
        guard let valid = reader.rest() else { throw FormatError(.invalid("UTF-8"), at: start) }
        return CustomerKey(valid)
    }
}

extension Event.Body {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .order(let order): order.write(to: &writer)
        case .product(let product): product.write(to: &writer)
        case .identify(let identify): identify.write(to: &writer)
        case .engagement(let engagement):
            writer.byte(engagement.kind.rawValue)
            writer.byte(engagement.channel.rawValue)
            writer.optional(engagement.action) { $0.fixed($1.value) }
        case .named(let name, let properties):
            writer.string(name)
            writer.block(properties)
        case .alias(let previous):
            writer.string(previous.text)
        case .permitRequest(let action, let attempt):
            writer.fixed(action.value)
            writer.attempt(attempt)
        case .outcome(let action, let attempt, let outcome, let detail):
            writer.fixed(action.value)
            writer.attempt(attempt)
            writer.byte(outcome.rawValue)
            writer.string(detail)
        }
    }

    /// Reads a body that takes up exactly `range`.
    package static func read(_ kind: EventKind, from bytes: [UInt8], in range: Range<Int>) throws(FormatError) -> Event.Body {
        var reader = ByteReader(bytes, in: range)
        let body = try read(kind, &reader)
        try reader.finish()
        return body
    }

    private static func read(_ kind: EventKind, _ reader: inout ByteReader) throws(FormatError) -> Event.Body {
        switch kind {
        case .order: .order(try OrderEvent.read(&reader))
        case .product: .product(try ProductEvent.read(&reader))
        case .identify: .identify(try Identify.read(&reader))
        case .engagement:
            .engagement(
                Engagement(
                    kind: try reader.choice(), channel: try reader.choice(),
                    action: try reader.optional { r throws(FormatError) in ActionID(try r.fixed()) }))
        case .named: .named(name: try reader.string(), properties: try reader.block())
        case .alias: .alias(previous: try reader.customerKey())
        case .permitRequest: .permitRequest(action: ActionID(try reader.fixed()), attempt: try reader.attempt())
        case .outcome:
            .outcome(
                action: ActionID(try reader.fixed()), attempt: try reader.attempt(), outcome: try reader.choice(),
                detail: try reader.string())
        }
    }
}

extension OrderEvent {
    /// Reads a body that takes up exactly `range`.
    package static func read(from bytes: [UInt8], in range: Range<Int>) throws(FormatError) -> OrderEvent {
        var reader = ByteReader(bytes, in: range)
        let order = try read(&reader)
        try reader.finish()
        return order
    }

    func write(to writer: inout ByteWriter) {
        writer.string(orderID)
        writer.byte(change.rawValue)
        writer.optional(revenue) { $0.signed($1) }
        writer.string(currency)
        writer.list(lines) { writer, line in
            writer.product(line.product)
            writer.signed(line.quantity)
            writer.signed(line.price)
        }
        writer.string(coupon)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> OrderEvent {
        OrderEvent(
            orderID: try reader.string(), change: try reader.choice(),
            revenue: try reader.optional { r throws(FormatError) in try r.signed() }, currency: try reader.string(),
            lines: try reader.list(max: Limits.orderLinesMax) { r throws(FormatError) in
                OrderLine(product: try r.product(), quantity: try r.signed(), price: try r.signed())
            },
            coupon: try reader.string())
    }
}

extension ProductEvent {
    func write(to writer: inout ByteWriter) {
        writer.byte(kind.rawValue)
        writer.product(product)
        writer.signed(quantity)
        writer.signed(price)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> ProductEvent {
        ProductEvent(
            kind: try reader.choice(), product: try reader.product(), quantity: try reader.signed(), price: try reader.signed())
    }
}

extension ProductEvent {
    /// What kind of event it is, of a body that takes up exactly `range`; fails where reading all of it would.
    package static func kind(from bytes: [UInt8], in range: Range<Int>) throws(FormatError) -> Kind {
        var reader = ByteReader(bytes, in: range)
        let kind: Kind = try reader.choice()
        for _ in 0..<4 { try reader.skipString() }
        _ = try reader.signed()
        _ = try reader.signed()
        try reader.finish()
        return kind
    }
}

extension Identify {
    func write(to writer: inout ByteWriter) {
        writer.list(traits) { writer, trait in
            writer.string(trait.name)
            writer.string(trait.value)
        }
        writer.list(consents) { writer, consent in
            writer.byte(consent.channel.rawValue)
            writer.bool(consent.granted)
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Identify {
        Identify(
            traits: try reader.list(max: Limits.traitsMax) { r throws(FormatError) in Trait(try r.string(), try r.string()) },
            consents: try reader.list(max: Channel.allCases.count) { r throws(FormatError) in
                Consent(try r.choice(), granted: try r.bool())
            })
    }
}

extension ByteWriter {
    package mutating func attempt(_ attempt: AttemptID) {
        fixed(attempt.instance)
        varint(attempt.number)
    }

    package mutating func product(_ product: Product) {
        string(product.id)
        string(product.name)
        string(product.category)
        string(product.brand)
    }
}

extension ByteReader {
    package mutating func attempt() throws(FormatError) -> AttemptID {
        AttemptID(instance: try fixed(), number: try varint())
    }

    package mutating func product() throws(FormatError) -> Product {
        Product(id: try string(), name: try string(), category: try string(), brand: try string())
    }

    /// An enum stored as one byte.
    package mutating func choice<Choice: RawRepresentable>(_ type: Choice.Type = Choice.self) throws(FormatError) -> Choice
    where Choice.RawValue == UInt8 {
        let start = position
        let raw = try byte()
        guard let choice = Choice(rawValue: raw) else { throw FormatError(.invalid("\(Choice.self) \(raw)"), at: start) }
        return choice
    }
}
