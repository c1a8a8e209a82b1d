import Model

/// How far a shard has applied the messages of each other shard. Part of the shard's state.
struct Inbox: Equatable, Sendable {
    private var applied: [ShardID: UInt64] = [:]

    init() {}

    enum Place: Equatable, Sendable {
        case next
        /// Applied before: it was sent again.
        case known
        /// Some before it are missing: they stood in this input once, or were never in it.
        case ahead(expected: UInt64)
    }

    func place(of counter: UInt64, from source: ShardID) -> Place {
        let last = applied[source] ?? 0
        if counter == last + 1 { return .next }
        return counter <= last ? .known : .ahead(expected: last + 1)
    }

    mutating func apply(_ counter: UInt64, from source: ShardID) { applied[source] = counter }

    func write(to writer: inout ByteWriter) {
        writer.list(applied.sorted { $0.key < $1.key }) { writer, entry in
            writer.fixed(entry.key.number)
            writer.varint(entry.value)
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Inbox {
        var inbox = Inbox()
        for _ in 0..<(try reader.count(max: Limits.shardsMax)) {
            let source = ShardID(try reader.fixed())
            inbox.applied[source] = try reader.varint()
        }
        return inbox
    }
}
