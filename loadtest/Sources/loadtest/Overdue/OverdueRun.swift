import Foundation
import Model
import Ports
import Synchronization

/// Timers armed, measured without them; workers killed; the timers overdue; workers back, measured until all have run.
struct OverdueRun: Sendable {
    static let senders = 16
    /// Customers of the other events.
    private static let others = 500
    private static let settling = Duration.seconds(20)

    let connection: ClusterConnection
    let gate: Views
    let fleet: WorkerFleet
    let customers: Int
    let rate: Int
    let before: Duration
    let afterSeconds: Int
    let patience: Duration

    func run() async throws -> (OverdueReport, problems: [String]) {
        let (timers, events) = (TimerWatch(), EventWatch())
        let logs = connection.logs
        return try await withThrowingTaskGroup(of: (OverdueReport, problems: [String])?.self) { group in
            for shard in connection.installation.shards.all {
                group.addTask {
                    try await timers.follow(shard, logs)
                    return nil
                }
                group.addTask {
                    try await events.follow(shard, logs)
                    return nil
                }
            }
            group.addTask { try await drive(timers, events) }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw LoadError("the run ended without an outcome")
        }
    }

    private func drive(_ timers: TimerWatch, _ events: EventWatch) async throws -> (OverdueReport, problems: [String]) {
        var progress = Progress()
        let cluster = MovingCluster(messaging: connection.messaging, patience: patience)
        let workers = try ClusterProcess.all(in: fleet.pids).filter { $0.name.hasPrefix("worker") }.map(\.name).sorted()
        let began = ContinuousClock.now
        try await OverdueLoad.send(customers: customers, map: connection.installation.shards, logs: connection.logs)
        try await wait("the orders are applied") { timers.orders >= customers }
        let loaded = ContinuousClock.now
        progress.say(
            "\(customers) orders in \(Int(began.duration(to: loaded) / .seconds(1))) s; measuring without overdue timers")
        let end = loaded + before
        let alone = try await probe(events) { .now >= end }
        guard timers.count == 0 else {
            throw LoadError("\(timers.count) timers ran before the outage: more time is needed, --after is \(afterSeconds)")
        }
        for name in workers { try fleet.worker(name).kill9() }
        let killed = ContinuousClock.now
        // Late is what is further behind than this; a few seconds more until a shard is served is for certain.
        let after = Duration.seconds(afterSeconds)
        let late = after + .milliseconds(Limits.lateMilliseconds) + .seconds(2)
        progress.say("workers killed; they come back when all timers are late")
        try await Task.sleep(until: loaded + late)
        let started = ContinuousClock.now
        for name in workers { try fleet.start(name) }
        try await cluster.settled(owners: workers.count)
        let served = ContinuousClock.now
        progress.say("served again; \(timers.count) timers have run")
        let deadline = ContinuousClock.now + patience
        let meanwhile = try await probe(events) { timers.count >= customers || .now > deadline }
        let caughtUp = ContinuousClock.now
        var report = OverdueReport(
            customers: customers, shards: connection.installation.shards.shards, workers: workers.count, rate: rate,
            awaySeconds: seconds(killed, started), overdueSecondsLeast: seconds(loaded + after, started),
            overdueSecondsMost: seconds(began + after, started), servingSeconds: seconds(started, served),
            caughtUpSeconds: seconds(started, caughtUp), firesPerSecond: 0, boundPerSecond: 0, shardPerSecondMost: 0,
            shardBoundPerSecond: Self.rate, outOfOrder: 0, before: alone, meanwhile: meanwhile, missing: events.underWay,
            correct: false)
        let problems = judge(&report, timers)
        report.correct = problems.isEmpty
        return (report, problems)
    }

    private static var rate: Double { Double(Limits.latePortion) * 1000 / Double(Limits.latePortionMilliseconds) }

    /// Fills in what the commits say; what must not be.
    private func judge(_ report: inout OverdueReport, _ timers: TimerWatch) -> [String] {
        let shards = timers.fired.mapValues(CatchUp.init)
        var problems: [String] = []
        let count = shards.values.reduce(0) { $0 + $1.count }
        let first = shards.values.map(\.first).min() ?? .distantPast
        let last = shards.values.map(\.last).max() ?? .distantPast
        func perSecond(_ count: Int, _ milliseconds: Int64) -> Double {
            // The last portion has its interval too.
            (Double(count) * 10_000 / Double(milliseconds + Limits.latePortionMilliseconds)).rounded() / 10
        }
        report.firesPerSecond = perSecond(count, last - first)
        report.boundPerSecond = Self.rate * Double(shards.count)
        report.shardPerSecondMost = shards.values.map { perSecond($0.count, $0.last - $0.first) }.max() ?? 0
        report.outOfOrder = shards.values.reduce(0) { $0 + $1.outOfOrder }
        if count != customers { problems.append("\(count) timers ran, not \(customers)") }
        if report.outOfOrder > 0 { problems.append("\(report.outOfOrder) timers came before one that was due later") }
        if report.missing > 0 { problems.append("\(report.missing) events were accepted and stand in no commit") }
        for (shard, catchUp) in shards.sorted(by: { $0.key < $1.key }) where catchUp.count > catchUp.bound {
            problems.append("shard \(shard) ran \(catchUp.count) late timers, \(catchUp.bound) are allowed in that time")
        }
        return problems
    }

    /// Sends other events until it is over, and waits until all stand in commits.
    private func probe(_ events: EventWatch, until isOver: @escaping @Sendable () -> Bool) async throws -> Percentiles {
        _ = events.takeLatencies()
        let (rate, gate) = (rate, gate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<Self.senders {
                group.addTask {
                    var number = sender
                    try await Pace.keep(Double(rate) / Double(Self.senders), until: isOver) {
                        let name = "q\(number % Self.others)"
                        number += Self.senders
                        guard events.sending(.user(name)) else { return }
                        if try await gate.track(user: name, count: 1) != 200 { events.forget(.user(name)) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let settled = ContinuousClock.now + Self.settling
        while events.underWay > 0 && ContinuousClock.now < settled { try await Task.sleep(for: .milliseconds(20)) }
        return Percentiles(events.takeLatencies().map(\.milliseconds))
    }

    private func wait(_ what: String, _ holds: () -> Bool) async throws {
        let deadline = ContinuousClock.now + patience
        while !holds() {
            guard ContinuousClock.now < deadline else { throw LoadError("not within \(patience): \(what)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func seconds(_ from: ContinuousClock.Instant, _ to: ContinuousClock.Instant) -> Double {
        ((from.duration(to: to) / .seconds(1)) * 10).rounded() / 10
    }
}
