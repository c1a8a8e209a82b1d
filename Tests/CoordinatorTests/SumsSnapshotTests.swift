import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import Synchronization
import Testing

@testable import Coordinator

/// A coordinator whose database is gone, or too old for the logs, goes on from a snapshot of the sums; none is lost (I10).
@Suite struct SumsSnapshotTests {
    typealias Cluster = CoordinatorRoleTests.Cluster

    private func stop(_ task: Task<Void, any Error>) async throws {
        task.cancel()
        try await task.value
    }

    /// Commits for each shard, and what they add up to.
    final class Writer {
        var makers: [CommitMaker]
        let cluster: Cluster

        init(_ cluster: Cluster, seed: UInt64) {
            self.cluster = cluster
            makers = (0..<cluster.shards).map { CommitMaker(shard: $0, seed: seed) }
        }

        func write(_ count: Int) async throws {
            for index in 0..<count {
                let shard = index % cluster.shards
                _ = try await cluster.store.append(to: .commits(ShardID(index: shard)), makers[shard].next())
            }
        }

        var commits: [Int: UInt64] {
            Dictionary(uniqueKeysWithValues: makers.map { (Int($0.shard.number), $0.position.number) })
        }

        /// Waits until the sums contain everything, and compares them.
        func check() async throws {
            var answer = CaughtUpAnswer(reached: false, commits: [:])
            for _ in 0..<4000 where !answer.reached {
                answer = try await cluster.ask("coordinator.caughtup", CaughtUpRequest(commits: commits, timeoutMilliseconds: 0))
                if !answer.reached { try await cluster.step(1) }
            }
            #expect(answer == CaughtUpAnswer(reached: true, commits: commits))
            var expected = Sums()
            for maker in makers { expected.merge(maker.tally) }
            let report: MechanicsReport = try await cluster.ask("coordinator.mechanics")
            for (rule, sums) in expected.rules {
                let row = try #require(report.rows.first { $0.rule == rule.description })
                #expect(
                    [row.executions, row.sent, row.conversions, row.sales, row.revenue]
                        == [sums.executions, sums.sent, sums.conversions, sums.sales, sums.revenue])
            }
            let reconciliation: Reconciliation = try await cluster.ask("coordinator.reconcile")
            #expect(reconciliation == Reconciliation(orders: Int64(expected.credits.count), problems: []))
        }

        /// Time passes until there is a snapshot that contains everything.
        func awaitSnapshot() async throws {
            try await check()
            let all = commits.values.reduce(0, +)
            for _ in 0..<2000 where cluster.snapshots.commits(of: .coordinator).last != all { try await cluster.step(1) }
            #expect(cluster.snapshots.commits(of: .coordinator).last == all)
        }

        /// As if every shard had snapshots at its last commits; then trims as their owners do.
        func trim() async throws -> [Trimming.Outcome] {
            var outcomes: [Trimming.Outcome] = []
            for maker in makers {
                let last = maker.position.number
                for commit in [last - 1, last] {
                    let needs = [LogNeed(.commits(maker.shard), from: commit), LogNeed(.input(maker.shard), from: 1)]
                    try await cluster.snapshots.put(
                        [[1]],
                        SnapshotHead(
                            commit: commit, commitHash: try hash(of: commit, maker.shard), format: 1, time: .distantPast,
                            needs: needs),
                        of: .shard(maker.shard))
                }
                outcomes.append(try await Trimming(logs: cluster.store, snapshots: cluster.snapshots).trim(maker.shard))
            }
            return outcomes
        }

        private func hash(of commit: UInt64, _ shard: ShardID) throws -> UInt128 {
            let record = cluster.store.contents(of: .commits(shard)).first { $0.sequence == commit }
            return try Commit.decoded(try #require(record).payload).hash
        }

        var first: [UInt64] { makers.map { cluster.store.contents(of: .commits($0.shard)).first?.sequence ?? 0 } }
    }

    @Test func `F5 I10 a coordinator on a new host goes on from the newest snapshot, with the logs trimmed`() async throws {
        let paths = [SumsTests.path(), SumsTests.path()]
        defer { for path in paths { SumsTests.remove(path) } }
        let cluster = Cluster()
        let writer = Writer(cluster, seed: 3)
        let first = try cluster.coordinator("c0", path: paths[0], snapshotEveryBytes: 1)
        for _ in 0..<3 {
            try await writer.write(200)
            try await writer.awaitSnapshot()
        }
        let outcomes = try await writer.trim()
        let older = try #require(try await cluster.snapshots.kept(of: .coordinator).last)
        let needed = writer.makers.map { min(older.head.need(of: .commits($0.shard)) ?? 0, $0.position.number - 1) }
        #expect(outcomes.map(\.commitsBelow) == needed && needed.allSatisfy { $0 > 1 }, "\(needed)")
        #expect(writer.first == needed, "what the older snapshot needs stays")
        try await stop(first)
        try await writer.write(60)
        let second = try cluster.coordinator("c1", path: paths[1])
        try await writer.check()
        try await stop(second)
    }

    @Test func `F5 a coordinator that was down meanwhile finds its database too old and says so`() async throws {
        let paths = [SumsTests.path(), SumsTests.path()]
        defer { for path in paths { SumsTests.remove(path) } }
        let cluster = Cluster()
        let writer = Writer(cluster, seed: 4)
        let early = try cluster.coordinator("c1", path: paths[1])
        try await writer.write(40)
        try await writer.check()
        try await stop(early)
        let leader = try cluster.coordinator("c0", path: paths[0], snapshotEveryBytes: 1)
        for _ in 0..<3 {
            try await writer.write(200)
            try await writer.awaitSnapshot()
        }
        _ = try await writer.trim()
        try await stop(leader)
        let late = try cluster.coordinator("c1", path: paths[1])
        try await writer.check()
        try await stop(late)
    }

    @Test func `F5 a damaged snapshot of the sums leaves the one before`() async throws {
        let paths = [SumsTests.path(), SumsTests.path()]
        defer { for path in paths { SumsTests.remove(path) } }
        let cluster = Cluster()
        let writer = Writer(cluster, seed: 5)
        let first = try cluster.coordinator("c0", path: paths[0], snapshotEveryBytes: 1)
        for _ in 0..<3 {
            try await writer.write(100)
            try await writer.awaitSnapshot()
        }
        _ = try await writer.trim()
        try await stop(first)
        let newest = try #require(cluster.snapshots.commits(of: .coordinator).last)
        cluster.snapshots.damage(.coordinator, commit: newest, chunk: 0)
        let second = try cluster.coordinator("c1", path: paths[1])
        try await writer.check()
        try await stop(second)
    }

    @Test func `an absent coordinator holds LOG as it is, not IN`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = Cluster()
        let writer = Writer(cluster, seed: 6)
        try await writer.write(400)
        let outcomes = try await writer.trim()
        #expect(outcomes.allSatisfy { $0.commitsBelow == nil && $0.inputBelow == 1 && $0.waitingFor == .coordinator })
        #expect(writer.first == [1, 1, 1, 1])
        let late = try cluster.coordinator("c0", path: path)
        try await writer.check()
        try await stop(late)
    }

    @Test func `F5 sums behind the logs begin anew, also when the snapshots cannot be asked at first`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = Cluster()
        try await Writer(cluster, seed: 8).write(40)
        try await cluster.store.trim(.commits(ShardID(0)), below: 5)
        let database = try await SumsDatabase(path: path, shards: cluster.shards)
        let positions = try await database.positions()
        let asked = Asked()
        let folder = SumsFolder(
            logs: cluster.store, database: database, progress: SumsProgress(contained: positions.map(\.number)),
            shards: cluster.shards, clock: cluster.clock, log: Logger(label: "sums") { _ in SwiftLogNoOpLogHandler() },
            canReload: { shard, first in
                #expect(shard == ShardID(0) && first == 5)
                guard asked.next() > 1 else { throw LogError(.unavailable, "the snapshots") }
                return true
            })
        let folding = Task { try await folder.run(from: positions) }
        await cluster.clock.waitForSleepers(1)
        cluster.clock.advance(milliseconds: SumsFolder.retryMilliseconds)
        await #expect(throws: SumsFolder.Outdated.self) { try await folding.value }
        #expect(asked.count == 2)
        try await database.close()
    }

    private final class Asked: Sendable {
        private let times = Mutex(0)
        var count: Int { times.withLock { $0 } }
        func next() -> Int {
            times.withLock { times in
                times += 1
                return times
            }
        }
    }

    @Test func `CONFIG keeps what a kept snapshot or a commit names, COORD the newest records`() async throws {
        let cluster = Cluster()
        let writer = Writer(cluster, seed: 7)
        for _ in 0..<9 { _ = try await cluster.store.append(to: .configuration, RuleSet().encoded()) }
        let trimming = Trimming(logs: cluster.store, snapshots: cluster.snapshots)
        try await writer.write(400)
        // Every commit names revision 1.
        let shards = try #require(ShardMap(shards: cluster.shards))
        #expect(try await trimming.trimConfiguration(shards) == 1)
        for shard in shards.all { try await cluster.store.trim(.commits(shard), below: 101) }
        for shard in shards.all {
            for commit in [4, 5] as [UInt64] {
                let needs = [LogNeed(.configuration, from: shard.number == 2 ? commit : 8)]
                try await cluster.snapshots.put(
                    [[1]], SnapshotHead(commit: commit, commitHash: 1, format: 1, time: .distantPast, needs: needs),
                    of: .shard(shard))
            }
        }
        #expect(try await trimming.trimConfiguration(shards) == 4)
        #expect(cluster.store.contents(of: .configuration).map(\.sequence) == Array(4...9))
        let more = Limits.coordinatorRecordsKept + 5
        for _ in 0..<more { _ = try await cluster.store.append(to: .coordinator, [1]) }
        try await Trimming.trimCoordinator(cluster.store)
        #expect(cluster.store.contents(of: .coordinator).map(\.sequence) == Array(6...more))
    }
}
