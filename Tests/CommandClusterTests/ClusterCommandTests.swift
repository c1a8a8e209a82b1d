import Foundation
import Model
import TestSupport
import Testing

/// Commands against real processes: two workers, coordinator, gateway, dispatcher, nats-server, SMTP.
@Suite(.serialized) struct ClusterCommandTests {
    private static let rules = """
        installation:
          currency: USD
          time_zone: UTC
          fulfilled: on_placed
        templates:
          - name: letter
            from: "Shop <news@shop.example>"
            subject: 'Hello {{ customer.first_name | default: "you" }}'
            text: |
              We have news.
        rules:
          - name: review
            title: Review
            mechanic: review_request
            after: 3d
            action: { email: letter }
            conversion: { window: 10d }
          - name: back
            title: Come back
            mechanic: time_since_last_purchase
            after: 20d
            action: { email: letter }
            conversion: { window: 30d }

        """

    // By hand: reviews on 01-04 (Ada, Ben), 01-13 (Ben), 02-04 (Ada); letters on 01-21 (Ada) and 01-30 (Ben). Ben's order
    // of 01-10 falls into his review's window, Ada's of 02-01 into that of her letter of 01-21 only. Cleo's review would
    // be due after the end.
    private static let orders = """
        order_id,customer_id,email,first_name,date,product,quantity,total
        1,ada,ada@example.com,Ada,2024-01-01,tea,1,10.00
        2,ben,ben@example.com,Ben,2024-01-01,tea,2,20.00
        3,ben,ben@example.com,Ben,2024-01-10,tea,1,7.50
        4,ada,ada@example.com,Ada,2024-02-01,milk,1,3.25
        5,cleo,cleo@example.com,Cleo,2024-02-09,tea,1,1.00

        """

    private func replay(killing worker: String?) async throws -> (MechanicsReport, [String], TestCluster) {
        let cluster = try await TestCluster.start(workers: 2, shards: 8)
        do {
            try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", Self.rules)])
            let orders = try cluster.folder.write("orders.csv", Self.orders)
            var arguments = ["replay", orders, "--json"]
            if let worker { arguments += ["--kill-process", String(try cluster.processID(worker))] }
            let report = try JSONDecoder().decode(MechanicsReport.self, from: Data(try await cluster.run(arguments).utf8))
            return (report, try cluster.mails(), cluster)
        } catch {
            try await cluster.stop()
            throw error
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `orders become messages and figures, the same when a worker is killed (I1 I4 I5 I11)`() async throws {
        let (report, mails, cluster) = try await replay(killing: nil)
        #expect(report.rows.map(\.rule) == ["back", "review"])
        #expect(report.rows.map(\.executions) == [2, 4])
        #expect(report.rows.map(\.sent) == [2, 4])
        #expect(report.rows.map(\.conversions) == [1, 1])
        #expect(report.rows.map(\.sales) == [1, 1])
        #expect(report.rows.map(\.revenue) == [325, 750])
        #expect(report.orders == 5)
        #expect(report.customers == 3)
        #expect(report.revenue == 4175)
        #expect(mails.count == 6)
        #expect(mails.count { $0.contains("Hello Ada") } == 3)
        #expect(mails.count { $0.contains("Hello Ben") } == 3)

        try await looksAround(cluster)
        try await refusals(cluster)
        try await cluster.stopCleanly(["gateway", "dispatcher", "worker-1", "worker-2", "coordinator"])
        try await cluster.stop()

        let (again, mailsAgain, other) = try await replay(killing: "worker-1")
        try await other.stop()
        #expect(again.rows == report.rows)
        #expect(again.orders == report.orders)
        #expect(mailsAgain.count == mails.count)
    }

    private func looksAround(_ cluster: TestCluster) async throws {
        let table = try await cluster.run(["mechanics"])
        #expect(table.contains("Come back"))
        #expect(table.contains("of 5 orders of 3 customers, worth 41.75 USD"))
        let view = try JSONDecoder().decode(
            CustomerView.self, from: Data(try await cluster.run(["customer", "show", "ada", "--json"]).utf8))
        #expect(view.orderCount == 2)
        #expect(view.orders.compactMap(\.creditedRule) == ["back"])
        #expect(try await cluster.run(["customer", "show", "u:ada"]).contains("email: ada@example.com"))
        let status = try JSONDecoder().decode(ClusterStatus.self, from: Data(try await cluster.run(["status", "--json"]).utf8))
        #expect(status.workers.count { $0.alive } == 2)
        #expect(status.shards == 8)
        #expect(try await cluster.run(["status"]).contains("8 shards, event-time mode"))
        #expect(try await cluster.run(["rules", "show"]).contains("time_since_last_purchase"))
        #expect(
            try await cluster.run(["rules", "apply", "-f", cluster.folder.path("rules.yaml")]).hasPrefix("unchanged, revision 1"))
    }

    private func refusals(_ cluster: TestCluster) async throws {
        let unknown = try await cluster.attempt(["customer", "show", "nobody"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("nobody is known by the key 'u:nobody'"))
        let other = try await cluster.attempt(["install", "--shards", "16", "--event-time"])
        #expect(other.status == 1)
        #expect(other.errors.contains("8 shards"), "\(other.errors)")
        let absent = try await cluster.attempt(["status", "--prefix", "absent"])
        #expect(absent.status == 1)
        #expect(absent.errors.contains("absent"))
        let broken = try cluster.folder.write(
            "broken.csv",
            "order_id,customer_id,date,total\n6,dora,2024-02-12,5\n7,dora,2024-02-31,5\n"
                + "8,dora,2024-02-12,\"6\n9,dora,2024-02-13,7\n"
        )
        let imported = try await cluster.attempt(["import", broken])
        #expect(imported.status == 2)
        #expect(imported.output == "2 orders of 1 customers sent, 2 rows left out\n")
        #expect(imported.errors.contains("row 3: date '2024-02-31'"))
        #expect(imported.errors.contains("row 4: a quotation mark is opened and not closed"))
        // Read well, and refused by the gateway: nobody is called null.
        let refused = try cluster.folder.write(
            "refused.csv", "order_id,customer_id,date,total\n10,emil,2024-02-13,5\n11,null,2024-02-13,5\n")
        let taken = try await cluster.attempt(["import", refused, "--json"])
        #expect(taken.status == 2)
        #expect(taken.output.contains("\"orders\" : 1"), "\(taken.output)")
        #expect(taken.errors.contains("row 3: the gateway refuses it: "), "\(taken.errors)")
        try await cluster.run(["clock", "advance", "--to", "2024-02-14T00:00:00Z", "--wait"])
        let view = try JSONDecoder().decode(
            CustomerView.self, from: Data(try await cluster.run(["customer", "show", "dora", "--json"]).utf8))
        #expect(view.orderCount == 2)
        #expect(view.orderSum == 1200)
        let key = try await CommandRun.reprise(
            ["import", broken], environment: cluster.environment.merging(["REPRISE_WRITE_KEY": "another"]) { $1 })
        #expect(key.status == 1)
        #expect(key.errors.contains("401"), "\(key.errors)")
    }
}
