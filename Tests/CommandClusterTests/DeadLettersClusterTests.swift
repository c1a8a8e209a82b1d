import Curl
import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import TestSupport
import Testing

/// F7: events that break, through real processes.
@Suite(.serialized) struct DeadLettersClusterTests {
    private struct Letter: Decodable {
        var id: String
        var state: String
        var reason: String
        var what: String
        var customer: String
    }

    private static let workers = ["worker-1", "worker-2", "worker-3"]
    private static let ordersEach = 1000

    private func orders(_ part: Int) -> String {
        "order_id,customer_id,date,total\n"
            + (0..<Self.ordersEach).map { "o\(part)-\($0),c\($0 % 100),2024-01-0\(part),1.00\n" }.joined()
    }

    /// One event that traps the worker between others of its customer, and one damaged message.
    private func sendBreaking(_ cluster: TestCluster) async throws {
        func event(_ name: String, _ id: String, _ properties: [String: Any]) -> [String: Any] {
            [
                "type": "track", "event": name, "userId": "c1", "messageId": id, "timestamp": "2024-01-02T00:00:00Z",
                "properties": properties,
            ]
        }
        func order(_ id: String) -> [String: Any] { event("Order Completed", id, ["order_id": id, "total": 5]) }
        let body = try JSONSerialization.data(withJSONObject: [
            "batch": [order("x1"), event("Poison", "p", [:]), order("x2"), order("x3")]
        ])
        let authorization = "Basic " + Data((TestCluster.writeKey + ":").utf8).base64EncodedString()
        let request = HTTPRequest(
            "POST", cluster.gateway + "/v1/batch",
            headers: [("Content-Type", "application/json"), ("Authorization", authorization)],
            body: Array(body))
        let answer = try await HTTPClient(connections: 1).send(request)
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        let connection = try await cluster.nats.connect()
        defer { connection.close() }
        let logs = try await JetStreamInstallation.open(connection: connection, log: testLog).logs
        _ = try await logs.append(to: .input(ShardID(0)), Array(1...40))
    }

    private func letters(_ cluster: TestCluster, _ more: [String] = []) async throws -> [Letter] {
        try JSONDecoder().decode(
            [Letter].self, from: Data(try await cluster.run(["dead", "list", "--json"] + more).utf8))
    }

    private func report(_ cluster: TestCluster) async throws -> MechanicsReport {
        try JSONDecoder().decode(MechanicsReport.self, from: Data(try await cluster.run(["mechanics", "--json"]).utf8))
    }

    @Test(.timeLimit(.minutes(5)))
    func `F7 I7 an event that traps costs one worker and is set aside; all others are applied; it is replayed`() async throws {
        let cluster = try await TestCluster.start(
            workers: 3, shards: 8, workerFaults: ["REPRISE_FAULT_TRAP_ON": "Poison", "SWIFT_BACKTRACE": "enable=no"])
        do {
            try await broken(cluster)
            try await mended(cluster)
        } catch {
            Issue.record("\(error)\n\(cluster.logs())")
        }
        try await cluster.stop()
    }

    private func broken(_ cluster: TestCluster) async throws {
        let rules = """
            installation: { currency: USD, time_zone: UTC, fulfilled: on_placed }
            rules:
              - { name: back, title: Back, mechanic: time_since_last_purchase, after: 20d, action: record }

            """
        try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", rules)])
        try await cluster.run(["import", try cluster.folder.write("first.csv", orders(1))])
        try await sendBreaking(cluster)
        try await cluster.run(["import", try cluster.folder.write("second.csv", orders(3))])
        try await cluster.run(["clock", "advance", "--to", "2024-01-05T00:00:00Z", "--wait"])
        try await eventually("one has ended") { try Self.workers.contains { try !cluster.isRunning($0) } }
        let ended = try Self.workers.filter { try !cluster.isRunning($0) }
        #expect(ended.count == 1, "one takeover, not a chain: \(ended)\n\(cluster.logs())")
        try await eventually("both are listed, all orders counted") {
            let count = try await report(cluster)
            return try await letters(cluster).count == 2 && count.orders == 2 * Int64(Self.ordersEach) + 3
        }
        let found = try await letters(cluster)
        let trapped = try #require(found.first { $0.what == "track 'Poison'" })
        #expect(trapped.reason == "trapped: applying it ended 1 worker" && trapped.customer == "u:c1")
        #expect(found.contains { $0.id.hasPrefix("0.") && $0.what == "message of 40 bytes" })
        let sums = try await report(cluster)
        #expect(sums.revenue == Int64(2 * Self.ordersEach * 100 + 1500) && sums.setAside == 2)
        #expect(try await cluster.run(["status"]).contains("set aside by shard: "))
        #expect(try await cluster.run(["dead", "show", trapped.id]).contains("u:c1  track 'Poison'"))
    }

    /// With workers that do not trap any more.
    private func mended(_ cluster: TestCluster) async throws {
        try await cluster.stopCleanly(try Self.workers.filter { try cluster.isRunning($0) })
        for name in ["worker-4", "worker-5"] { try cluster.startWorker(name) }
        try await cluster.run(["status", "--quiet", "--wait", "60", "--workers", "2"])
        let trapped = try #require(try await letters(cluster).first { $0.what == "track 'Poison'" })
        let other = try #require(try await letters(cluster).first { $0.what != "track 'Poison'" })
        #expect(try await cluster.run(["dead", "replay", trapped.id]) == "\(trapped.id) replayed\n")
        #expect(try await cluster.run(["dead", "replay", trapped.id]) == "\(trapped.id) was replayed before\n")
        let failed = try await cluster.attempt(["dead", "replay", "--all"])
        #expect(failed.status == 2 && failed.errors.contains("\(other.id): set aside again as "), "\(failed.errors)")
        let again = try await letters(cluster)
        #expect(again.count == 1 && again.first?.what == "message of 40 bytes")
        #expect(try await cluster.run(["dead", "discard", "--all", "--why", "a broken sender"]).hasSuffix(" discarded\n"))
        #expect(try await cluster.run(["dead", "list"]) == "nothing is set aside\n")
        #expect(try await letters(cluster, ["--all"]).map(\.state).sorted() == ["discarded", "replayed", "replayed"])
        let refused = try await cluster.attempt(["dead", "replay", again.first?.id ?? ""])
        #expect(refused.status == 2 && refused.errors.contains("it was discarded: a broken sender"))
        let unknown = try await cluster.attempt(["dead", "show", "0.99"])
        #expect(unknown.status == 1 && unknown.errors.contains("nothing was set aside as 0.99"))
        let sums = try await report(cluster)
        #expect(sums.orders == 2 * Int64(Self.ordersEach) + 3)
    }
}
