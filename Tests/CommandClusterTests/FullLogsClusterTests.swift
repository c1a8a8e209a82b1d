import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport
import Testing

/// I7 I8: a log at its bound on a real server. What is full stops with a reason; nothing is missing when it goes on.
@Suite(.serialized) struct FullLogsClusterTests {
    private static let letters = 30

    private struct Letter: Decodable {
        var id: String
    }

    private func status(_ cluster: TestCluster) async throws -> ClusterStatus {
        try JSONDecoder().decode(ClusterStatus.self, from: Data(try await cluster.attempt(["status", "--json"]).output.utf8))
    }

    private func report(_ cluster: TestCluster) async throws -> MechanicsReport {
        try JSONDecoder().decode(MechanicsReport.self, from: Data(try await cluster.run(["mechanics", "--json"]).utf8))
    }

    private func within(
        _ bounds: StreamBounds, shards: Int, _ body: (TestCluster, JetStreamInstallation) async throws -> Void
    ) async throws {
        let cluster = try await TestCluster.start(workers: 1, shards: shards, bounds: bounds)
        let connection = try await cluster.nats.connect()
        do {
            let rules = "installation: { currency: USD, time_zone: UTC, fulfilled: on_placed }\nrules: []\n"
            try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", rules)])
            try await body(cluster, try await JetStreamInstallation.open(connection: connection, log: testLog))
        } catch {
            Issue.record("\(error)\n\(cluster.logs())")
        }
        connection.close()
        try await cluster.stop()
    }

    @Test(.timeLimit(.minutes(5)))
    func `I7 I8 a full DEAD: shards go on, their sums wait and say why; discarding makes room and nothing is lost`() async throws
    {
        var bounds = StreamBounds()
        bounds.deadLetterBytes = 2 << 20
        let count = Self.letters
        try await within(bounds, shards: 2) { cluster, installation in
            for _ in 0..<count {
                _ = try await installation.logs.append(to: .input(ShardID(0)), [UInt8](repeating: 9, count: 150_000))
            }
            try await eventually("the sums of the shard say why they wait", within: .seconds(60)) {
                let shown = try await cluster.attempt(["status"]).output
                return shown.contains("the sums do not go on: shard 0 waits: DEAD holds") && shown.contains("reprise dead list")
            }
            let state = try await installation.logs.state(of: .deadLetters)
            #expect(state.bytes <= 2 << 20)
            // Both shards are served, and the other's sums go on.
            let orders = (0..<20).map { "o\($0),c\($0),2024-01-01,1.00\n" }.joined()
            try await cluster.run(
                ["import", try cluster.folder.write("orders.csv", "order_id,customer_id,date,total\n" + orders)])
            try await eventually("the other shard's orders are counted") { try await report(cluster).orders > 0 }
            try await eventually("everything is applied") {
                let served = try await status(cluster).workers.flatMap(\.shards).filter { $0.phase == .serving }
                return served.count == 2 && served.allSatisfy { $0.inputApplied == $0.inputLast }
                    && served.first { $0.shard == 0 }?.setAside == UInt64(count)
            }
            let seen = Mutex<Set<String>>([])
            try await eventually("all have been listed, some at a time", within: .seconds(90)) {
                let listed = try JSONDecoder().decode(
                    [Letter].self, from: Data(try await cluster.run(["dead", "list", "--json"]).utf8))
                let count = seen.withLock { seen in
                    seen.formUnion(listed.map(\.id))
                    return seen.count
                }
                // By name: what is carried meanwhile is not seen yet.
                if !listed.isEmpty { try await cluster.run(["dead", "discard", "--why", "broken"] + listed.map(\.id)) }
                return count == Self.letters
            }
            #expect(seen.withLock { $0 } == Set((1...count).map { "0.\($0)" }))
            try await eventually("the sums are complete", within: .seconds(60)) {
                let report = try await report(cluster)
                return try await status(cluster).sumsProblems.isEmpty && report.orders == 20 && report.setAside == Int64(count)
            }
        }
    }
}
