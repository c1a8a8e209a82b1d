import Foundation
import Model
import TestSupport
import Testing

/// Workers that are frozen, drained and started twice, as real processes.
@Suite(.serialized) struct MovingClusterTests {
    private func status(_ cluster: TestCluster) async throws -> ClusterStatus {
        try JSONDecoder().decode(ClusterStatus.self, from: Data(try await cluster.run(["status", "--json"]).utf8))
    }

    private func serving(_ status: ClusterStatus, _ name: String) -> Int {
        status.workers.filter { $0.id.name == name && $0.alive }.flatMap(\.shards).count { $0.phase == .serving }
    }

    /// Asks until it is so: `status` exits with 2 while a shard is not served.
    private func wait(_ what: String, _ cluster: TestCluster, _ holds: @Sendable (ClusterStatus) -> Bool) async throws {
        try await eventually(what, within: .seconds(60)) {
            guard let now = try? await status(cluster) else { return false }
            return holds(now)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `F3 F4 a frozen worker is replaced and harmless when it wakes; a drained one owns nothing; names are unique`()
        async throws
    {
        let cluster = try await TestCluster.start(workers: 2, shards: 8, coordinator: ["--standbys", "1"])
        do {
            let frozen = try cluster.processID("worker-1")
            kill(frozen, SIGSTOP)
            try await wait("worker-2 serves all", cluster) { serving($0, "worker-2") == 8 }
            let orders = try cluster.folder.write(
                "orders.csv",
                "order_id,customer_id,date,total\n"
                    + (1...40).map { "\($0),customer-\($0),2024-01-01,10\n" }.joined())
            try await cluster.run(["import", orders])
            kill(frozen, SIGCONT)
            try await wait("both serve their share", cluster) { serving($0, "worker-1") == 4 && serving($0, "worker-2") == 4 }
            try await cluster.run(["clock", "advance", "--to", "2024-01-02T00:00:00Z", "--wait"])
            let report = try JSONDecoder().decode(
                MechanicsReport.self, from: Data(try await cluster.run(["mechanics", "--json"]).utf8))
            #expect(report.orders == 40 && report.customers == 40, "nothing lost, nothing twice")

            try await drains(cluster)
            let twin = try await cluster.attempt(["worker", "--name", "worker-2"])
            #expect(twin.status == 1)
            #expect(twin.errors.contains("a worker called 'worker-2' already runs"), "\(twin.errors)")
            try await cluster.stopCleanly(["gateway", "dispatcher", "worker-1", "worker-2", "coordinator"])
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }

    private func drains(_ cluster: TestCluster) async throws {
        let moving = try await status(cluster).workers.filter { $0.id.name == "worker-1" && $0.alive }.flatMap(\.shards)
            .filter { $0.phase == .serving }.map(\.shard)
        let drained = try await cluster.run(["worker", "drain", "worker-1", "--wait", "30"])
        #expect(drained == "worker-1 owns no shards\n")
        let after = try await status(cluster)
        #expect(serving(after, "worker-1") == 0 && serving(after, "worker-2") == 8)
        #expect(after.workers.first { $0.id.name == "worker-1" }?.draining == true)
        let moved = after.workers.flatMap(\.shards).filter { $0.phase == .serving && moving.contains($0.shard) }
        #expect(moved.count == 4 && moved.allSatisfy { $0.pauseMilliseconds ?? -1 >= 0 }, "each says how long nobody served it")
        let last = try await cluster.attempt(["worker", "drain", "worker-2"])
        #expect(last.status == 1)
        #expect(last.errors.contains("no other worker could take the shards of 'worker-2'"), "\(last.errors)")
        let unknown = try await cluster.attempt(["worker", "drain", "worker-9"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("no worker called 'worker-9' lives; there are: worker-1, worker-2"), "\(unknown.errors)")
        #expect(try await cluster.run(["worker", "undrain", "worker-1"]) == "worker-1 takes its share again\n")
        try await wait("worker-1 serves again", cluster) { serving($0, "worker-1") == 4 }
    }
}
