import Foundation
import Model
import TestSupport
import Testing

/// Two coordinators; whoever leads is frozen and killed while orders come in.
@Suite(.serialized) struct CoordinatorFailoverClusterTests {
    private func leader(_ cluster: TestCluster) async throws -> String {
        let run = try await cluster.attempt(["status", "--json"])
        guard let status = try? JSONDecoder().decode(ClusterStatus.self, from: Data(run.output.utf8)) else { return "" }
        return status.coordinator.split(separator: "#").first.map(String.init) ?? ""
    }

    private func awaitLeader(_ name: String, _ cluster: TestCluster) async throws {
        try await eventually("\(name) leads", within: .seconds(60)) { try await leader(cluster) == name }
    }

    private func report(_ cluster: TestCluster) async throws -> MechanicsReport {
        try JSONDecoder().decode(MechanicsReport.self, from: Data(try await cluster.run(["mechanics", "--json"]).utf8))
    }

    @Test(.timeLimit(.minutes(5)))
    func `I10 sums are exact whoever leads: leaders frozen, thawed and killed in the middle of load`() async throws {
        let cluster = try await TestCluster.start(workers: 2, shards: 8)
        do {
            try await run(cluster)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }

    private func run(_ cluster: TestCluster) async throws {
        try cluster.startCoordinator("second")
        try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", SampleShop.rules)])
        let orders = try cluster.folder.write("orders.csv", SampleShop.orders(customers: 40, days: 40))
        async let replay = cluster.run(["replay", orders, "--json"])

        // Frozen, it believes to lead until it looks again; awake, it must find out before it places anything.
        try cluster.send(SIGSTOP, to: "coordinator")
        try await awaitLeader("second", cluster)
        let before = try await LogContents.read(cluster).placements
        try cluster.send(SIGCONT, to: "coordinator")
        // A worker is gone for long enough, and comes back, so that there is something to place.
        try await cluster.kill("worker-2")
        try await eventually("its shards are placed anew") {
            try await LogContents.read(cluster).placements.count > before.count
        }
        try cluster.startWorker("worker-2")
        try await cluster.run(["status", "--quiet", "--wait", "60", "--workers", "2"])
        let after = try await LogContents.read(cluster).placements
        #expect(after.count > before.count)
        #expect(after.map(\.epoch) == after.map(\.epoch).sorted())
        let epoch = try #require(before.last?.epoch)
        #expect(after.dropFirst(before.count).allSatisfy { $0.epoch == epoch && $0.coordinator.hasPrefix("second#") })

        try await cluster.kill("second")
        try await awaitLeader("coordinator", cluster)
        let told = try JSONDecoder().decode(MechanicsReport.self, from: Data(try await replay.utf8))
        let contents = try await LogContents.read(cluster)
        let expected = try contents.figures()
        #expect(told.figures == expected)
        #expect(told.rows.allSatisfy { $0.sales > 0 && $0.executions > 20 }, "the story has something to count")
        #expect(try contents.sum(.orders) == told.orders)
        #expect(try contents.sum(.revenue) == told.revenue)
        #expect(told.orders == Int64(SampleShop.orders(customers: 40, days: 40).split(separator: "\n").count - 1))
        #expect(try cluster.mails().count == Int(told.rows.reduce(0) { $0 + $1.sent }))

        // Whoever was killed in the middle of adding up goes on where its database stands.
        try cluster.startCoordinator("second")
        try await cluster.kill("coordinator")
        try await awaitLeader("second", cluster)
        try await eventually("the successor has all commits") { try await report(cluster).lagCommits == 0 }
        #expect(try await report(cluster).figures == expected)
        #expect(try await report(cluster).orders == told.orders)
    }
}
