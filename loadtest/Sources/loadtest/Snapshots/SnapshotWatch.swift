import Foundation
import Model
import Ports
import Synchronization

/// When snapshots were under way: from the capture, whose time stands in the snapshot, until it could be seen here.
final class SnapshotWatch: Sendable {
    struct Window: Sendable {
        var shard: ShardID
        var isWhole: Bool
        var bytes: Int
        var began: ContinuousClock.Instant
        var ended: ContinuousClock.Instant

        var seconds: Double { began.duration(to: ended) / .seconds(1) }
    }

    private static let pause = Duration.milliseconds(100)

    private let seen = Mutex<[Window]>([])

    var windows: [Window] { seen.withLock { $0 } }

    /// Looks at what is kept of each shard, again and again, until the task is cancelled. A look that is not answered is
    /// passed over: the next one sees the same snapshot, a little later.
    func follow(_ shards: [ShardID], _ snapshots: any SnapshotStore) async throws {
        var known: [ShardID: UInt64] = [:]
        while true {
            for shard in shards {
                guard let newest = await Self.newest(shard, snapshots) else { continue }
                let before = known.updateValue(newest.head.commit, forKey: shard)
                guard let before, newest.head.commit > before else { continue }
                let ago = Date().timeIntervalSince1970 * 1000 - Double(newest.head.time.milliseconds)
                let now = ContinuousClock.now
                let window = Window(
                    shard: shard, isWhole: newest.parts.count == 1, bytes: newest.parts.last?.bytes ?? 0,
                    began: now - .milliseconds(ago), ended: now)
                seen.withLock { $0.append(window) }
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private static func newest(_ shard: ShardID, _ snapshots: any SnapshotStore) async -> SnapshotManifest? {
        guard case .some(let kept) = try? await snapshots.kept(of: .shard(shard)) else { return nil }
        return kept.first
    }
}
