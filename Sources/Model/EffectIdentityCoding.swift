// The binary forms of what concerns messages between shards and who is who.

extension Effect {
    func writeIdentity(to writer: inout ByteWriter) {
        switch self {
        case .messageSent(let destination, let counter, let body):
            writer.byte(EffectKind.messageSent.rawValue)
            writer.fixed(destination.number)
            writer.varint(counter)
            writer.block(body)
        case .messagesDelivered(let destination, let through):
            writer.byte(EffectKind.messagesDelivered.rawValue)
            writer.fixed(destination.number)
            writer.varint(through)
        case .messageApplied(let source, let counter):
            writer.byte(EffectKind.messageApplied.rawValue)
            writer.fixed(source.number)
            writer.varint(counter)
        case .merged(let other, let survivor, let time):
            writer.byte(EffectKind.merged.rawValue)
            writer.string(other.text)
            writer.string(survivor.text)
            writer.instant(time)
        case .duplicateOffered(let first, let second, let identifier):
            writer.byte(EffectKind.duplicateOffered.rawValue)
            writer.string(first.text)
            writer.string(second.text)
            writer.string(identifier.text)
        case .actionMoved(let opened):
            writer.byte(EffectKind.actionMoved.rawValue)
            opened.write(to: &writer)
        default: preconditionFailure("an effect with a form of its own")
        }
    }

    static func readIdentity(_ kind: EffectKind?, _ reader: inout ByteReader) throws(FormatError) -> Effect {
        switch kind {
        case .messageSent:
            return .messageSent(to: ShardID(try reader.fixed()), counter: try reader.varint(), body: try reader.block())
        case .messagesDelivered: return .messagesDelivered(to: ShardID(try reader.fixed()), through: try reader.varint())
        case .messageApplied: return .messageApplied(from: ShardID(try reader.fixed()), counter: try reader.varint())
        case .merged:
            return .merged(try reader.customerKey(), into: try reader.customerKey(), time: try reader.instant())
        case .duplicateOffered:
            return .duplicateOffered(
                try reader.customerKey(), try reader.customerKey(), identifier: try reader.customerKey())
        case .actionMoved: return .actionMoved(try ActionOpened.read(&reader))
        default: throw FormatError(.invalid("effect kind"), at: reader.position)
        }
    }

    /// The effects that a step begins with and that tell what it was told: how far other shards' inputs have its messages.
    package static func deliveries(at start: [UInt8]) throws(FormatError) -> [(ShardID, UInt64)] {
        var reader = ByteReader(start)
        var found: [(ShardID, UInt64)] = []
        while reader.remaining > 0, start[reader.position] == EffectKind.messagesDelivered.rawValue {
            guard case .messagesDelivered(let shard, let through) = try read(&reader) else { break }
            found.append((shard, through))
        }
        return found
    }
}
