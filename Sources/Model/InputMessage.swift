/// One message of an IN stream: a batch of events of one shard, a clock record, or what another shard tells.
///
/// Form: magic, version, kind, content, XXH3-64 of all before.
package enum InputMessage: Equatable, Sendable {
    case events([Event])
    /// Event-time mode only: every event before this instant has been acknowledged; wake-ups due by it may run.
    case clock(Instant)
    /// From another shard (or this one): ``ShardMessage``s in their binary form. Their counters rise by one from `first`;
    /// the addressee applies only the one that follows the last it has applied from that source.
    case messages(source: ShardID, first: UInt64, bodies: [[UInt8]])
    /// A message that was set aside under this number, once more. However often it comes, it is taken once.
    case replay(of: UInt64, message: [UInt8])

    static let magic: UInt8 = 0xB1
    static let version: UInt8 = 1

    enum Kind: UInt8 {
        case events = 0
        case clock, messages
        case replay = 8
    }

    package func encoded() -> [UInt8] {
        switch self {
        case .clock(let instant):
            var writer = ByteWriter(reserving: 24)
            writer.byte(Self.magic)
            writer.byte(Self.version)
            writer.byte(Kind.clock.rawValue)
            writer.instant(instant)
            writer.fixed(Hashing.hash64(writer.bytes))
            return writer.bytes
        case .events(let events):
            var batch = EventBatchBuilder(base: events.first?.time ?? .distantPast)
            for event in events { batch.append(event) }
            return batch.finish()
        case .messages(let source, let first, let bodies):
            var writer = ByteWriter(reserving: bodies.reduce(32) { $0 + $1.count + 4 })
            writer.byte(Self.magic)
            writer.byte(Self.version)
            writer.byte(Kind.messages.rawValue)
            writer.fixed(source.number)
            writer.varint(first)
            writer.list(bodies) { $0.block($1) }
            writer.fixed(Hashing.hash64(writer.bytes))
            return writer.bytes
        case .replay(let number, let message):
            var writer = ByteWriter(reserving: message.count + 32)
            writer.byte(Self.magic)
            writer.byte(Self.version)
            writer.byte(Kind.replay.rawValue)
            writer.varint(number)
            writer.block(message)
            writer.fixed(Hashing.hash64(writer.bytes))
            return writer.bytes
        }
    }

    /// Decodes the whole message; the engine uses ``EventBatchReader`` instead.
    package static func decoded(_ bytes: [UInt8]) throws(FormatError) -> InputMessage {
        switch try InputContent.read(bytes) {
        case .clock(let instant): return .clock(instant)
        case .replay(let number, let message): return .replay(of: number, message: message)
        case .events(var reader):
            var events: [Event] = []
            events.reserveCapacity(reader.count)
            while let header = try reader.next() { events.append(try header.event(bytes)) }
            return .events(events)
        case .messages(var reader):
            var bodies: [[UInt8]] = []
            while let body = try reader.next() { bodies.append(Array(bytes[body])) }
            return .messages(source: reader.source, first: reader.first, bodies: bodies)
        }
    }
}

/// Packs events of one shard into a message, in the order given.
package struct EventBatchBuilder: Sendable {
    private var events = ByteWriter(reserving: Limits.batchBytesTarget)
    /// Events so far.
    package private(set) var count = 0
    private let base: Instant

    /// `base`: any instant near the events' times; they are stored relative to it.
    package init(base: Instant) { self.base = base }

    /// Bytes so far, without the frame of about 32.
    package var byteCount: Int { events.count }

    package mutating func append(_ event: Event) {
        event.write(to: &events, base: base)
        count += 1
    }

    /// Appends one of the packed events.
    package mutating func append(_ place: PackedEvents.Place, of packed: PackedEvents) {
        packed.write(place, to: &events, base: base)
        count += 1
    }

    /// The message. The builder is spent.
    package consuming func finish() -> [UInt8] {
        var writer = ByteWriter(reserving: events.count + 32)
        writer.byte(InputMessage.magic)
        writer.byte(InputMessage.version)
        writer.byte(InputMessage.Kind.events.rawValue)
        writer.instant(base)
        writer.count(count)
        writer.bytes.append(contentsOf: events.bytes)
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }
}

extension InputMessage {
    /// A whole message of a version after the known one, which a newer program wrote; nil = anything else, damage too. In
    /// every version the form begins with magic and version and ends with the checksum.
    package static func newerVersion(of bytes: [UInt8]) -> UnknownVersion? {
        guard bytes.count >= 10, bytes[0] == magic, bytes[1] > version else { return nil }
        let end = bytes.count - 8
        var trailer = ByteReader(bytes, in: end..<bytes.count)
        guard let hash = try? trailer.fixed(UInt64.self), hash == Hashing.hash64(bytes, in: 0..<end) else { return nil }
        return UnknownVersion(of: "an input message", found: Int(bytes[1]), known: Int(version))
    }
}

/// A checked message whose events are read one at a time.
package enum InputContent: Sendable {
    case events(EventBatchReader)
    case clock(Instant)
    case messages(ShardMessageReader)
    case replay(of: UInt64, message: [UInt8])

    /// Checks frame and checksum.
    package static func read(_ bytes: [UInt8]) throws(FormatError) -> InputContent {
        guard bytes.count >= 11 else { throw FormatError(.truncated, at: bytes.count) }
        let end = bytes.count - 8
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.header(InputMessage.magic, InputMessage.version, of: "an input message")
        var trailer = ByteReader(bytes, in: end..<bytes.count)
        guard try trailer.fixed(UInt64.self) == Hashing.hash64(bytes, in: 0..<end) else { throw FormatError(.checksum, at: end) }
        switch InputMessage.Kind(rawValue: try reader.byte()) {
        case .clock:
            let instant = try reader.instant()
            try reader.finish()
            return .clock(instant)
        case .events:
            let base = try reader.instant()
            let count = try reader.count(max: Limits.batchEventsMax)
            return .events(EventBatchReader(reader: reader, base: base, count: count))
        case .messages:
            let source = ShardID(try reader.fixed())
            let first = try reader.varint()
            let count = try reader.count(max: Limits.batchEventsMax)
            return .messages(ShardMessageReader(reader: reader, source: source, first: first, count: count))
        case .replay:
            let number = try reader.varint()
            let message = try reader.block()
            try reader.finish()
            return .replay(of: number, message: message)
        case nil: throw FormatError(.invalid("message kind"), at: 2)
        }
    }
}

/// An event whose header was read before its turn.
package struct EventAhead: Sendable {
    package let header: EventHeader
    /// Of its key.
    package let hash: UInt64
    /// Behind its last byte.
    let end: Int
}

/// Reads a batch's events from front to back.
package struct EventBatchReader: Sendable {
    private var reader: ByteReader
    private let base: Instant
    /// Events in the whole batch.
    package let count: Int
    /// Events read so far.
    package private(set) var index = 0
    /// Where the bytes of the event that was read last stand; of one that could not be read, where they begin.
    private var place: Range<Int>
    private var wellRead = 0
    /// Of the key of the event that was read last.
    package private(set) var hash: UInt64 = 0
    /// Events whose headers are read; the first `taken` have been taken.
    package private(set) var ahead: [EventAhead] = []
    package private(set) var taken = 0

    init(reader: ByteReader, base: Instant, count: Int) {
        self.reader = reader
        self.base = base
        self.count = count
        place = reader.position..<reader.position
    }

    /// The next event's header, or nil behind the last.
    package mutating func next() throws(FormatError) -> EventHeader? {
        if taken < ahead.count {
            let header = ahead[taken].header
            pass()
            return header
        }
        guard index < count else {
            place = reader.position..<reader.position
            try reader.finish()
            return nil
        }
        index += 1
        place = reader.position..<reader.position
        let header = try EventHeader.read(&reader, base: base)
        place = place.lowerBound..<reader.position
        hash = Hashing.hash64(reader.bytes, in: header.key)
        wellRead = index
        return header
    }

    /// Takes the next event, which must be ahead.
    package mutating func pass() {
        let (start, end) = (reader.position, ahead[taken].end)
        reader.skip(end - start)
        place = start..<end
        hash = ahead[taken].hash
        taken += 1
        index += 1
        wellRead = index
    }

    /// Reads the next events' headers, `most` at the most and as far as they are of the usual form: they are ``ahead`` until
    /// ``next()`` takes them. None may be ahead.
    package mutating func lookAhead(_ most: Int) {
        precondition(taken == ahead.count, "events are ahead already")
        ahead.removeAll(keepingCapacity: true)
        taken = 0
        var place = reader.position
        let (end, base, wanted) = (reader.end, base, min(most, count - index))
        ahead.reserveCapacity(wanted)
        let bytes = reader.bytes
        unsafe bytes.withUnsafeBufferPointer { all in
            while ahead.count < wanted, let header = unsafe EventHeader.quick(all, &place, end: end, base: base) {
                let hash = unsafe Hashing.hash64(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[header.key])))
                ahead.append(EventAhead(header: header, hash: hash, end: place))
            }
        }
    }

    /// The event that was read last, as a message of its own.
    package func alone(in bytes: [UInt8]) -> [UInt8] { framed(bytes[place], count: 1) }

    /// What could not be read, from its beginning to the message's end, as a message of its own.
    package func rest(of bytes: [UInt8]) -> [UInt8] { framed(bytes[place.lowerBound..<reader.end], count: count - wellRead) }

    private func framed(_ events: ArraySlice<UInt8>, count: Int) -> [UInt8] {
        var writer = ByteWriter(reserving: events.count + 32)
        writer.byte(InputMessage.magic)
        writer.byte(InputMessage.version)
        writer.byte(InputMessage.Kind.events.rawValue)
        writer.instant(base)
        writer.count(count)
        writer.bytes.append(contentsOf: events)
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }
}

/// Reads the messages of another shard from front to back.
package struct ShardMessageReader: Sendable {
    private var reader: ByteReader
    package let source: ShardID
    /// Counter of the first message.
    package let first: UInt64
    /// Messages in all.
    package let count: Int
    /// Messages read so far.
    package private(set) var index = 0
    /// Where the bytes of the message that was read last stand; of one that could not be read, where they begin.
    private var place: Range<Int>
    private var wellRead = 0

    init(reader: ByteReader, source: ShardID, first: UInt64, count: Int) {
        self.reader = reader
        self.source = source
        self.first = first
        self.count = count
        place = reader.position..<reader.position
    }

    /// Where the next body stands, or nil behind the last.
    package mutating func next() throws(FormatError) -> Range<Int>? {
        guard index < count else {
            place = reader.position..<reader.position
            try reader.finish()
            return nil
        }
        index += 1
        place = reader.position..<reader.position
        let body = try reader.range()
        place = place.lowerBound..<reader.position
        wellRead = index
        return body
    }

    /// The message that was read last, as a record of its own.
    package func alone(in bytes: [UInt8]) -> [UInt8] { framed(bytes[place], from: index - 1, count: 1) }

    /// What could not be read, from its beginning to the record's end, as a record of its own.
    package func rest(of bytes: [UInt8]) -> [UInt8] {
        framed(bytes[place.lowerBound..<reader.end], from: wellRead, count: count - wellRead)
    }

    private func framed(_ bodies: ArraySlice<UInt8>, from index: Int, count: Int) -> [UInt8] {
        var writer = ByteWriter(reserving: bodies.count + 32)
        writer.byte(InputMessage.magic)
        writer.byte(InputMessage.version)
        writer.byte(InputMessage.Kind.messages.rawValue)
        writer.fixed(source.number)
        writer.varint(first &+ UInt64(index))
        writer.count(count)
        writer.bytes.append(contentsOf: bodies)
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }
}
