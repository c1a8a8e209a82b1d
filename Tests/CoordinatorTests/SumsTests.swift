import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

@Suite struct SumsTests {
    let clock = ManualClock()

    static func path() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("sums-\(UUID().uuidString).sqlite").path
    }

    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    /// Every order of every rule, through the pages that clients see.
    static func credits(_ database: SumsDatabase, _ rules: [RuleID]) async throws -> [Sums.Credit: Sums.CreditSums] {
        var found: [Sums.Credit: Sums.CreditSums] = [:]
        for rule in rules {
            var cursor = (action: "", order: "")
            while true {
                let page = try await database.orders(of: rule, after: cursor, limit: 7)
                for order in page {
                    let action = try #require(ActionID(text: order.action))
                    found[Sums.Credit(rule: rule, action: action, order: order.order)] =
                        Sums.CreditSums(customer: CustomerKey(order.customer), revenue: order.revenue, sales: order.sales)
                }
                guard let last = page.last else { break }
                cursor = (last.action, last.order)
            }
        }
        return found
    }

    @Test(arguments: 0..<12)
    func `F5 I10 sums equal a naive fold and reconcile to their orders, over crashes between transactions`(seed: Int) async throws
    {
        let path = Self.path()
        defer { Self.remove(path) }
        var random = SplitMix(seed: UInt64(seed))
        var makers = (0..<4).map { CommitMaker(shard: $0, seed: UInt64(seed)) }
        var database = try await SumsDatabase(path: path, shards: 4)
        for _ in 0..<40 {
            let shard = Int(random.next() % 4)
            let positions = try await database.positions()
            var chain = CommitChain(shard: ShardID(index: shard), position: positions[shard])
            var sums = Sums()
            for _ in 0..<(1 + random.next() % 12) {
                let payload = makers[shard].next()
                let record = LogRecord(sequence: makers[shard].position.number, time: clock.now(), payload: payload)
                try sums.add(try chain.follow(record))
            }
            #expect(chain.position == makers[shard].position)
            try await database.apply(sums, shard: chain.shard, from: positions[shard], to: chain.position)
            // The same batch again, as after a crash that lost only the answer: refused as a whole.
            if random.chance(perMille: 200) {
                await #expect(throws: SumsProblem.self) {
                    try await database.apply(sums, shard: chain.shard, from: positions[shard], to: chain.position)
                }
            }
            if random.chance(perMille: 200) { database = try await SumsDatabase(path: path, shards: 4) }
        }
        var expected = Sums()
        for maker in makers { expected.merge(maker.tally) }
        #expect(try await database.totals() == expected.withoutCredits)
        #expect(try await Self.credits(database, makers[0].rules) == expected.credits)
        let reconciliation = try await database.reconcile()
        #expect(reconciliation == Reconciliation(orders: Int64(expected.credits.count), problems: []))
        #expect(try await database.positions() == makers.map(\.position))
        #expect(!expected.credits.isEmpty && expected.rules.values.contains { $0.conversions > 0 })
    }

    @Test func `I10 a figure that its orders do not give is found`() async throws {
        let path = Self.path()
        defer { Self.remove(path) }
        let database = try await SumsDatabase(path: path, shards: 1)
        let rule = RuleID(3)
        var sums = Sums()
        sums.rules[rule] = RuleSums(conversions: 1, sales: 2, revenue: 500)
        sums.credits[Sums.Credit(rule: rule, action: ActionID(1), order: "a")] = .init(
            customer: .user("1"), revenue: 400, sales: 2)
        let end = ShardPosition(number: 1, hash: 1, epoch: 1)
        try await database.apply(sums, shard: ShardID(0), from: .start, to: end)
        #expect(
            try await database.reconcile().problems == [
                "rule 3: revenue 500, its orders give 400", "rule 3: 1 orders are counted less than never or more than once",
            ])
    }

    @Test func `a database of another installation is refused`() async throws {
        let path = Self.path()
        defer { Self.remove(path) }
        try await SumsDatabase(path: path, shards: 4).close()
        let problem = await #expect(throws: SumsProblem.self) { try await SumsDatabase(path: path, shards: 8) }
        #expect(problem?.description == "\(path) is of an installation with 4 shards, this one has 8")
    }

    @Test func `I4 a commit that does not follow is an error that names it`() async throws {
        var maker = CommitMaker(shard: 0, seed: 3)
        let first = LogRecord(sequence: 1, time: clock.now(), payload: maker.next())
        let second = maker.next()
        let foreign = Commit(
            kind: .steps, shard: ShardID(0), epoch: 1, number: 2, previousHash: 99, brain: 1, owner: "w#1"
        ).encoded().bytes
        var chain = CommitChain(shard: ShardID(0), position: .start)
        _ = try chain.follow(first)
        let stands = chain.position
        let problems: [(LogRecord, SumsProblem.Code)] = [
            (first, .broken),
            (LogRecord(sequence: 3, time: clock.now(), payload: second), .broken),
            (LogRecord(sequence: 2, time: clock.now(), payload: [1, 2, 3]), .unreadable),
            (LogRecord(sequence: 2, time: clock.now(), payload: foreign), .broken),
        ]
        for (record, code) in problems {
            let problem = #expect(throws: SumsProblem.self) { try chain.follow(record) }
            #expect(problem?.code == code)
        }
        #expect(chain.position == stands)
        _ = try chain.follow(LogRecord(sequence: 2, time: clock.now(), payload: second))
    }

    @Test func `B4 a report has every segment of the configuration with its members, and those that can be reached`() {
        var rules = RuleSet(
            revision: 2,
            segments: ["new", "empty", "loyal"].map { Segment(name: $0, title: $0 + "!", condition: .orderCount(.atLeast, 1)) })
        rules.segments[2].number = 77
        var totals = Sums()
        totals.counters[.init(counter: .customers, rule: RuleID(0))] = 100
        for (number, counter, amount) in [(0, Counter.members, 40), (0, .reachableMembers, 30), (77, .members, 5)] {
            totals.counters[.init(counter: counter, rule: SumDelta.key(ofSegment: UInt16(number)))] = Int64(amount)
        }
        // Of one that is there no more.
        totals.counters[.init(counter: .members, rule: SumDelta.key(ofSegment: 5))] = 9
        let report = SegmentsReport(totals, rules: rules, lag: 3)
        #expect(report.rows.map(\.name) == ["new", "empty", "loyal"])
        #expect(report.rows.map(\.members) == [40, 0, 5] && report.rows.map(\.reachableMembers) == [30, 0, 0])
        #expect(report.customers == 100 && report.lagCommits == 3 && report.rows[2].title == "loyal!")
    }

    @Test func `a report has every rule of the configuration, and those it no longer knows`() {
        var totals = Sums()
        let coffee = Rule(
            name: "coffee", title: "Coffee", mechanic: .timeSinceLastPurchase(afterMilliseconds: 5), action: .record)
        let idle = Rule(name: "idle", mechanic: .reviewRequest(afterMilliseconds: 5), action: .record)
        totals.rules[coffee.id] = RuleSums(executions: 9, sent: 8, conversions: 2, sales: 3, revenue: 4500)
        totals.rules[RuleID(7)] = RuleSums(executions: 1)
        totals.suppressed[.init(rule: coffee.id, reason: .noConsent)] = 4
        totals.counters[.init(counter: .timersArmed, rule: coffee.id)] = 11
        totals.counters[.init(counter: .customers, rule: RuleID(0))] = 100
        totals.counters[.init(counter: .revenue, rule: RuleID(0))] = 90_000
        let rules = RuleSet(revision: 2, currency: "EUR", rules: [idle, coffee])
        let report = MechanicsReport(totals, rules: rules, lag: 5)
        #expect(report.rows.map(\.rule) == ["idle", "coffee", "7"])
        #expect(report.rows.map(\.mechanic) == ["review_request", "time_since_last_purchase", ""])
        let row = report.rows[1]
        #expect([row.executions, row.sent, row.conversions, row.sales, row.revenue, row.timersArmed] == [9, 8, 2, 3, 4500, 11])
        #expect(row.title == "Coffee" && row.suppressed == ["no consent for this channel": 4])
        #expect([report.customers, report.revenue, report.orders, Int64(report.lagCommits)] == [100, 90_000, 0, 5])
    }
}
