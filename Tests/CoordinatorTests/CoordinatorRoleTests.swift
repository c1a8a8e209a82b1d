import Foundation
import Logging
import Model
import Placement
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

/// The whole role over simulated ports, in lockstep with a clock that is moved by hand.
@Suite struct CoordinatorRoleTests {
    final class Cluster: Sendable {
        let clock = ManualClock()
        let store: SimulatedLogStore
        let messaging: SimulatedMessaging
        let snapshots = SimulatedSnapshotStore()
        let shards = 4

        init(faults: SimulatedFaults = .none) {
            store = SimulatedLogStore(clock: clock, faults: faults)
            messaging = SimulatedMessaging(clock: clock)
        }

        func coordinator(
            _ name: String, path: String, instance: String = "1", snapshotEveryBytes: Int = .max
        ) throws -> Task<Void, any Error> {
            let installation = Installation(shards: try #require(ShardMap(shards: shards)), timeMode: .live, replicas: 1)
            var log = Logger(label: name)
            log.logLevel = .error
            let options = CoordinatorRole.Options(
                name: name, instance: instance, databasePath: path, installation: installation,
                snapshotEveryBytes: snapshotEveryBytes)
            return Task { [store, snapshots, messaging, clock, log] in
                try await CoordinatorRole.run(
                    options: options, logs: store, snapshots: snapshots, messaging: messaging, clock: clock, log: log)
            }
        }

        /// What a worker says when it serves at once whatever COORD gives it.
        private func serving(_ heartbeat: WorkerHeartbeat) -> WorkerHeartbeat {
            guard let placement = records.last?.placement else { return heartbeat }
            var heartbeat = heartbeat
            heartbeat.shards = placement.ownersByShard.enumerated().filter { $0.element == heartbeat.worker }
                .map { ShardStatus(shard: $0.offset, phase: .serving) }
            return heartbeat
        }

        /// A moment passes for so many coordinators while these workers are heard.
        func step(_ coordinators: Int, hearing workers: [WorkerHeartbeat] = []) async throws {
            await clock.waitForSleepers(coordinators)
            for worker in workers {
                messaging.publish("worker.heartbeat", Array(try JSONEncoder().encode(serving(worker))))
            }
            await messaging.drain()
            clock.advance(milliseconds: Limits.placementTickMilliseconds)
            await clock.waitForSleepers(coordinators, until: clock.now() + Limits.placementTickMilliseconds)
            await messaging.drain()
            for _ in 0..<50 { await Task.yield() }
        }

        /// Steps until COORD's last record is as wanted.
        func placement(
            _ coordinators: Int, hearing workers: [WorkerHeartbeat], _ isWanted: (CoordinatorRecord) -> Bool
        ) async throws -> CoordinatorRecord {
            for _ in 0..<2000 {
                if let last = records.last, isWanted(last) { return last }
                try await step(coordinators, hearing: workers)
            }
            throw RequestError(.timeout, "COORD ends with \(String(describing: records.last))")
        }

        var records: [CoordinatorRecord] {
            store.contents(of: .coordinator).compactMap {
                try? JSONDecoder().decode(CoordinatorRecord.self, from: Data($0.payload))
            }
        }

        /// Asks once somebody leads and serves.
        func ask<Answer: Decodable>(
            _ subject: String, _ request: some Encodable = [Int](), coordinators: Int = 1
        ) async throws -> Answer {
            let payload = Array(try JSONEncoder().encode(request))
            for _ in 0..<2000 {
                do {
                    let answer = try await messaging.request(subject, payload, timeout: .seconds(3600))
                    return try JSONDecoder().decode(Answer.self, from: Data(answer))
                } catch let error as RequestError where error.code == .nobody {
                    try await step(coordinators)
                }
            }
            throw RequestError(.nobody, subject)
        }
    }

    func heartbeat(_ name: String, draining: Bool = false, shards: [ShardStatus] = []) -> WorkerHeartbeat {
        WorkerHeartbeat(
            worker: WorkerID(name: name, instance: "1"), brain: 1, draining: draining, shards: shards, residentBytes: 10)
    }

    func stop(_ task: Task<Void, any Error>) async throws {
        task.cancel()
        try await task.value
    }

    @Test func `F3 F4 placement follows joins, drains, leaves and deaths`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = Cluster()
        let task = try cluster.coordinator("c", path: path)
        let (a, b, c) = (heartbeat("a"), heartbeat("b"), heartbeat("c"))
        let both = try await cluster.placement(1, hearing: [a, b]) { !$0.placement.alive.isEmpty }
        #expect(both.placement.alive == [a.worker, b.worker])
        #expect(both.placement.owners.compactMap(\.self).sorted() == [0, 0, 1, 1])
        let three = try await cluster.placement(1, hearing: [a, b, c]) { $0.placement.alive.count == 3 }
        #expect(Set(three.placement.owners.compactMap(\.self)) == [0, 1, 2])
        let drained = try await cluster.placement(1, hearing: [a, heartbeat("b", draining: true), c]) {
            !$0.placement.owners.contains(1)
        }
        #expect(drained.placement.alive.count == 3)
        let dead = try await cluster.placement(1, hearing: [a]) { $0.placement.alive.count == 1 }
        #expect(dead.placement == PlacementRecord(alive: [a.worker], owners: [0, 0, 0, 0]))
        let before = cluster.records.count
        for _ in 0..<10 { try await cluster.step(1, hearing: [a]) }
        #expect(cluster.records.count == before)

        let status: ClusterStatus = try await cluster.ask("coordinator.status")
        #expect(status.placement == dead.placement && status.epoch == 1 && status.coordinator == "c#1")
        #expect(status.workers.first { $0.id == a.worker }?.alive == true)
        #expect(status.workers.filter { !$0.alive }.map(\.id.name) == ["b", "c"])
        try await stop(task)
    }

    @Test(arguments: 0..<6)
    func `F5 sums stay exact when the leader is replaced, and only the leader answers`(seed: Int) async throws {
        let paths = [SumsTests.path(), SumsTests.path()]
        defer { for path in paths { SumsTests.remove(path) } }
        let faults = SimulatedFaults(
            seed: UInt64(seed), lostAcknowledgements: 200, lostAppends: 200, lateCompletions: 100, unavailable: 100)
        let cluster = Cluster()
        var makers = (0..<4).map { CommitMaker(shard: $0, seed: UInt64(seed)) }
        func write(_ count: Int) async throws {
            for index in 0..<count {
                let shard = index % 4
                _ = try await cluster.store.append(to: .commits(ShardID(index: shard)), makers[shard].next())
            }
        }
        try await write(200)
        cluster.store.setFaults(
            SimulatedFaults(seed: UInt64(seed), lostAcknowledgements: 300, lostAppends: 300, lateCompletions: 100))
        let first = try cluster.coordinator("c0", path: paths[0])
        let leader = try await cluster.placement(1, hearing: [heartbeat("a")]) { $0.placement.owners == [0, 0, 0, 0] }
        #expect(leader.coordinator == "c0#1")
        let second = try cluster.coordinator("c1", path: paths[1])
        for _ in 0..<20 { try await cluster.step(2, hearing: [heartbeat("a")]) }
        #expect(cluster.records.last?.coordinator == "c0#1")
        cluster.store.setFaults(.none)
        try await write(100)
        try await stop(first)
        cluster.store.setFaults(faults)
        let successor = try await cluster.placement(1, hearing: [heartbeat("a")]) { $0.epoch == 2 }
        #expect(successor.coordinator == "c1#1" && successor.placement == leader.placement)
        cluster.store.setFaults(.none)
        try await write(40)

        var expected = Sums()
        for maker in makers { expected.merge(maker.tally) }
        let commits = Dictionary(uniqueKeysWithValues: makers.map { (Int($0.shard.number), $0.position.number) })
        // Retries after `unavailable` need time to pass.
        var answer = CaughtUpAnswer(reached: false, commits: [:])
        for _ in 0..<2000 where !answer.reached {
            answer = try await cluster.ask("coordinator.caughtup", CaughtUpRequest(commits: commits, timeoutMilliseconds: 0))
            if !answer.reached { try await cluster.step(1, hearing: [heartbeat("a")]) }
        }
        #expect(answer == CaughtUpAnswer(reached: true, commits: commits))
        let report: MechanicsReport = try await cluster.ask("coordinator.mechanics")
        for (rule, sums) in expected.rules {
            let row = try #require(report.rows.first { $0.rule == rule.description })
            #expect(
                [row.executions, row.sent, row.conversions, row.sales, row.revenue]
                    == [sums.executions, sums.sent, sums.conversions, sums.sales, sums.revenue])
        }
        #expect(report.lagCommits == 0)
        let reconciliation: Reconciliation = try await cluster.ask("coordinator.reconcile")
        #expect(reconciliation == Reconciliation(orders: Int64(expected.credits.count), problems: []))
        try await stop(second)
    }

    @Test func `who asks to be told when the sums are complete is told, without polling`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = Cluster()
        let task = try cluster.coordinator("c", path: path)
        let _: ClusterStatus = try await cluster.ask("coordinator.status")
        var maker = CommitMaker(shard: 2, seed: 1)
        async let told: CaughtUpAnswer = cluster.ask(
            "coordinator.caughtup", CaughtUpRequest(commits: [2: 25], timeoutMilliseconds: 600_000))
        for _ in 0..<25 { _ = try await cluster.store.append(to: .commits(ShardID(2)), maker.next()) }
        #expect(try await told == CaughtUpAnswer(reached: true, commits: [2: 25]))
        let late: CaughtUpAnswer = try await cluster.ask(
            "coordinator.caughtup", CaughtUpRequest(commits: [2: 26], timeoutMilliseconds: 0))
        #expect(late == CaughtUpAnswer(reached: false, commits: [2: 25]))
        let problem: RequestProblem = try await cluster.ask(
            "coordinator.caughtup", CaughtUpRequest(commits: [9: 1], timeoutMilliseconds: 0))
        #expect(problem.error == "shard 9: there are 0 to 3")
        try await stop(task)
    }

    @Test func `reports carry the configuration's names, and orders come by pages`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = Cluster()
        let rule = Rule(
            name: "coffee", title: "Coffee again", mechanic: .timeSinceLastPurchase(afterMilliseconds: 5), action: .record)
        _ = try await cluster.store.append(to: .configuration, RuleSet().encoded())
        let task = try cluster.coordinator("c", path: path)
        var maker = CommitMaker(shard: 0, seed: 5, rules: [rule.id])
        for _ in 0..<150 { _ = try await cluster.store.append(to: .commits(ShardID(0)), maker.next()) }
        _ = try await cluster.store.append(to: .configuration, RuleSet(currency: "EUR", rules: [rule]).encoded())
        let caughtUp: CaughtUpAnswer = try await cluster.ask(
            "coordinator.caughtup", CaughtUpRequest(commits: [0: 150], timeoutMilliseconds: 600_000))
        #expect(caughtUp.reached)
        var report: MechanicsReport = try await cluster.ask("coordinator.mechanics")
        for _ in 0..<2000 where report.currency != "EUR" {
            await Task.yield()
            report = try await cluster.ask("coordinator.mechanics")
        }
        #expect(report.rows.map(\.title) == ["Coffee again"])
        var orders: [AttributedOrders.Order] = []
        var cursor: String?
        repeat {
            let page: AttributedOrders = try await cluster.ask(
                "coordinator.orders", OrdersRequest(rule: "coffee", after: cursor, limit: 9))
            orders += page.orders
            cursor = page.next
        } while cursor != nil
        #expect(orders.count == maker.tally.credits.count && orders.count > 9)
        #expect(orders.reduce(0) { $0 + $1.revenue } == report.rows[0].revenue)
        #expect(Set(orders.map(\.order)).count == orders.count)
        let problem: RequestProblem = try await cluster.ask("coordinator.orders", OrdersRequest(rule: "tea"))
        #expect(problem.error == "no rule is called 'tea'; give a name of the configuration or a number")
        try await stop(task)
    }

    @Test func `a damaged log stops its shard's sums and says so; the others go on`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let cluster = Cluster()
        var makers = (0..<4).map { CommitMaker(shard: $0, seed: 9) }
        for index in 0..<80 {
            _ = try await cluster.store.append(to: .commits(ShardID(index: index % 4)), makers[index % 4].next())
        }
        cluster.store.damage(11, of: .commits(ShardID(1))) { $0[20] ^= 1 }
        cluster.store.lose(5, of: .commits(ShardID(2)))
        let task = try cluster.coordinator("c", path: path)
        let answer: CaughtUpAnswer = try await cluster.ask(
            "coordinator.caughtup", CaughtUpRequest(commits: [0: 20, 3: 20], timeoutMilliseconds: 600_000))
        #expect(answer.reached)
        var status: ClusterStatus = try await cluster.ask("coordinator.status")
        for _ in 0..<2000 where status.sumsProblems.count < 2 {
            await Task.yield()
            status = try await cluster.ask("coordinator.status")
        }
        #expect(status.sumsProblems.count == 2)
        #expect(status.sumsProblems.first?.hasPrefix("LOG.1: record 11 is not a commit") == true)
        #expect(status.sumsProblems.last == "LOG.2: record 5 is missing, the next is 6")
        try await stop(task)
    }

    @Test func `sums ahead of a log that lost commits are an error that is said`() async throws {
        let path = SumsTests.path()
        defer { SumsTests.remove(path) }
        let end = ShardPosition(number: 3, hash: 1, epoch: 1)
        let database = try await SumsDatabase(path: path, shards: 4)
        try await database.apply(Sums(), shard: ShardID(1), from: .start, to: end)
        try await database.close()
        let cluster = Cluster()
        let task = try cluster.coordinator("c", path: path)
        var status: ClusterStatus = try await cluster.ask("coordinator.status")
        for _ in 0..<2000 where status.sumsProblems.isEmpty {
            await Task.yield()
            status = try await cluster.ask("coordinator.status")
        }
        #expect(status.sumsProblems == ["LOG.1: ends at 0, the sums contain 3 commits: it lost some"])
        try await stop(task)
    }
}
