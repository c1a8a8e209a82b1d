package import Model

/// What a snapshot is of.
package enum SnapshotSubject: Hashable, Sendable, CustomStringConvertible {
    case shard(ShardID)

    package var description: String {
        switch self {
        case .shard(let shard): "shard.\(shard)"
        }
    }
}

/// A state as it was at one acknowledged commit.
package struct Snapshot: Equatable, Sendable {
    /// Number and hash of that commit.
    package var commit: UInt64
    package var commitHash: UInt128 { halves.value }
    private var halves: Halves
    package var payload: [UInt8]

    package init(commit: UInt64, commitHash: UInt128, payload: [UInt8]) {
        self.commit = commit
        halves = Halves(commitHash)
        self.payload = payload
    }
}

/// Keeps snapshots apart from the logs. A snapshot is chunked, each chunk has its checksum, the manifest comes last: one
/// that was not finished is never seen. Safe to call from any thread.
package protocol SnapshotStore: Sendable {
    /// Durable after return. Older snapshots beyond ``Limits/snapshotsKept`` are removed.
    func put(_ snapshot: Snapshot, of subject: SnapshotSubject) async throws(LogError)

    /// The newest snapshot that is whole and at most at commit `atMost`; damaged ones are passed over, each with a word
    /// to `report`.
    func newest(
        of subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> Snapshot?
}
