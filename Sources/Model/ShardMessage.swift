/// What one shard tells another. It leaves when the sender's commit is acknowledged, through the other's IN.
///
/// Form: kind, content. An event keeps the form it has in a batch, its times relative to the arrival.
package enum ShardMessage: Equatable, Sendable {
    /// To the identifier's shard: `customer` bears `identifier`. `former` = whom the customer has absorbed and who had
    /// claimed it.
    case claim(Identifier, customer: CustomerKey, former: CustomerKey?)
    /// To a customer's shard: an event that arrived at another key, and when.
    case event(Event, arrived: Instant)
    /// To the shard of the first: the two are one customer, and the second stays.
    case merge(CustomerKey, into: CustomerKey)
    /// To the survivor's shard: all that was known of the other, as ``profile`` says it.
    case absorb(CustomerKey, into: CustomerKey, profile: [UInt8])

    enum Kind: UInt8 { case claim = 1, event, merge, absorb }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: 128)
        switch self {
        case .claim(let identifier, let customer, let former):
            writer.byte(Kind.claim.rawValue)
            identifier.write(to: &writer)
            writer.string(customer.text)
            writer.optional(former) { $0.string($1.text) }
        case .event(let event, let arrived):
            writer.byte(Kind.event.rawValue)
            writer.instant(arrived)
            event.write(to: &writer, base: arrived)
        case .merge(let other, let survivor):
            writer.byte(Kind.merge.rawValue)
            writer.string(other.text)
            writer.string(survivor.text)
        case .absorb(let other, let survivor, let profile):
            writer.byte(Kind.absorb.rawValue)
            writer.string(other.text)
            writer.string(survivor.text)
            writer.block(profile)
        }
        return writer.bytes
    }

    package static func decoded(_ bytes: [UInt8]) throws(FormatError) -> ShardMessage {
        switch try ShardMessageContent.read(bytes, in: 0..<bytes.count) {
        case .claim(let identifier, let customer, let former): .claim(identifier, customer: customer, former: former)
        case .event(let header, let arrived): .event(try header.event(bytes), arrived: arrived)
        case .merge(let other, let survivor): .merge(other, into: survivor)
        case .absorb(let other, let survivor, let profile): .absorb(other, into: survivor, profile: Array(bytes[profile]))
        }
    }

    /// An event passed on to `customer`, without being built: its bytes are copied from those it arrived in.
    package static func passingOn(
        _ header: EventHeader, of bytes: [UInt8], to customer: CustomerKey, arrived: Instant
    ) -> [UInt8] {
        var writer = ByteWriter(reserving: 64 + header.body.count)
        writer.byte(Kind.event.rawValue)
        writer.instant(arrived)
        header.write(to: &writer, bytes, customer: customer, base: arrived)
        return writer.bytes
    }
}

/// A message between shards whose event or profile still stands in the bytes it came in.
package enum ShardMessageContent: Sendable {
    case claim(Identifier, customer: CustomerKey, former: CustomerKey?)
    case event(EventHeader, arrived: Instant)
    case merge(CustomerKey, into: CustomerKey)
    case absorb(CustomerKey, into: CustomerKey, profile: Range<Int>)

    package static func read(_ bytes: [UInt8], in range: Range<Int>) throws(FormatError) -> ShardMessageContent {
        var reader = ByteReader(bytes, in: range)
        let content = try read(&reader)
        try reader.finish()
        return content
    }

    private static func read(_ reader: inout ByteReader) throws(FormatError) -> ShardMessageContent {
        let start = reader.position
        switch ShardMessage.Kind(rawValue: try reader.byte()) {
        case .claim:
            return .claim(
                try Identifier.read(&reader), customer: try reader.customerKey(),
                former: try reader.optional { r throws(FormatError) in try r.customerKey() })
        case .event:
            let arrived = try reader.instant()
            return .event(try EventHeader.read(&reader, base: arrived), arrived: arrived)
        case .merge: return .merge(try reader.customerKey(), into: try reader.customerKey())
        case .absorb:
            return .absorb(try reader.customerKey(), into: try reader.customerKey(), profile: try reader.range())
        case nil: throw FormatError(.invalid("kind of a message between shards"), at: start)
        }
    }
}
