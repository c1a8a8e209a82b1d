package import Model

/// What a snapshot is of. One word inside: Swift 6.3 passes enums with several payloads wrongly to asynchronous functions
/// when registers run out (decision 7).
package struct SnapshotSubject: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: UInt32 { case coordinator = 0, shard, history }

    private let word: UInt32

    private init(_ kind: Kind, _ number: UInt16) { word = kind.rawValue << 16 | UInt32(number) }

    package static func shard(_ id: ShardID) -> SnapshotSubject { SnapshotSubject(.shard, id.number) }
    /// The sums of all shards.
    package static let coordinator = SnapshotSubject(.coordinator, 0)
    /// A copy of the history, by its number: no state, only from which records on it still reads the logs.
    package static func history(_ copy: UInt8) -> SnapshotSubject { SnapshotSubject(.history, UInt16(copy)) }

    package var description: String {
        let number = UInt16(truncatingIfNeeded: word)
        return switch Kind(rawValue: word >> 16) {
        case .shard: "shard.\(number)"
        case .history: "history.\(number)"
        case .coordinator, nil: "coordinator"
        }
    }

    /// Who folds LOG into a state of its own that outlives it. Each must have its snapshots before any LOG is trimmed: one
    /// that is absent holds the logs as they are.
    package static let readersOfCommits: [SnapshotSubject] = [.coordinator]
}

/// Keeps snapshots apart from the logs. A snapshot is a whole state, or a whole one and increments upon it; each part comes
/// in chunks with checksums, and the manifest last: what was not finished is never seen. Safe to call from any thread.
package protocol SnapshotStore: Sendable {
    /// Begins a part: upon the snapshot `manifest`, or a whole one when that is nil.
    func write(
        _ head: SnapshotHead, of subject: SnapshotSubject, upon manifest: SnapshotManifest?
    ) async throws(LogError) -> any SnapshotWriter

    /// The newest state that is whole and at most at commit `atMost`. What is damaged is passed over, each time with a word
    /// to `report`: an increment leaves those before it, a whole part leaves the older snapshot.
    func load(
        _ subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> LoadedSnapshot?

    /// The kept snapshots whose manifests can be read, newest first; their chunks are not looked at.
    func kept(of subject: SnapshotSubject) async throws(LogError) -> [SnapshotManifest]

    /// One chunk of a part of a kept snapshot; nil when it is damaged, missing or was removed meanwhile.
    func chunk(
        _ index: Int, ofPart part: Int, of manifest: SnapshotManifest, _ subject: SnapshotSubject
    ) async throws(LogError) -> [UInt8]?
}

/// One part on its way into the store. Used by one task at a time.
package protocol SnapshotWriter: Sendable {
    /// Hands a chunk over, of at most ``Limits/messageBytesMax``; waits while ``Limits/snapshotChunksAtOnce`` are under way.
    func append(_ chunk: [UInt8]) async throws(LogError)

    /// Writes the manifest: durable after return. Snapshots beyond ``Limits/snapshotsKept`` are removed. Without it nothing
    /// is seen of the part.
    func finish() async throws(LogError) -> SnapshotManifest
}

extension SnapshotStore {
    /// Writes a part that is at hand.
    @discardableResult
    package func put(
        _ chunks: [[UInt8]], _ head: SnapshotHead, of subject: SnapshotSubject, upon manifest: SnapshotManifest? = nil
    ) async throws(LogError) -> SnapshotManifest {
        let writer = try await write(head, of: subject, upon: manifest)
        for chunk in chunks { try await writer.append(chunk) }
        return try await writer.finish()
    }
}

/// A snapshot as it comes back: the chunks of each part, the whole one first.
package struct LoadedSnapshot: Equatable, Sendable {
    /// Ends with the part that was loaded last.
    package var manifest: SnapshotManifest
    package var parts: [[[UInt8]]]

    package init(manifest: SnapshotManifest, parts: [[[UInt8]]]) {
        self.manifest = manifest
        self.parts = parts
    }

    package var head: SnapshotHead { manifest.head }
    package var bytes: Int { manifest.bytes }
}
