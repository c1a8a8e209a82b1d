import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import loadtest

@Suite struct ShopBoardTests {
    private let rules = RuleSet(
        rules: [
            Rule(name: "review", mechanic: .reviewRequest(afterMilliseconds: ShopWorkload.reviewMilliseconds), action: .record)
        ])

    private func effects(clock: Instant) -> [UInt8] {
        var writer = ByteWriter()
        Effect.actionOpened(
            ActionOpened(
                customer: .user("1"), action: ActionID(1), rule: RuleID(name: "review"), channel: .record, due: clock,
                decided: clock, deadline: clock, subject: "")
        ).write(to: &writer)
        Effect.sums([
            SumDelta(.customers, amount: 1), SumDelta(.orders, amount: 1), SumDelta(.revenue, amount: 250),
            SumDelta(.events, amount: 3),
        ]).write(to: &writer)
        return writer.bytes
    }

    /// Two shards that have each applied three events, of one customer with one order.
    private func outcome() async throws -> (ShopRun, ShopRun.Outcome) {
        let map = try #require(ShardMap(shards: 2))
        let workload = try #require(ShopWorkload(customers: 2, days: 10))
        let logs = SimulatedLogStore(clock: ManualClock(at: ShopWorkload.start))
        let board = ShopBoard(shards: map.all, closing: workload.closing)
        for shard in map.all {
            let step = Step(
                inputSequence: 4, eventsThrough: 1, clock: workload.closing, wakeUps: 1, configuration: 1,
                effects: effects(clock: workload.closing))
            let commit = Commit(
                kind: .steps, shard: shard, epoch: 1, number: 1, previousHash: 0, brain: 1, owner: "w", steps: [step])
            _ = try await logs.append(to: .commits(shard), commit.encoded().bytes)
        }
        board.close(at: [ShardID(0): 4, ShardID(1): 4])
        #expect(board.view.completed == nil)
        for shard in map.all {
            let following = Task { try await board.follow(shard, of: logs) }
            while !board.view.complete.contains(shard) { await Task.yield() }
            following.cancel()
            _ = await following.result
        }
        #expect(board.view.completed != nil)
        let run = ShopRun(workload: workload, map: map, logs: logs, processes: [], clockHours: 24, patience: .seconds(1))
        var tally = ShopTally()
        (tally.customers, tally.orders, tally.revenue, tally.events, tally.reviews) = (2, 2, 500, 6, 2)
        return (run, ShopRun.Outcome(seconds: 1, tally: tally, view: board.view, memory: MemorySampler.Result()))
    }

    @Test func `sums over all shards that are those of the shop are right`() async throws {
        let (run, outcome) = try await outcome()
        let report = ShopReport(outcome, run, rules)
        #expect(report.problems == [])
        #expect(report.correct && report.executions == ["review": 2])
    }

    @Test func `every sum that is another is named, with both numbers`() async throws {
        var (run, outcome) = try await outcome()
        outcome.tally.revenue = 501
        outcome.tally.reviews = 1
        outcome.view.setAside = 1
        #expect(
            ShopReport(outcome, run, rules).problems == [
                "revenue: 500; right are 501", "reviews asked for: 2; right are 1", "events set aside: 1; right are 0",
            ])
    }
}
