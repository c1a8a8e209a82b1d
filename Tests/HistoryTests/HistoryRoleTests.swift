import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import TestSupport
import Testing

@testable import History

/// A7, D7: the role over logs in memory and real files.
@Suite struct HistoryRoleTests {
    private let clock = ManualClock(at: LogMaker.start)
    private let logs: SimulatedLogStore
    private let messaging: SimulatedMessaging
    private let snapshots = SimulatedSnapshotStore()
    private let folder = ScratchFolder()

    init() {
        logs = SimulatedLogStore(clock: clock)
        messaging = SimulatedMessaging(clock: clock)
    }

    private var quiet: Logger {
        var log = Logger(label: "history")
        log.logLevel = .critical
        return log
    }

    private func installation() throws -> Installation {
        Installation(shards: try #require(ShardMap(shards: 2)), timeMode: .eventTime, replicas: 1)
    }

    /// Runs the role in that folder until its stores contain all commits of the makers, then does `body`, then stops it.
    private func running(_ name: String, _ makers: [LogMaker], days: Int = 400, _ body: () async throws -> Void = {}) async throws
    {
        let path = folder.path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for maker in makers { try await maker.write(to: logs) }
        let options = HistoryRole.Options(folder: path, installation: try installation(), days: days)
        let role = Task { [logs, snapshots, messaging, clock, quiet] in
            try await HistoryRole.run(
                options: options, logs: logs, snapshots: snapshots, messaging: messaging, clock: clock, log: quiet)
        }
        do {
            try await eventually("the history contains the commits") {
                for maker in makers where try await self.position(name, maker.shard).number < UInt64(maker.commits.count) {
                    return false
                }
                return true
            }
            try await body()
        } catch {
            role.cancel()
            _ = await role.result
            throw error
        }
        role.cancel()
        try await role.value
    }

    private func database(_ name: String, _ shard: ShardID) async throws -> HistoryDatabase {
        try await HistoryDatabase(path: folder.path(name) + "/history-\(shard).sqlite", shard: shard, shards: 2)
    }

    private func position(_ name: String, _ shard: ShardID) async throws -> HistoryPosition {
        let database = try await database(name, shard)
        let position = try await database.position()
        try await database.close()
        return position
    }

    /// Every row of a copy's store, as text.
    private func dump(_ name: String, _ shard: ShardID) async throws -> [String] {
        let database = try await database(name, shard)
        let rows = try await database.allRows()
        try await database.close()
        return rows
    }

    private func ask<Answer: Decodable>(_ subject: String, _ request: some Encodable) async throws -> Answer {
        let bytes = Array(try JSONEncoder().encode(request))
        let answer = try await messaging.request(subject, bytes, timeout: .seconds(5))
        return try JSONDecoder().decode(Answer.self, from: Data(answer))
    }

    /// A customer of each shard, by what the map of two shards says.
    private func customers(_ shard: Int) throws -> [String] {
        let map = try installation().shards
        let all = (1...40).map { "u:\($0)" }
        return Array(all.filter { map.shard(of: CustomerKey($0)) == ShardID(index: shard) }.prefix(3))
    }

    private func story(_ shard: Int, rounds: Int = 6) throws -> LogMaker {
        var maker = LogMaker(shard: shard)
        let customers = try customers(shard)
        let rule = RuleID(name: "review")
        for round in 0..<rounds {
            let customer = CustomerKey(customers[round % customers.count])
            let now = LogMaker.start + Int64(round) * Milliseconds.day
            let action = ActionID(UInt128(shard * 1000 + round + 1))
            let input = maker.input(
                .events([
                    placed("o\(shard)-\(round)", of: customer.text, message: UInt128(round / 2 + 1), at: Int64(round) * 1440),
                    viewed("tea", by: customer.text),
                ]))
            let opened = ActionOpened(
                customer: customer, action: action, rule: rule, channel: .email, due: now, decided: now, deadline: now,
                subject: "o\(round)")
            let closed = ActionClosed(customer: customer, action: action, rule: rule, outcome: .sent, time: now)
            let credit = Attribution(
                customer: customer, action: action, rule: rule, orderID: "o\(shard)-\(round)", kind: .converted,
                revenue: Int64(100 + round), sales: 1, conversions: 1, time: now)
            var first = maker.step(input, 1, [.actionOpened(opened)])
            first.clock = now
            var second = maker.step(input, 2, [.actionClosed(closed), .attributed(credit)])
            second.clock = now
            maker.commit([first])
            maker.commit([second])
        }
        return maker
    }

    @Test(.timeLimit(.minutes(1)))
    func `A7 folded in pieces, by a role that is stopped in between, the rows are those of one run`() async throws {
        for rounds in [2, 3, 6] { try await running("pieces", [story(0, rounds: rounds), story(1, rounds: rounds)]) }
        try await running("whole", [story(0), story(1)])
        for shard in 0..<2 {
            let whole = try await dump("whole", ShardID(index: shard))
            #expect(whole.count > 20)
            #expect(try await dump("pieces", ShardID(index: shard)) == whole)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A7 D7 timelines and decisions come in pages, and lists add up to their figures`() async throws {
        try await running("a", [story(0), story(1)]) {
            let customer = try customers(0)[0]
            var seen: [TimelinePage.Row] = []
            var after: String?
            repeat {
                let page: TimelinePage = try await ask(
                    "history.timeline", HistoryRequest(customer: customer, after: after, limit: 1))
                #expect(page.rows.count <= 1 && page.customer == customer && page.reach.gaps.isEmpty)
                seen += page.rows
                after = page.next
            } while after != nil
            // Of each pair of orders the second repeats the first's message id, and the customers take turns.
            #expect(seen.compactMap(\.amount).count == 1)
            #expect(seen.map(\.timeMilliseconds) == seen.map(\.timeMilliseconds).sorted(by: >))

            let decisions: DecisionsPage = try await ask("history.decisions", HistoryRequest(customer: customer))
            #expect(decisions.rows.map(\.kind).sorted() == ["attributed", "attributed", "closed", "closed", "opened", "opened"])

            let rule = RuleID(name: "review").number
            for (figure, total) in [
                (HistoryFigure.executions, 12), (.sent, 12), (.recorded, 0), (.conversions, 12), (.sales, 12), (.revenue, 1230),
            ] {
                var rows: [DecisionsPage.Row] = []
                after = nil
                repeat {
                    let page: DrillPage = try await ask(
                        "history.drill", DrillRequest(rules: [rule], figure: figure, after: after, limit: 5))
                    #expect(page.total == Int64(total), "\(figure)")
                    rows += page.rows
                    after = page.next
                } while after != nil
                let sum = figure == .revenue ? rows.reduce(0) { $0 + $1.revenue } : Int64(rows.count)
                #expect(sum == Int64(total), "\(figure)")
            }
            let first: DrillPage = try await ask(
                "history.drill",
                DrillRequest(
                    rules: [rule], figure: .revenue,
                    fromMilliseconds: (LogMaker.start + Milliseconds.day).milliseconds,
                    toMilliseconds: (LogMaker.start + 3 * Milliseconds.day).milliseconds))
            #expect(first.total == 2 * (101 + 102))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A7 a survivor's timeline holds what happened under the keys that were merged into it`() async throws {
        let (other, survivor) = (try customers(0)[0], try customers(1)[0])
        var left = LogMaker(shard: 0)
        let input = left.input(.events([placed("before", of: other)]))
        left.commit([left.step(input, 1)])
        let merge = left.input(
            .messages(
                source: ShardID(0), first: 1,
                bodies: [ShardMessage.merge(CustomerKey(other), into: CustomerKey(survivor)).encoded()]))
        left.commit([left.step(merge, 1, [.messageApplied(from: ShardID(0), counter: 1)])])
        var right = LogMaker(shard: 1)
        let own = right.input(.events([placed("after", of: survivor, at: 5)]))
        right.commit([
            right.step(own, 1, [.merged(CustomerKey(other), into: CustomerKey(survivor), time: LogMaker.start)])
        ])
        let isSurvivor = CustomerKey(survivor).outlives(CustomerKey(other))
        try await running("a", [left, right]) {
            let page: TimelinePage = try await ask("history.timeline", HistoryRequest(customer: survivor))
            #expect(page.merged == [other])
            #expect(page.rows.map(\.order) == ["after", "before"])
            // Asked for the merged key, which is a mark where the other stays.
            guard isSurvivor else { return }
            let same: TimelinePage = try await ask("history.timeline", HistoryRequest(customer: other))
            #expect(same == page)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A7 trimmed logs leave a gap that every answer tells, and the history goes on behind it`() async throws {
        try await running("a", [story(0, rounds: 1), story(1, rounds: 1)])
        let (zero, one) = (try story(0), try story(1))
        try await zero.write(to: logs)
        try await one.write(to: logs)
        try await logs.trim(.commits(ShardID(0)), below: 8)
        try await logs.trim(.input(ShardID(0)), below: 4)
        try await running("a", [zero, one]) {
            let page: TimelinePage = try await ask("history.timeline", HistoryRequest(customer: try customers(0)[0]))
            #expect(page.reach.gaps.map(\.log) == ["IN.0", "LOG.0"])
            #expect(page.reach.gaps.last == HistoryGap(log: "LOG.0", first: 4, last: 7))
            #expect(page.rows.first?.timeMilliseconds ?? 0 > LogMaker.start.milliseconds)
            let other: TimelinePage = try await ask("history.timeline", HistoryRequest(customer: try customers(1)[0]))
            #expect(other.reach.gaps.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A7 a copy says from where it reads the logs, and the logs are held from there on`() async throws {
        try await running("a", [story(0), story(1)]) {
            clock.advance(milliseconds: Limits.historyRegistersMilliseconds)
            try await eventually("it has said how far it is") {
                let needs = try await self.snapshots.kept(of: .history(0)).first?.head
                return needs?.need(of: .commits(ShardID(0))) == 14 && needs?.need(of: .input(ShardID(1))) == 7
            }
        }
        // Two snapshots of the shard and of the sums that need less than the copy.
        let shard = ShardID(0)
        let commits = try logs.contents(of: .commits(shard)).map { try Commit.decoded($0.payload) }
        for number in [11, 12] as [UInt64] {
            let needs = [LogNeed(.input(shard), from: 6), LogNeed(.commits(shard), from: number)]
            let hash = commits[Int(number) - 1].hash
            let head = SnapshotHead(commit: number, commitHash: hash, format: 1, time: LogMaker.start, needs: needs)
            try await snapshots.put([[1]], head, of: .shard(shard))
            try await snapshots.put([[1]], head, of: .coordinator)
        }
        let behind = [LogNeed(.input(shard), from: 2), LogNeed(.commits(shard), from: 3)]
        try await snapshots.put(
            [], SnapshotHead(commit: 9, commitHash: 0, format: 1, time: LogMaker.start, needs: behind), of: .history(1))
        let trimming = Trimming(logs: logs, snapshots: snapshots)
        let held = try await trimming.trim(shard)
        #expect(held.inputBelow == 2 && held.commitsBelow == 3)
        // Half full: nobody waits for a copy that is away.
        logs.setBound(.commits(shard), bytesMax: try await logs.state(of: .commits(shard)).bytes * 2)
        let freed = try await trimming.trim(shard)
        #expect(freed.inputBelow == 2 && freed.commitsBelow == 11)
    }

    @Test(.timeLimit(.minutes(1)))
    func `I8 what is older than the days it is kept is not answered, and goes`() async throws {
        try await running("a", [story(0), story(1)], days: 2) {
            let rule = RuleID(name: "review").number
            let page: DrillPage = try await ask("history.drill", DrillRequest(rules: [rule], figure: .executions))
            // Of six days the last three: the border itself is kept.
            #expect(page.total == 6)
            #expect(page.reach.sinceMilliseconds == (LogMaker.start + 3 * Milliseconds.day).milliseconds)
        }
        #expect(try await dump("a", ShardID(0)).filter { $0.hasPrefix("decision") }.count == 9)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a log that is no shard's, or lost commits, stops that shard and says so`() async throws {
        try await running("a", [story(0), story(1)])
        let other = SimulatedLogStore(clock: clock)
        try await story(0, rounds: 1).write(to: other)
        let database = try await database("a", ShardID(0))
        let store = try await ShardHistory(
            database, logs: other, clock: clock, log: quiet, isLive: false, keptMilliseconds: Milliseconds.day)
        try await store.run()
        #expect(store.problem?.contains("LOG.0 ends at 3, the history contains 13 commits") == true)
        try await database.close()
        await #expect(throws: HistoryProblem.self) {
            try await HistoryDatabase(path: folder.path("a") + "/history-0.sqlite", shard: ShardID(1), shards: 2)
        }
    }
}

/// A folder that goes with the test.
private final class ScratchFolder: Sendable {
    private let url = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID().uuidString)")

    func path(_ name: String) -> String { url.appending(path: name).path }

    deinit { try? FileManager.default.removeItem(at: url) }
}
