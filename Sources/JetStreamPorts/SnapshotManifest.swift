internal import Model
internal import Ports

/// What a snapshot consists of: written last, so that one that was not finished is never seen.
struct SnapshotManifest: Equatable {
    struct Chunk: Equatable {
        let bytes: Int
        let hash: UInt64
    }

    static let magic: UInt8 = 0xE5
    static let version: UInt8 = 1

    let commit: UInt64
    let commitHash: UInt128
    /// Part of the chunks' subjects: two writings of one snapshot do not mix.
    let writing: UInt64
    let chunks: [Chunk]

    var bytes: Int { chunks.reduce(0) { $0 + $1.bytes } }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: 64 + chunks.count * 12)
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.varint(commit)
        writer.fixed(UInt64(truncatingIfNeeded: commitHash))
        writer.fixed(UInt64(truncatingIfNeeded: commitHash >> 64))
        writer.fixed(writing)
        writer.list(chunks) { writer, chunk in
            writer.count(chunk.bytes)
            writer.fixed(chunk.hash)
        }
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }

    static func decoded(_ bytes: [UInt8]) throws(FormatError) -> SnapshotManifest {
        guard bytes.count > 10 else { throw FormatError(.truncated, at: bytes.count) }
        let end = bytes.count - 8
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.header(magic, version, of: "a snapshot's manifest")
        var trailer = ByteReader(bytes, in: end..<bytes.count)
        guard try trailer.fixed(UInt64.self) == Hashing.hash64(bytes, in: 0..<end) else { throw FormatError(.checksum, at: end) }
        let commit = try reader.varint()
        let low = try reader.fixed(UInt64.self)
        let high = try reader.fixed(UInt64.self)
        let manifest = SnapshotManifest(
            commit: commit, commitHash: UInt128(high) << 64 | UInt128(low), writing: try reader.fixed(),
            chunks: try reader.list(max: 1 << 20) { r throws(FormatError) in
                Chunk(bytes: try r.count(max: Limits.messageBytesMax), hash: try r.fixed())
            })
        try reader.finish()
        return manifest
    }

    /// Cuts a payload; also returns the ranges of the chunks.
    static func cutting(_ snapshot: Snapshot, writing: UInt64) -> (SnapshotManifest, [Range<Int>]) {
        let size = Limits.snapshotChunkBytes
        let ranges = stride(from: 0, to: snapshot.payload.count, by: size).map { $0..<min($0 + size, snapshot.payload.count) }
        let chunks = ranges.map { Chunk(bytes: $0.count, hash: Hashing.hash64(snapshot.payload, in: $0)) }
        return (
            SnapshotManifest(commit: snapshot.commit, commitHash: snapshot.commitHash, writing: writing, chunks: chunks), ranges
        )
    }
}
