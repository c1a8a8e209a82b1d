import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport
import Testing

/// F5 F6 I1 I8: a role is away until a log is full on a real server, and comes back. Everything is served again without any
/// help, and nothing that was acknowledged is missing or counted twice.
@Suite(.serialized) struct FreedLogsClusterTests {
    private static let shards = 2
    private static let ordersPerBatch = 400
    private static let brokenPerShard = 10
    private static let brokenBytes = 60_000

    /// Bytes of each LOG; a quarter of it is more than one commit.
    private static let bounds: StreamBounds = {
        var bounds = StreamBounds()
        bounds.inputBytes = 1 << 20
        bounds.commitBytes = 1 << 20
        return bounds
    }()

    private static func batch(_ number: Int) -> [[String: Any]] {
        (0..<ordersPerBatch).map { index in
            let order = number * ordersPerBatch + index
            return [
                "type": "track", "event": "Order Completed", "userId": "c\(order % 200)", "messageId": "m\(order)",
                "properties": ["order_id": "o\(order)", "total": 1],
            ]
        }
    }

    private func status(_ cluster: TestCluster) async throws -> ClusterStatus {
        try JSONDecoder().decode(ClusterStatus.self, from: Data(try await cluster.attempt(["status", "--json"]).output.utf8))
    }

    private func within(_ body: (TestCluster, any LogStore) async throws -> Void) async throws {
        let cluster = try await TestCluster.start(workers: 1, shards: Self.shards, timeMode: [], bounds: Self.bounds)
        let connection = try await cluster.nats.connect()
        do {
            let rules = "installation: { currency: USD, time_zone: UTC, fulfilled: on_placed }\nrules: []\n"
            try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", rules)])
            try await body(cluster, try await JetStreamInstallation.open(connection: connection, log: testLog).logs)
        } catch {
            Issue.record("\(error)\n\(cluster.logs())")
        }
        connection.close()
        try await cluster.stop()
    }

    /// Posts batch after batch until one is refused; its number.
    private func postUntilRefused(_ cluster: TestCluster) async throws -> Int {
        for number in 0..<400 {
            let answer = try await cluster.post(Self.batch(number))
            if answer.status == 200 { continue }
            #expect(answer.status == 503 && answer.saysWhen)
            return number
        }
        throw TestSupportError("nothing was refused")
    }

    /// The batch that was refused, and one more, are taken; then every order is counted once.
    private func goesOn(_ cluster: TestCluster, from refused: Int, setAside: Int64 = 0) async throws {
        for number in [refused, refused + 1] {
            try await eventually("batch \(number) is taken", within: .seconds(50)) {
                try await cluster.post(Self.batch(number)).status == 200
            }
        }
        let orders = Int64((refused + 2) * Self.ordersPerBatch)
        let seen = Mutex("")
        do {
            try await eventually("every order is in the sums", within: .seconds(50)) {
                let run = try await cluster.attempt(["mechanics", "--json"])
                guard run.status == 0 else { return false }
                let report = try JSONDecoder().decode(MechanicsReport.self, from: Data(run.output.utf8))
                seen.withLock { $0 = "orders \(report.orders), set aside \(report.setAside)" }
                return report.orders == orders && report.setAside == setAside && report.lagCommits == 0
            }
        } catch {
            throw TestSupportError("\(seen.withLock { $0 }) of \(orders)")
        }
        let status = try await status(cluster)
        let served = status.workers.filter(\.alive).flatMap(\.shards)
        #expect(served.count == Self.shards && served.allSatisfy { $0.phase == .serving && $0.problem == nil })
        #expect(status.sumsProblems.isEmpty)
    }

    @Test(.timeLimit(.minutes(3)))
    func `F5 F6 I8 LOG fills while the coordinator is away: 503, and when it is back all goes on by itself`() async throws {
        try await within { cluster, logs in
            try await cluster.kill("coordinator")
            // What cannot be read is set aside, and stands whole in LOG.
            let closesAt = CommitRoom(bound: Self.bounds.commitBytes).closesAt
            let broken = Self.brokenPerShard
            for index in 0..<Self.shards {
                let shard = ShardID(index: index)
                for _ in 0..<broken {
                    _ = try await logs.append(to: .input(shard), [UInt8](repeating: 9, count: Self.brokenBytes))
                }
                try await eventually("LOG.\(shard) is full", within: .seconds(30)) {
                    try await logs.state(of: .commits(shard)).bytes >= closesAt
                }
            }
            let refused = try await postUntilRefused(cluster)
            for shard in 0..<Self.shards {
                let state = try await logs.state(of: .commits(ShardID(index: shard)))
                #expect(state.first == 1 && state.bytes < 1 << 20, "LOG.\(shard) is whole, and below its bound: \(state)")
            }
            try cluster.start("coordinator", ["coordinator", "--data", cluster.folder.path("coordinator")])
            try await goesOn(cluster, from: refused, setAside: Int64(Self.shards * broken))
            for shard in 0..<Self.shards {
                let state = try await logs.state(of: .commits(ShardID(index: shard)))
                #expect(state.first > 1, "LOG.\(shard) was trimmed: \(state)")
            }
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `F5 F6 I1 IN fills while the workers are away: 503, and when one is back every order is applied once`() async throws {
        try await within { cluster, _ in
            try await cluster.kill("worker-1")
            let refused = try await postUntilRefused(cluster)
            try cluster.startWorker("worker-1")
            try await goesOn(cluster, from: refused)
        }
    }
}
