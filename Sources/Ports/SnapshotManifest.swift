package import Model

/// From which record on a state needs a log to go on.
package struct LogNeed: Equatable, Sendable {
    package var log: LogName
    package var from: UInt64

    package init(_ log: LogName, from: UInt64) {
        self.log = log
        self.from = from
    }
}

/// The moment that a snapshot captures.
package struct SnapshotHead: Equatable, Sendable {
    /// Number and hash of the acknowledged commit. Of the sums: how many commits they contain, and a hash over which.
    package var commit: UInt64
    package var commitHash: UInt128 { halves.value }
    private var halves: Halves
    /// Version of the payload's form.
    package var format: UInt8
    /// When it was captured, by the host's clock; for people.
    package var time: Instant
    /// Records before these are not needed to go on from here.
    package var needs: [LogNeed]

    package init(commit: UInt64, commitHash: UInt128, format: UInt8, time: Instant, needs: [LogNeed]) {
        self.commit = commit
        halves = Halves(commitHash)
        self.format = format
        self.time = time
        self.needs = needs
    }

    /// First record of the log that is needed; nil = the log is not needed at all.
    package func need(of log: LogName) -> UInt64? { needs.first { $0.log == log }?.from }
}

/// What a snapshot consists of: a whole part, then increments, each upon the one before.
package struct SnapshotManifest: Equatable, Sendable {
    package struct Chunk: Equatable, Sendable {
        package var bytes: Int
        package var hash: UInt64

        package init(_ chunk: [UInt8]) {
            bytes = chunk.count
            hash = Hashing.hash64(chunk)
        }

        init(bytes: Int, hash: UInt64) {
            self.bytes = bytes
            self.hash = hash
        }

        /// Whether these are the bytes that were written.
        package func isWhole(_ chunk: [UInt8]) -> Bool { chunk.count == bytes && Hashing.hash64(chunk) == hash }
    }

    package struct Part: Equatable, Sendable {
        package var head: SnapshotHead
        /// Random: two writings of one part do not mix.
        package var writing: UInt64
        package var chunks: [Chunk]

        package init(head: SnapshotHead, writing: UInt64, chunks: [Chunk]) {
            self.head = head
            self.writing = writing
            self.chunks = chunks
        }

        package var bytes: Int { chunks.reduce(0) { $0 + $1.bytes } }
    }

    /// At least one.
    package private(set) var parts: [Part]

    package init(whole part: Part) { parts = [part] }

    /// The same with another increment.
    package func adding(_ part: Part) -> SnapshotManifest {
        var longer = self
        longer.parts.append(part)
        return longer
    }

    /// The first so many parts; traps when there are fewer or none are asked for.
    package func prefix(_ count: Int) -> SnapshotManifest {
        precondition(count > 0 && count <= parts.count, "\(count) of \(parts.count) parts")
        var shorter = self
        shorter.parts = Array(parts.prefix(count))
        return shorter
    }

    /// The state that all parts together make.
    package var head: SnapshotHead { parts[parts.count - 1].head }
    /// Commit of the whole part: snapshots upon the same one share it.
    package var base: UInt64 { parts[0].head.commit }
    package var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }
    package var incrementBytes: Int { bytes - parts[0].bytes }

    /// Below which record nobody needs the log, as far as these kept snapshots of one subject go, newest first: what the
    /// oldest needs that shares no part with the newest. Nil while there are fewer than ``Limits/snapshotsKept``: then the
    /// log itself is what one falls back on.
    package static func floor(of log: LogName, kept: [SnapshotManifest]) -> UInt64? {
        guard kept.count >= Limits.snapshotsKept else { return nil }
        return kept.prefix(Limits.snapshotsKept).compactMap { $0.head.need(of: log) }.min()
    }
}

extension SnapshotManifest {
    private static let magic: UInt8 = 0xE5
    private static let version: UInt8 = 2
    private static let partsMax = Limits.snapshotIncrementsMax + 1
    private static let chunksMax = 1 << 16

    /// With a checksum at the end.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: 256)
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.list(parts) { writer, part in
            writer.varint(part.head.commit)
            writer.fixed(UInt64(truncatingIfNeeded: part.head.commitHash))
            writer.fixed(UInt64(truncatingIfNeeded: part.head.commitHash >> 64))
            writer.byte(part.head.format)
            writer.instant(part.head.time)
            writer.list(part.head.needs) { writer, need in
                writer.log(need.log)
                writer.varint(need.from)
            }
            writer.fixed(part.writing)
            writer.list(part.chunks) { writer, chunk in
                writer.count(chunk.bytes)
                writer.fixed(chunk.hash)
            }
        }
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }

    package static func decoded(_ bytes: [UInt8]) throws(FormatError) -> SnapshotManifest {
        guard bytes.count > 10 else { throw FormatError(.truncated, at: bytes.count) }
        let end = bytes.count - 8
        var trailer = ByteReader(Array(bytes[end...]))
        guard try trailer.fixed(UInt64.self) == Hashing.hash64(bytes, in: 0..<end) else { throw FormatError(.checksum, at: end) }
        var reader = ByteReader(Array(bytes[..<end]))
        try reader.header(magic, version, of: "a snapshot's manifest")
        let parts = try reader.list(max: partsMax) { r throws(FormatError) in try Part.read(&r, chunksMax: chunksMax) }
        try reader.finish()
        guard let whole = parts.first else { throw FormatError(.invalid("no part"), at: 2) }
        return parts.dropFirst().reduce(SnapshotManifest(whole: whole)) { $0.adding($1) }
    }
}

extension SnapshotManifest.Part {
    fileprivate static func read(_ reader: inout ByteReader, chunksMax: Int) throws(FormatError) -> Self {
        let commit = try reader.varint()
        let low = try reader.fixed(UInt64.self)
        let high = try reader.fixed(UInt64.self)
        let head = SnapshotHead(
            commit: commit, commitHash: UInt128(high) << 64 | UInt128(low), format: try reader.byte(),
            time: try reader.instant(),
            needs: try reader.list(max: 2 * Limits.shardsMax + 2) { r throws(FormatError) in
                LogNeed(try r.log(), from: try r.varint())
            })
        return Self(
            head: head, writing: try reader.fixed(),
            chunks: try reader.list(max: chunksMax) { r throws(FormatError) in
                SnapshotManifest.Chunk(bytes: try r.count(max: Limits.messageBytesMax), hash: try r.fixed())
            })
    }
}

extension ByteWriter {
    fileprivate mutating func log(_ log: LogName) {
        switch log {
        case .input(let shard):
            byte(0)
            fixed(shard.number)
        case .commits(let shard):
            byte(1)
            fixed(shard.number)
        case .coordinator: byte(2)
        case .configuration: byte(3)
        case .deadLetters: byte(4)
        case .delivery: byte(5)
        }
    }
}

extension ByteReader {
    fileprivate mutating func log() throws(FormatError) -> LogName {
        let start = position
        switch try byte() {
        case 0: return .input(ShardID(try fixed()))
        case 1: return .commits(ShardID(try fixed()))
        case 2: return .coordinator
        case 3: return .configuration
        case 4: return .deadLetters
        case 5: return .delivery
        default: throw FormatError(.invalid("log"), at: start)
        }
    }
}
