import Foundation
import Model
import NATS
import TestSupport
import Testing

/// Snapshots and trimming with real processes: a worker is killed, the coordinator loses its host.
@Suite(.serialized) struct TrimmingClusterTests {
    private static let rules = """
        installation:
          currency: USD
          time_zone: UTC
          fulfilled: on_placed
        rules:
          - name: review
            mechanic: review_request
            after: 3d
            action: record
            conversion: { window: 10d }
          - name: back
            mechanic: time_since_last_purchase
            after: 20d
            action: record
            conversion: { window: 30d }

        """

    private func replay(_ cluster: TestCluster, killing worker: String?) async throws -> MechanicsReport {
        try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", Self.rules)])
        var arguments = ["replay", "--simulated", "--json"]
        if let worker { arguments += ["--kill-process", String(try cluster.processID(worker))] }
        return try JSONDecoder().decode(MechanicsReport.self, from: Data(try await cluster.run(arguments).utf8))
    }

    private func firstCommits(_ cluster: TestCluster) async throws -> [UInt64] {
        let connection = try await cluster.nats.connect()
        defer { connection.close() }
        var first: [UInt64] = []
        for shard in 0..<2 {
            first.append(try await JetStream(connection, log: testLog).streamState("reprise_LOG_\(shard)").first)
        }
        return first
    }

    @Test(.timeLimit(.minutes(10)))
    func `F5 I10 with trimmed logs, a killed worker and a coordinator on a new host the figures are the same`() async throws {
        let plain = try await TestCluster.start(workers: 1, shards: 2)
        let expected = try await replay(plain, killing: nil)
        #expect(try await firstCommits(plain) == [1, 1])
        try await plain.stop()
        #expect(expected.rows.count == 2 && expected.rows.allSatisfy { $0.executions > 0 })

        let cluster = try await TestCluster.start(workers: 2, shards: 2, more: ["REPRISE_SNAPSHOT_EVERY": "3000"])
        do {
            let report = try await replay(cluster, killing: "worker-1")
            #expect(report.rows == expected.rows)
            let first = try await firstCommits(cluster)
            #expect(first.allSatisfy { $0 > 1 }, "LOG begins at \(first): it was trimmed")
            let status = try JSONDecoder().decode(
                ClusterStatus.self, from: Data(try await cluster.run(["status", "--json"]).utf8))
            #expect(status.workers.filter(\.alive).flatMap(\.shards).allSatisfy { $0.snapshotCommit != nil })
            #expect(try await cluster.run(["status", "--shards"]).contains("SNAPSHOT"))

            try await cluster.kill("coordinator")
            try cluster.start("coordinator", ["coordinator", "--data", cluster.folder.path("another-host")])
            try await cluster.run(["status", "--quiet", "--wait", "60"])
            let rows = expected.rows
            try await eventually("the sums are complete", within: .seconds(60)) {
                guard let run = try? await cluster.attempt(["mechanics", "--json"]), run.status == 0 else { return false }
                let read = try JSONDecoder().decode(MechanicsReport.self, from: Data(run.output.utf8))
                return read.lagCommits == 0 && read.rows == rows
            }
            let again = try JSONDecoder().decode(
                MechanicsReport.self, from: Data(try await cluster.run(["mechanics", "--json"]).utf8))
            #expect(again.orders == expected.orders && again.customers == expected.customers)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }
}
