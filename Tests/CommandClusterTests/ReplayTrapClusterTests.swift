import Foundation
import Model
import TestSupport
import Testing

/// F7: a recorded commit that ends every worker of a build that runs it again.
@Suite(.serialized) struct ReplayTrapClusterTests {
    private static let customers = 40
    private static let fault = ["REPRISE_FAULT_TRAP_ON": "Poison", "SWIFT_BACKTRACE": "enable=no"]

    private func order(_ id: String, _ customer: String) -> [String: Any] {
        [
            "type": "track", "event": "Order Completed", "userId": customer, "messageId": id,
            "timestamp": "2024-01-02T00:00:00Z", "properties": ["order_id": id, "total": 5] as [String: Any],
        ]
    }

    private func orders(_ round: Int) -> [[String: Any]] {
        (0..<Self.customers).map { order("\(round)-\($0)", "c\($0)") }
    }

    private func status(_ cluster: TestCluster) async throws -> ClusterStatus {
        try JSONDecoder().decode(ClusterStatus.self, from: Data(try await cluster.attempt(["status", "--json"]).output.utf8))
    }

    private func served(_ cluster: TestCluster) async throws -> Set<Int> {
        Set(try await status(cluster).workers.filter(\.alive).flatMap(\.shards).filter { $0.phase == .serving }.map(\.shard))
    }

    private func report(_ cluster: TestCluster) async throws -> MechanicsReport {
        try JSONDecoder().decode(MechanicsReport.self, from: Data(try await cluster.run(["mechanics", "--json"]).utf8))
    }

    private func eventuallyCounts(_ orders: Int, _ cluster: TestCluster) async throws {
        try await eventually("\(orders) orders are counted", within: .seconds(60)) {
            try await report(cluster).orders == Int64(orders)
        }
    }

    /// A shard whose log traps three workers of four: two of them end, the third serves all other shards. Returns that
    /// shard's number.
    private func refused(_ cluster: TestCluster) async throws -> Int {
        let poison: [String: Any] = [
            "type": "track", "event": "Poison", "userId": "c1", "messageId": "p", "timestamp": "2024-01-02T00:00:00Z",
        ]
        #expect(try await cluster.post(orders(1) + [poison] + orders(2)).status == 200)
        try await eventuallyCounts(2 * Self.customers, cluster)
        try await cluster.kill("worker-1")
        let names = ["worker-2", "worker-3", "worker-4"]
        for name in names { try cluster.startWorker(name, faults: Self.fault) }
        try await eventually("the shard is refused, the others are served", within: .seconds(90)) {
            let faults = try await status(cluster).faults
            return try await served(cluster).count == 7 && faults.contains { $0.contains("recover --trust-log") }
        }
        let running = try names.filter { try cluster.isRunning($0) }
        #expect(running.count == 1, "two have ended: \(running) still run\n\(cluster.logs())")
        let shard = try #require(Set(0..<8).subtracting(try await served(cluster)).first)
        let shown = try await cluster.attempt(["status"])
        #expect(shown.status == 2 && shown.output.contains("of shard \(shard) again ended worker-"), "\(shown.output)")
        #expect(shown.output.contains("at event ") && shown.output.contains(" of input "))
        #expect(shown.output.contains("reprise recover --trust-log \(shard)"))
        // Whoever is left goes on with the other shards, and the refused one's events are accepted.
        #expect(try await cluster.post(orders(3)).status == 200)
        try await eventually("the others' orders are counted", within: .seconds(60)) {
            try await report(cluster).orders > Int64(2 * Self.customers + Self.customers / 2)
        }
        #expect(try cluster.isRunning(running.first ?? ""))
        return shard
    }

    private func within(_ body: (TestCluster) async throws -> Void) async throws {
        let cluster = try await TestCluster.start(workers: 1, shards: 8)
        do {
            try await cluster.run(
                [
                    "rules", "apply", "-f",
                    try cluster.folder.write(
                        "rules.yaml", "installation: { currency: USD, time_zone: UTC, fulfilled: on_placed }\nrules: []\n"),
                ])
            try await body(cluster)
        } catch {
            Issue.record("\(error)\n\(cluster.logs())")
        }
        try await cluster.stop()
    }

    @Test(.timeLimit(.minutes(6)))
    func `F7 I4 a commit that ends workers that replay it: two end, the rest is served, another build takes it`() async throws {
        try await within { cluster in
            let shard = try await refused(cluster)
            // The same program with one byte behind it is another build.
            let mended = cluster.folder.path("mended")
            try FileManager.default.copyItem(atPath: try CommandRun.binary(), toPath: mended)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: mended))
            try file.seekToEnd()
            try file.write(contentsOf: Data([0]))
            try file.close()
            try cluster.startWorker("worker-5", binary: mended)
            try await eventually("all shards are served", within: .seconds(60)) { try await served(cluster).count == 8 }
            try await eventuallyCounts(3 * Self.customers, cluster)
            let owners = try await status(cluster).workers.filter { worker in
                worker.alive && worker.shards.contains { $0.shard == shard && $0.phase == .serving }
            }
            #expect(owners.map(\.id.name) == ["worker-5"])
            #expect(try await report(cluster).setAside == 0)
        }
    }

    @Test(.timeLimit(.minutes(6)))
    func `F7 I7 a person takes the log as the truth: the event that traps is set aside, and nothing else is missing`()
        async throws
    {
        try await within { cluster in
            let shard = try await refused(cluster)
            let told = try await cluster.run(["recover", "--trust-log", "--yes", String(shard)])
            #expect(told.contains("shard \(shard): its log is trusted up to commit"))
            try await eventually("all shards are served", within: .seconds(60)) { try await served(cluster).count == 8 }
            try await eventuallyCounts(3 * Self.customers, cluster)
            try await eventually("it is listed") {
                try await cluster.run(["dead", "list"]).contains("trapped: applying it ended 2 workers")
            }
            #expect(try await cluster.run(["dead", "list"]).contains("track 'Poison'"))
            #expect(try await report(cluster).setAside == 1)
        }
    }
}
