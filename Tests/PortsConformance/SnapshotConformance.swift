internal import Model
package import Ports

/// What every ``SnapshotStore`` promises. The fixture is an empty store.
package enum SnapshotConformance {
    package static let cases: [ConformanceCase<any SnapshotStore>] = [
        ConformanceCase("without a snapshot there is none", none),
        ConformanceCase("the newest one comes back as it was put", newest),
        ConformanceCase("the newest one at most at a commit", atMost),
        ConformanceCase("the same commit again replaces it", again),
        ConformanceCase("I8 older ones are removed", older),
        ConformanceCase("snapshots of several chunks come back whole", large),
        ConformanceCase("subjects do not mix", subjects),
    ]

    static let subject = SnapshotSubject.shard(ShardID(0))

    static func snapshot(_ commit: UInt64, _ payload: [UInt8]? = nil) -> Snapshot {
        Snapshot(commit: commit, commitHash: UInt128(commit) << 70 | 5, payload: payload ?? [UInt8(truncatingIfNeeded: commit)])
    }

    /// The newest one, and nothing to report on the way.
    static func newest(_ store: any SnapshotStore, atMost: UInt64 = .max, of subject: SnapshotSubject = subject) async throws
        -> Snapshot?
    {
        let (reports, reported) = AsyncStream<String>.makeStream()
        let found = try await store.newest(of: subject, atMost: atMost) { reported.yield($0) }
        reported.finish()
        for await report in reports { try expect(false, "reported: \(report)") }
        return found
    }

    static func none(_ store: any SnapshotStore) async throws {
        try expectEqual(try await newest(store), nil, "newest of nothing")
    }

    static func newest(_ store: any SnapshotStore) async throws {
        try await store.put(snapshot(3), of: subject)
        try expectEqual(try await newest(store, atMost: .max), snapshot(3), "after one")
        try await store.put(snapshot(9, []), of: subject)
        try expectEqual(try await newest(store, atMost: .max), snapshot(9, []), "after two, the second without bytes")
    }

    static func atMost(_ store: any SnapshotStore) async throws {
        try await store.put(snapshot(3), of: subject)
        try await store.put(snapshot(9), of: subject)
        try expectEqual(try await newest(store, atMost: 9)?.commit, 9, "at most 9")
        try expectEqual(try await newest(store, atMost: 8)?.commit, 3, "at most 8")
        try expectEqual(try await newest(store, atMost: 3)?.commit, 3, "at most 3")
        try expectEqual(try await newest(store, atMost: 2), nil, "at most 2")
    }

    static func again(_ store: any SnapshotStore) async throws {
        try await store.put(snapshot(3), of: subject)
        try await store.put(snapshot(7, [1, 2, 3]), of: subject)
        try await store.put(snapshot(7, [4, 5]), of: subject)
        try expectEqual(try await newest(store, atMost: .max), snapshot(7, [4, 5]), "newest")
        try expectEqual(try await newest(store, atMost: 6), snapshot(3), "the one before is still there")
    }

    static func older(_ store: any SnapshotStore) async throws {
        for commit in 1...6 { try await store.put(snapshot(UInt64(commit)), of: subject) }
        let oldestKept = UInt64(6 - Limits.snapshotsKept + 1)
        try expectEqual(try await newest(store, atMost: oldestKept), snapshot(oldestKept), "oldest kept")
        try expectEqual(try await newest(store, atMost: oldestKept - 1), nil, "older than that")
    }

    static func large(_ store: any SnapshotStore) async throws {
        let size = 3 * Limits.snapshotChunkBytes + 12_345
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 17 ^ ($0 >> 9)) }
        try await store.put(snapshot(5, payload), of: subject)
        let found = try await newest(store, atMost: .max)
        try expect(found == snapshot(5, payload), "\(size) bytes came back differently (\(found?.payload.count ?? -1) bytes)")
        let exact = [UInt8](repeating: 3, count: 2 * Limits.snapshotChunkBytes)
        try await store.put(snapshot(6, exact), of: subject)
        try expect(try await newest(store, atMost: .max) == snapshot(6, exact), "two whole chunks came back differently")
    }

    static func subjects(_ store: any SnapshotStore) async throws {
        try await store.put(snapshot(3), of: .shard(ShardID(1)))
        try await store.put(snapshot(4), of: .shard(ShardID(2)))
        try expectEqual(try await newest(store, of: .shard(ShardID(1)))?.commit, 3, "shard 1")
        try expectEqual(try await newest(store, of: .shard(ShardID(2)))?.commit, 4, "shard 2")
        try expectEqual(try await newest(store, of: .shard(ShardID(3))), nil, "shard 3")
    }
}
