import Foundation
import Model
import Placement
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

/// I8: what the coordinator does so that full logs come free by themselves.
@Suite struct FullLogTests {
    @Test func `F5 I8 a LOG that is nearly full gets the sums' second snapshot for one more commit, and no third`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = CoordinatorRoleTests.Cluster()
        let writer = SumsSnapshotTests.Writer(cluster, seed: 11)
        try await writer.write(400)
        let log = LogName.commits(ShardID(0))
        // As full as its owner lets it be; the others have no bound.
        let bytes = try await cluster.store.state(of: log).bytes
        cluster.store.setBound(log, bytesMax: bytes * 2)
        #expect(bytes >= CommitRoom(bound: bytes * 2).closesAt)
        #expect(try await writer.trim().allSatisfy { $0.waitingFor == .coordinator })

        let task = try cluster.coordinator("c0", path: path)
        try await writer.awaitSnapshot()
        for _ in 0..<200 { try await cluster.step(1) }
        #expect(cluster.snapshots.commits(of: .coordinator) == [400], "of the same commits there is one")
        #expect(try await writer.trim()[0].waitingFor == .coordinator)

        try await writer.write(1)
        try await writer.awaitSnapshot()
        #expect(cluster.snapshots.commits(of: .coordinator) == [400, 401])
        let below = try #require(try await writer.trim()[0].commitsBelow)
        #expect(below == 100 && writer.first[0] == 100)
        try await writer.write(4)
        for _ in 0..<200 { try await cluster.step(1) }
        #expect(cluster.snapshots.commits(of: .coordinator) == [400, 401], "nothing is held any more")
        task.cancel()
        try await task.value
    }

    private func fill(_ cluster: CoordinatorRoleTests.Cluster, until full: Bool, count: Int = .max) async throws {
        let record = CoordinatorRecord(epoch: 1, coordinator: "c0#0", placement: .empty(shards: cluster.shards))
        let payload = Array(try JSONEncoder().encode(record))
        do {
            for _ in 0..<count { _ = try await cluster.store.append(to: .coordinator, payload) }
        } catch {
            #expect(full && error.code == .full)
        }
    }

    @Test func `I8 COORD keeps fewer records when so many take too much of its bound`() async throws {
        let cluster = CoordinatorRoleTests.Cluster()
        try await fill(cluster, until: false, count: 100)
        let bytes = try await cluster.store.state(of: .coordinator).bytes
        try await Trimming.trimCoordinator(cluster.store)
        #expect(cluster.store.contents(of: .coordinator).count == 100, "it has no bound")
        cluster.store.setBound(.coordinator, bytesMax: bytes)
        try await Trimming.trimCoordinator(cluster.store)
        let kept = cluster.store.contents(of: .coordinator)
        #expect((49...50).contains(kept.count) && kept.last?.sequence == 100)
    }

    @Test func `I8 I2 who could lead only after COORD has taken a record makes room in a full one`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = CoordinatorRoleTests.Cluster()
        cluster.store.setBound(.coordinator, bytesMax: 4000)
        try await fill(cluster, until: true)
        let task = try cluster.coordinator("c0", path: path)
        let a = CoordinatorRoleTests().heartbeat("a")
        let placed = try await cluster.placement(1, hearing: [a]) { $0.epoch == 2 && $0.placement.alive == [a.worker] }
        #expect(placed.coordinator == "c0#1")
        task.cancel()
        try await task.value
    }
}
