import Foundation
import Model
import TestSupport
import Testing

/// Segments as the command line shows them, against real processes.
@Suite(.serialized) struct SegmentsClusterTests {
    private static let rules = """
        installation: { currency: USD, time_zone: UTC, consent: assumed }
        segments:
          - name: buyers
            title: Who bought
            orders: { at_least: 1 }
          - name: regulars
            orders: { at_least: 2 }
          - name: mailing
            tag: spring

        """

    private func event(_ kind: String, _ user: Int, _ more: [String: Any]) -> [String: Any] {
        ["type": kind, "userId": "c\(user)"].merging(more) { $1 }
    }

    private func order(_ user: Int, _ number: Int) -> [String: Any] {
        event(
            "track", user,
            [
                "event": "Order Completed", "messageId": "o\(user)-\(number)",
                "properties": ["order_id": "\(user)-\(number)", "revenue": 5],
            ])
    }

    private func sizes(_ cluster: TestCluster) async throws -> [String: [Int64]] {
        let report = try JSONDecoder().decode(
            SegmentsReport.self, from: Data(try await cluster.run(["segment", "list", "--json"]).utf8))
        return Dictionary(uniqueKeysWithValues: report.rows.map { ($0.name, [$0.members, $0.reachableMembers]) })
    }

    private func members(_ cluster: TestCluster, _ name: String) async throws -> [SegmentMembers.Member] {
        try JSONDecoder().decode(
            [SegmentMembers.Member].self,
            from: Data(try await cluster.run(["segment", "members", name, "--all", "--json"]).utf8))
    }

    @Test(.timeLimit(.minutes(3)))
    func `B2 B4 sizes equal a full count, and a frozen list keeps who was in`() async throws {
        let cluster = try await TestCluster.start(workers: 2, shards: 8, timeMode: [])
        do {
            try await check(cluster)
        } catch {
            try await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    private func check(_ cluster: TestCluster) async throws {
        try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", Self.rules)])
        let count = 90
        var events: [[String: Any]] = []
        for user in 0..<count {
            if user % 3 == 0 { events.append(event("identify", user, ["traits": ["email": "c\(user)@example.org"]])) }
            for number in 0..<user % 4 { events.append(order(user, number)) }
            if user % 4 == 0 && user % 3 != 0 { events.append(event("identify", user, ["traits": ["city": "Oslo"]])) }
        }
        #expect(try await cluster.post(events).status == 200)
        func expected(_ orders: Int) -> [Int] { (0..<count).filter { $0 % 4 >= orders } }
        func pair(_ users: [Int]) -> [Int64] { [Int64(users.count), Int64(users.count { $0 % 3 == 0 })] }
        let before = ["buyers": pair(expected(1)), "regulars": pair(expected(2)), "mailing": [0, 0]]
        try await eventually("the sizes are those of a full count", within: .seconds(30)) { try await sizes(cluster) == before }
        for (name, orders) in [("buyers", 1), ("regulars", 2)] {
            let found = try await members(cluster, name)
            #expect(found.map(\.customer).sorted() == expected(orders).map { "u:c\($0)" }.sorted())
            #expect(found.count { $0.isReachable } == expected(orders).count { $0 % 3 == 0 })
        }
        #expect(try await cluster.run(["segment", "list"]).contains("Who bought"))
        let sample = try await cluster.run(["segment", "members", "buyers", "--limit", "5", "--csv"]).split(separator: "\n")
        #expect(sample.count == 6 && sample[0] == "customer,first_name,email,phone,reachable")

        // Twice: nobody is added by the second.
        for _ in 0..<2 {
            #expect(try await cluster.run(["segment", "freeze", "regulars", "--as", "spring"]).contains("bear the tag 'spring'"))
        }
        let frozen = before.merging(["mailing": pair(expected(2))]) { $1 }
        try await eventually("the list is there", within: .seconds(30)) { try await sizes(cluster) == frozen }
        // Who comes in later is in the segment and not in the list.
        let late = (0..<count).filter { $0 % 4 == 1 }
        #expect(try await cluster.post(late.map { order($0, 7) }).status == 200)
        let after = frozen.merging(["regulars": pair(expected(1))]) { $1 }
        try await eventually("the segment has grown alone", within: .seconds(30)) { try await sizes(cluster) == after }
        #expect(try await members(cluster, "mailing").map(\.customer).sorted() == expected(2).map { "u:c\($0)" }.sorted())

        let unknown = try await cluster.attempt(["segment", "members", "nobody"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("there is no segment 'nobody'; there are buyers, regulars, mailing"))
    }
}
