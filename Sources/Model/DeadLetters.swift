/// Names what a shard has set aside: the shard and its number there, as `12.7`.
package struct DeadLetterID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let shard: ShardID
    package let number: UInt64

    package init(shard: ShardID, number: UInt64) {
        self.shard = shard
        self.number = number
    }

    /// Nil unless it is two numbers with a dot between.
    package init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let shard = UInt16(parts[0]), let number = UInt64(parts[1]), number > 0 else { return nil }
        self.init(shard: ShardID(shard), number: number)
    }

    package var description: String { "\(shard).\(number)" }

    package static func < (left: DeadLetterID, right: DeadLetterID) -> Bool {
        (left.shard, left.number) < (right.shard, right.number)
    }
}

/// Where a commit says it: the shard, the commit's number, and how many such words stand before it in that commit. Rises
/// with each entry of a shard, so that whoever carries entries from LOG to DEAD knows those that are there.
package struct DeadEntryOrigin: Comparable, Hashable, Sendable {
    package var shard: ShardID
    package var commit: UInt64
    package var index: UInt32

    package init(shard: ShardID, commit: UInt64, index: UInt32) {
        self.shard = shard
        self.commit = commit
        self.index = index
    }

    package static func < (left: DeadEntryOrigin, right: DeadEntryOrigin) -> Bool {
        (left.shard, left.commit, left.index) < (right.shard, right.commit, right.index)
    }
}

/// One word in DEAD.
package enum DeadEntry: Equatable, Sendable {
    case setAside(DeadEntryOrigin, SetAside)
    /// It came again and was taken.
    case replayed(DeadEntryOrigin, number: UInt64)
    /// A person decided that it is not wanted.
    case discarded(DeadLetterID, at: Instant, reason: String)
    /// All of that shard up to here has been carried, though it may stand here no more.
    case carried(DeadEntryOrigin)

    package var isLetter: Bool {
        if case .setAside = self { true } else { false }
    }

    /// Nil when no commit says it.
    package var origin: DeadEntryOrigin? {
        switch self {
        case .setAside(let origin, _), .replayed(let origin, _), .carried(let origin): origin
        case .discarded: nil
        }
    }
}

/// One record of DEAD. Form: magic, version, entries, XXH3-64 of all before.
package struct DeadRecord: Equatable, Sendable {
    package var entries: [DeadEntry]

    package init(_ entries: [DeadEntry]) { self.entries = entries }

    static let magic: UInt8 = 0xD1
    static let version: UInt8 = 2

    private enum Kind: UInt8 {
        case setAside = 0
        case replayed, discarded, carried
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: 1024)
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.list(entries) { writer, entry in
            switch entry {
            case .setAside(let origin, let event):
                writer.byte(Kind.setAside.rawValue)
                origin.write(to: &writer)
                event.write(to: &writer)
            case .replayed(let origin, let number):
                writer.byte(Kind.replayed.rawValue)
                origin.write(to: &writer)
                writer.varint(number)
            case .discarded(let id, let time, let reason):
                writer.byte(Kind.discarded.rawValue)
                writer.fixed(id.shard.number)
                writer.varint(id.number)
                writer.instant(time)
                writer.string(reason)
            case .carried(let origin):
                writer.byte(Kind.carried.rawValue)
                origin.write(to: &writer)
            }
        }
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }

    package static func decoded(_ bytes: [UInt8]) throws(FormatError) -> DeadRecord {
        guard bytes.count >= 11 else { throw FormatError(.truncated, at: bytes.count) }
        let end = bytes.count - 8
        var trailer = ByteReader(bytes, in: end..<bytes.count)
        guard try trailer.fixed(UInt64.self) == Hashing.hash64(bytes, in: 0..<end) else { throw FormatError(.checksum, at: end) }
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.header(magic, version, of: "a record of DEAD")
        let entries = try reader.list(max: Limits.messageBytesMax) { r throws(FormatError) in try entry(&r) }
        try reader.finish()
        return DeadRecord(entries)
    }

    private static func entry(_ reader: inout ByteReader) throws(FormatError) -> DeadEntry {
        let start = reader.position
        switch Kind(rawValue: try reader.byte()) {
        case .setAside: return .setAside(try DeadEntryOrigin.read(&reader), try SetAside.read(&reader))
        case .replayed: return .replayed(try DeadEntryOrigin.read(&reader), number: try reader.varint())
        case .discarded:
            let id = DeadLetterID(shard: ShardID(try reader.fixed()), number: try reader.varint())
            return .discarded(id, at: try reader.instant(), reason: try reader.string())
        case .carried: return .carried(try DeadEntryOrigin.read(&reader))
        case nil: throw FormatError(.invalid("kind of dead letter"), at: start)
        }
    }
}

extension DeadEntryOrigin {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.fixed(shard.number)
        writer.varint(commit)
        writer.varint(UInt64(index))
    }

    fileprivate static func read(_ reader: inout ByteReader) throws(FormatError) -> DeadEntryOrigin {
        DeadEntryOrigin(shard: ShardID(try reader.fixed()), commit: try reader.varint(), index: try reader.varint32())
    }
}
