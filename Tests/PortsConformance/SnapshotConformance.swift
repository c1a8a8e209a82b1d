internal import Model
package import Ports
internal import Synchronization

/// What the snapshot suite needs of an implementation: an empty store, and how to damage what it holds.
package struct SnapshotFixture: Sendable {
    package var store: any SnapshotStore
    /// Changes the stored bytes of a chunk of the part at a commit.
    package var damage: @Sendable (SnapshotSubject, _ commit: UInt64, _ chunk: Int) async throws -> Void
    /// Changes the stored bytes of the newest manifest.
    package var damageManifest: @Sendable (SnapshotSubject) async throws -> Void

    package init(
        store: any SnapshotStore,
        damage: @escaping @Sendable (SnapshotSubject, _ commit: UInt64, _ chunk: Int) async throws -> Void,
        damageManifest: @escaping @Sendable (SnapshotSubject) async throws -> Void
    ) {
        self.store = store
        self.damage = damage
        self.damageManifest = damageManifest
    }

    /// What is loaded, and what was reported on the way.
    func load(_ subject: SnapshotSubject, atMost: UInt64 = .max) async throws -> (LoadedSnapshot?, reports: [String]) {
        let reports = Mutex<[String]>([])
        let found = try await store.load(subject, atMost: atMost) { text in reports.withLock { $0.append(text) } }
        return (found, reports.withLock { $0 })
    }
}

/// What every ``SnapshotStore`` promises.
package enum SnapshotConformance {
    package static let cases: [ConformanceCase<SnapshotFixture>] = [
        ConformanceCase("without a snapshot there is none", none),
        ConformanceCase("a whole snapshot comes back as it was written", whole),
        ConformanceCase("increments come back behind the whole part", increments),
        ConformanceCase("the newest state at most at a commit", atMost),
        ConformanceCase("the same commit again replaces it", again),
        ConformanceCase("I8 older snapshots are removed, with all their parts", older),
        ConformanceCase("a snapshot of many chunks comes back whole", large),
        ConformanceCase("subjects do not mix", subjects),
        ConformanceCase("a part without its manifest is never seen", unfinished),
        ConformanceCase("a damaged increment leaves the parts before it, and is reported", damagedIncrement),
        ConformanceCase("a damaged whole part leaves the older snapshot, and is reported", damagedWhole),
        ConformanceCase("a damaged manifest leaves the older snapshot, and is reported", damagedManifest),
        ConformanceCase("manifests say what each snapshot needs of the logs", needs),
    ]

    static let subject = SnapshotSubject.shard(ShardID(0))

    static func head(_ commit: UInt64, of subject: SnapshotSubject = subject) -> SnapshotHead {
        SnapshotHead(
            commit: commit, commitHash: UInt128(commit) << 70 | 5, format: 3, time: Instant(milliseconds: Int64(commit) * 1000),
            needs: [
                LogNeed(.input(ShardID(0)), from: commit * 2), LogNeed(.commits(ShardID(0)), from: commit),
                LogNeed(.configuration, from: 1),
            ])
    }

    static func chunks(_ commit: UInt64, count: Int = 2) -> [[UInt8]] {
        (0..<count).map { index in (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ index &+ Int(commit)) } }
    }

    /// A whole part at the first commit, increments at the others.
    @discardableResult
    static func put(_ commits: [UInt64], of subject: SnapshotSubject = subject, in store: any SnapshotStore) async throws
        -> SnapshotManifest
    {
        var manifest: SnapshotManifest?
        for commit in commits { manifest = try await store.put(chunks(commit), head(commit), of: subject, upon: manifest) }
        guard let manifest else { throw ConformanceFailure("nothing to put", #fileID, #line) }
        return manifest
    }

    static func expect(_ fixture: SnapshotFixture, atMost: UInt64 = .max, parts: [UInt64], reports count: Int = 0) async throws
        -> [String]
    {
        let (found, reports) = try await fixture.load(subject, atMost: atMost)
        try expectEqual(found?.manifest.parts.map(\.head.commit) ?? [], parts, "parts")
        try expectEqual(found?.parts ?? [], parts.map { chunks($0) }, "chunks")
        try expectEqual(found?.head, parts.last.map { head($0) }, "head")
        try expectEqual(reports.count, count, "reports \(reports)")
        return reports
    }

    static func none(_ fixture: SnapshotFixture) async throws {
        _ = try await expect(fixture, parts: [])
        try expectEqual(try await fixture.store.kept(of: subject), [], "kept")
    }

    static func whole(_ fixture: SnapshotFixture) async throws {
        let manifest = try await put([3], in: fixture.store)
        _ = try await expect(fixture, parts: [3])
        try expectEqual(try await fixture.store.kept(of: subject), [manifest], "kept")
        let empty = try await fixture.store.put([[]], head(9), of: subject)
        try expectEqual(try await fixture.load(subject).0, LoadedSnapshot(manifest: empty, parts: [[[]]]), "an empty chunk")
    }

    static func increments(_ fixture: SnapshotFixture) async throws {
        let manifest = try await put([3, 5, 8], in: fixture.store)
        _ = try await expect(fixture, parts: [3, 5, 8])
        try expectEqual(try await fixture.store.kept(of: subject), [manifest], "kept")
        try await put([20, 21], in: fixture.store)
        _ = try await expect(fixture, parts: [20, 21])
        try expectEqual(try await fixture.store.kept(of: subject).map(\.head.commit), [21, 8], "kept")
    }

    static func atMost(_ fixture: SnapshotFixture) async throws {
        try await put([3, 5, 8], in: fixture.store)
        try await put([20, 21], in: fixture.store)
        _ = try await expect(fixture, atMost: 21, parts: [20, 21])
        _ = try await expect(fixture, atMost: 20, parts: [20])
        _ = try await expect(fixture, atMost: 19, parts: [3, 5, 8])
        _ = try await expect(fixture, atMost: 7, parts: [3, 5])
        _ = try await expect(fixture, atMost: 2, parts: [])
    }

    static func again(_ fixture: SnapshotFixture) async throws {
        try await put([3], in: fixture.store)
        try await fixture.store.put([[1, 2, 3]], head(7), of: subject)
        let second = try await fixture.store.put([[4, 5]], head(7), of: subject)
        try expectEqual(try await fixture.load(subject).0, LoadedSnapshot(manifest: second, parts: [[[4, 5]]]), "newest")
        _ = try await expect(fixture, atMost: 6, parts: [3])
    }

    static func older(_ fixture: SnapshotFixture) async throws {
        for commit in 1...6 { try await put([UInt64(commit * 10), UInt64(commit * 10 + 1)], in: fixture.store) }
        let oldest = UInt64(60 - 10 * (Limits.snapshotsKept - 1))
        _ = try await expect(fixture, atMost: oldest + 1, parts: [oldest, oldest + 1])
        _ = try await expect(fixture, atMost: oldest - 1, parts: [])
        try expectEqual(try await fixture.store.kept(of: subject).count, Limits.snapshotsKept, "kept")
    }

    static func large(_ fixture: SnapshotFixture) async throws {
        let chunks = (0..<40).map { index in
            (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 17 ^ ($0 >> 9) &+ index) }
        }
        let whole = Array(chunks.prefix(30))
        let manifest = try await fixture.store.put(whole, head(5), of: subject)
        try await fixture.store.put(Array(chunks.dropFirst(30)), head(6), of: subject, upon: manifest)
        let found = try await fixture.load(subject).0
        try PortsConformance.expect(found?.parts == [whole, Array(chunks.dropFirst(30))], "40 chunks came back differently")
        try expectEqual(found?.bytes, 4_000_000, "bytes")
    }

    static func subjects(_ fixture: SnapshotFixture) async throws {
        try await put([3], of: .shard(ShardID(1)), in: fixture.store)
        try await put([4], of: .shard(ShardID(12)), in: fixture.store)
        try await put([5], of: .coordinator, in: fixture.store)
        try expectEqual(try await fixture.load(.shard(ShardID(1))).0?.head.commit, 3, "shard 1")
        try expectEqual(try await fixture.load(.shard(ShardID(12))).0?.head.commit, 4, "shard 12")
        try expectEqual(try await fixture.load(.coordinator).0?.head.commit, 5, "coordinator")
        try expectEqual(try await fixture.load(.shard(ShardID(3))).0, nil, "shard 3")
    }

    static func unfinished(_ fixture: SnapshotFixture) async throws {
        let writer = try await fixture.store.write(head(4), of: subject, upon: nil)
        try await writer.append([1, 2, 3])
        _ = try await expect(fixture, parts: [])
        let manifest = try await put([5], in: fixture.store)
        let increment = try await fixture.store.write(head(6), of: subject, upon: manifest)
        try await increment.append([1, 2, 3])
        _ = try await expect(fixture, parts: [5])
    }

    static func damagedIncrement(_ fixture: SnapshotFixture) async throws {
        try await put([3], in: fixture.store)
        try await put([20, 21, 22], in: fixture.store)
        try await fixture.damage(subject, 22, 1)
        let reports = try await expect(fixture, parts: [20, 21], reports: 1)
        try PortsConformance.expect(reports[0].contains("chunk 1") && reports[0].contains("commit 22"), "names what: \(reports)")
        try await fixture.damage(subject, 21, 0)
        _ = try await expect(fixture, parts: [20], reports: 1)
    }

    static func damagedWhole(_ fixture: SnapshotFixture) async throws {
        try await put([3, 4], in: fixture.store)
        try await put([20, 21, 22], in: fixture.store)
        try await fixture.damage(subject, 20, 0)
        let reports = try await expect(fixture, parts: [3, 4], reports: 1)
        try PortsConformance.expect(reports[0].contains("chunk 0") && reports[0].contains("commit 20"), "names what: \(reports)")
        try await fixture.damage(subject, 3, 1)
        _ = try await expect(fixture, parts: [], reports: 2)
    }

    static func damagedManifest(_ fixture: SnapshotFixture) async throws {
        try await put([3, 4], in: fixture.store)
        try await put([20, 21], in: fixture.store)
        try await fixture.damageManifest(subject)
        let reports = try await expect(fixture, parts: [3, 4], reports: 1)
        try PortsConformance.expect(reports[0].contains("manifest") && reports[0].contains("commit 21"), "names what: \(reports)")
        let kept = try await fixture.store.kept(of: subject)
        try expectEqual(kept.map(\.head.commit), [4], "kept")
        try expectEqual(SnapshotManifest.floor(of: .input(ShardID(0)), kept: kept), nil, "nothing may be trimmed")
    }

    static func needs(_ fixture: SnapshotFixture) async throws {
        let log = LogName.input(ShardID(0))
        try await put([3, 4], in: fixture.store)
        try expectEqual(SnapshotManifest.floor(of: log, kept: try await fixture.store.kept(of: subject)), nil, "one snapshot")
        try await put([20, 21], in: fixture.store)
        let kept = try await fixture.store.kept(of: subject)
        try expectEqual(SnapshotManifest.floor(of: log, kept: kept), 8, "the older one's last part")
        try expectEqual(SnapshotManifest.floor(of: .coordinator, kept: kept), nil, "a log that it does not need")
    }
}
