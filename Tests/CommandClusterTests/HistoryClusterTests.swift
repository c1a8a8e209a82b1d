import Foundation
import Model
import TestSupport
import Testing

/// A7, D7 with real processes: what a person finds out about a customer, and behind a figure.
@Suite(.serialized) struct HistoryClusterTests {
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

    // Dan has no address: what the rules want for him is suppressed. Ada's order of 02-01 follows her letter of 01-21.
    private static let orders = """
        order_id,customer_id,email,first_name,date,product,quantity,total
        1,ada,ada@example.com,Ada,2024-01-01,tea,1,10.00
        2,dan,,Dan,2024-01-01,tea,2,20.00
        3,ben,ben@example.com,Ben,2024-01-10,tea,1,7.50
        4,ada,ada@example.com,Ada,2024-02-01,milk,1,3.25

        """

    private func answer<Answer: Decodable>(_ cluster: TestCluster, _ arguments: [String]) async throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: Data(try await cluster.run(arguments + ["--json"]).utf8))
    }

    private func total(_ cluster: TestCluster, _ rule: String, _ figure: HistoryFigure) async throws -> Int64 {
        let page: DrillPage = try await answer(cluster, ["mechanics", "drill", rule, figure.rawValue])
        let rows = figure == .revenue ? page.rows.reduce(0) { $0 + $1.revenue } : page.count
        if ![.conversions, .sales].contains(figure) { #expect(page.total == rows, "\(rule) \(figure)") }
        return page.total
    }

    private func expectReconciled(_ cluster: TestCluster, _ report: MechanicsReport) async throws {
        for row in report.rows {
            let figures: [(HistoryFigure, Int64)] = [
                (.executions, row.executions), (.sent, row.sent), (.recorded, row.recorded), (.withdrawn, row.withdrawn),
                (.undeliverable, row.undeliverable), (.uncertain, row.uncertain),
                (.suppressed, row.suppressed.values.reduce(0, +)), (.conversions, row.conversions), (.sales, row.sales),
                (.revenue, row.revenue),
            ]
            for (figure, expected) in figures {
                #expect(try await total(cluster, row.rule, figure) == expected, "\(row.rule): \(figure.rawValue)")
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `A7 D7 a customer's story shows why, lists add up to the report, and a new copy says the same`() async throws {
        let cluster = try await TestCluster.start(workers: 1, shards: 4)
        do {
            try cluster.start("history", ["history", "--data", cluster.folder.path("history")])
            try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", Self.rules)])
            let orders = try cluster.folder.write("orders.csv", Self.orders)
            let report: MechanicsReport = try await answer(cluster, ["replay", orders])
            #expect(report.rows.contains { $0.revenue > 0 } && report.rows.contains { !$0.suppressed.isEmpty })
            let sent = report.rows.reduce(0) { $0 + $1.sent }
            try await eventually("the history contains what the sums contain") {
                guard try await cluster.attempt(["mechanics", "drill", "review", "sent"]).status == 0 else { return false }
                return try await total(cluster, "review", .sent) + total(cluster, "back", .sent) == sent
            }
            try await expectReconciled(cluster, report)

            #expect(try await total(cluster, "review_request", .sent) == total(cluster, "review", .sent), "by mechanic")

            let ada: TimelinePage = try await answer(cluster, ["customer", "timeline", "ada"])
            #expect(ada.rows.filter { $0.kind == "order placed" }.map(\.amount) == [325, 1000])
            #expect(ada.rows.filter { !$0.order.isEmpty }.map(\.products) == ["milk", "tea"])
            #expect(ada.reach.gaps.isEmpty && ada.reach.problems.isEmpty)
            let decided: DecisionsPage = try await answer(cluster, ["customer", "decisions", "ada"])
            #expect(Set(decided.rows.map(\.kind)).isSuperset(of: ["opened", "permit granted", "closed", "attributed"]))
            #expect(decided.rows.first { $0.kind == "attributed" }?.revenue == 325)
            let dan: DecisionsPage = try await answer(cluster, ["customer", "decisions", "dan"])
            #expect(dan.rows.allSatisfy { $0.kind == "suppressed" && $0.reason == Reason.noAddress.text } && !dan.rows.isEmpty)
            #expect(try await cluster.run(["customer", "decisions", "dan"]).contains("no address for this channel"))
            #expect(try await cluster.run(["customer", "timeline", "ada"]).contains("order placed"))
            #expect(sent > 0)

            // Another copy, from the logs alone.
            try await cluster.kill("history")
            try cluster.start("history-1", ["history", "--data", cluster.folder.path("history-1"), "--copy", "1"])
            try await eventually("the new copy has folded the logs") {
                let again = try await cluster.attempt(["mechanics", "drill", "review", "sent", "--json"])
                guard again.status == 0 else { return false }
                return try await total(cluster, "review", .sent) + total(cluster, "back", .sent) == sent
            }
            try await expectReconciled(cluster, report)
            let again: TimelinePage = try await answer(cluster, ["customer", "timeline", "ada"])
            #expect(again.rows == ada.rows)
            let nobody = try await cluster.attempt(["mechanics", "drill", "nothing", "sent"])
            #expect(nobody.status == 1 && nobody.errors.contains("no rule and no mechanic in use is called 'nothing'"))
            try await cluster.stopCleanly(["history-1", "gateway", "dispatcher", "worker-1", "coordinator"])
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }

    private func track(_ sku: String, _ message: String, _ whose: String) -> [String: Any] {
        [
            "type": "track", "event": "Product Viewed", "messageId": message, whose: whose == "userId" ? "eve" : "x1",
            "properties": ["sku": sku],
        ]
    }

    @Test(.timeLimit(.minutes(5)))
    func `A7 after a merge the survivor's timeline holds each event once, under whatever key it came`() async throws {
        let cluster = try await TestCluster.start(workers: 2, shards: 8, timeMode: [])
        do {
            try cluster.start("history", ["history", "--data", cluster.folder.path("history")])
            try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", Self.rules)])
            let known: [String: Any] = [
                "type": "identify", "messageId": "m2", "userId": "eve", "anonymousId": "x1", "traits": ["first_name": "Eve"],
            ]
            #expect(try await cluster.post([track("tea", "m1", "anonymousId"), known]).status == 200)
            try await eventually("the two keys are one customer") {
                let view = try await cluster.attempt(["customer", "show", "eve", "--json"])
                return view.status == 0 && view.output.contains("a:x1")
            }
            let after = [track("milk", "m3", "anonymousId"), track("bread", "m4", "userId")]
            for _ in 0..<2 { #expect(try await cluster.post(after).status == 200) }
            try await eventually("the history contains the last event") {
                let run = try await cluster.attempt(["customer", "timeline", "eve", "--json"])
                guard run.status == 0 else { return false }
                let page = try JSONDecoder().decode(TimelinePage.self, from: Data(run.output.utf8))
                return page.rows.contains { $0.products == "milk" } && page.rows.contains { $0.products == "bread" }
            }
            let page: TimelinePage = try await answer(cluster, ["customer", "timeline", "eve"])
            #expect(page.customer == "u:eve" && page.merged == ["a:x1"])
            #expect(page.rows.map(\.products).filter { !$0.isEmpty }.sorted() == ["bread", "milk", "tea"])
            #expect(page.rows.filter { $0.customer == "a:x1" }.map(\.products) == ["tea"])
            #expect(page.rows.count { $0.kind == "identified" } == 1)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }
}
