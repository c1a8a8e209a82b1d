internal import Checkers
internal import Foundation
internal import Model
internal import Ports
internal import SimulatedPorts

/// What came of a run.
package struct SimulationResult: Codable, Sendable {
    package var seed: UInt64
    /// Equal for two runs that did the same.
    package var trace: String
    package var violations: [String]
    /// How often each branch was taken, by name.
    package var counts: [String: Int]
    package var jobs: Int
    package var worldMilliseconds: Int64
}

/// One run: an installation with its faults, then calm, then judgement.
package enum Simulation {
    /// How long an installation may take to come to rest after the last fault, milliseconds.
    static let calmMillisecondsMax: Int64 = 90 * Milliseconds.second

    package static func run(_ options: SimulationOptions, isPrinting: Bool = false) throws -> SimulationResult {
        let run = try SimulationRun(options, isPrinting: isPrinting)
        defer { run.cleanUp() }
        return run.run()
    }
}

// Sendable: used on the simulation's thread alone.
private final class SimulationRun: @unchecked Sendable {
    private let options: SimulationOptions
    private let scheduler: Scheduler
    private let installed: Installed
    private var judge: Judge
    private let counts = Counts()
    private var loss = LossWatch()
    private let plan: ShopPlan
    private var violations: [Violation] = []
    private let begin = Instant(milliseconds: 1_700_000_000_000)
    private var nextRevision = 0

    init(_ options: SimulationOptions, isPrinting: Bool) throws {
        self.options = options
        let counts = counts
        scheduler = Scheduler(seed: options.seed ^ 0x0bde, start: begin, isShuffled: options.isShuffled)
        if isPrinting { scheduler.printTrace() }
        installed = try Installed(options: options, scheduler: scheduler) { counts.add($0) }
        judge = Judge(installation: installed.installation) { counts.add($0) }
        plan = ShopPlan(
            seed: options.seed ^ 0x5409, begin: begin, timeMode: options.timeMode, days: options.days,
            customers: options.customers, persons: options.persons, poisons: options.poisons)
        connect()
    }

    /// What the roles and servers tell goes to the checkers.
    private func connect() {
        installed.server.onAppend = { [unowned self] in judge.written($0, $1) }
        installed.deliver = { [unowned self] in judge.mail($0, $1, $2) }
        judge.onLetter = { [unowned self] id, event in
            counts.add("dead letter: \(event.reason.hasPrefix("trapped") ? "trapped" : "other")")
            installed.asOperator { try await $0.replay(event, id) }
        }
        installed.server.traps = { [unowned self] host, shard, payload in
            guard let (place, owner) = judge.trap(shard, payload) else { return false }
            installed.trap(host, shard, place, owner: owner)
            return true
        }
        installed.onLoss = { [unowned self] in lost($0) }
        installed.server.onLossMet = { [unowned self] in loss.meets($0, $1) }
        guard options.sabotage != .lossUnsaid else { return }
        installed.hear = { [unowned self] in loss.hear($0, $1, $2) }
    }

    /// From here on what the logs hold now is what counts.
    private func lost(_ shard: ShardID) {
        loss.lost(shard)
        let after = Judge(installation: installed.installation) { [counts] in counts.add($0) }
        var logs = [LogName.configuration, .coordinator]
        for shard in installed.installation.shards.all { logs += [.input(shard), .commits(shard)] }
        for log in logs { for record in installed.server.contents(of: log) { after.written(log, record) } }
        judge = after
    }

    func cleanUp() { installed.cleanUp() }

    func run() -> SimulationResult {
        applyRules()
        installed.startAll()
        let shop = startShop()
        installed.plan(options.incidents) { [self] in applyRules() }
        sabotageSuffix()
        var calmSince: Instant?
        scheduler.run { [self] in
            if scheduler.now - begin >= options.busyMilliseconds && calmSince == nil {
                calmSince = scheduler.now
                installed.calm()
            }
            guard let calmSince else { return false }
            if scheduler.now - calmSince > Simulation.calmMillisecondsMax { return true }
            return shop.isDone && judge.isQuiet
        }
        if loss.isGivenUp {
            counts.add("lost suffix: the shard is served no more")
        } else if !judge.isQuiet {
            violations.append(Violation("comes to rest", "after \(scheduler.now - begin) ms: \(judge.lag)"))
        }
        installed.endAll()
        checkSums()
        // What was decided and lost may have left, and be decided and leave again: nobody can know.
        violations += loss.shard == nil ? judge.violations : judge.violationsOfLogs + loss.violations
        if loss.shard != nil { counts.add(loss.isSaid ? "lost suffix: said" : "lost suffix: nobody knew of what was lost") }
        checkReplay()
        let world = scheduler.now - begin
        return SimulationResult(
            seed: options.seed, trace: String(scheduler.trace.hash, radix: 16),
            violations: violations.map(\.description), counts: counts.all, jobs: scheduler.jobsRun, worldMilliseconds: world)
    }

    private func startShop() -> SimulatedShop {
        let host = scheduler.makeHost("shop")
        let clock = HostClock(host: host, scheduler: scheduler)
        let shop = SimulatedShop(
            plan: plan, installation: installed.installation, logs: HostLogs(host: host, server: installed.server), clock: clock,
            seed: options.seed ^ 0x54, eventsBegin: begin, lengthMilliseconds: options.busyMilliseconds)
        scheduler.run(as: host) {
            Task { do { try await shop.run() } catch { self.violations.append(Violation("shop", "\(error)")) } }
        }
        return shop
    }

    private func applyRules() {
        guard plan.revisions.indices.contains(nextRevision) else { return }
        installed.server.write(plan.revisions[nextRevision].encoded(), to: .configuration)
        nextRevision += 1
    }

    private func sabotageSuffix() {
        guard options.sabotage == .suffixLost else { return }
        scheduler.after(milliseconds: options.busyMilliseconds / 2, for: nil) { [self] in
            let log = LogName.commits(ShardID(0))
            let last = installed.server.lastSequence(of: log)
            installed.server.loseSuffix(of: log, after: last > 3 ? last - 3 : 0)
        }
    }

    /// Asks the leading coordinator until its sums contain everything, then compares.
    private func checkSums() {
        // Sums that contain what a log has lost are to say so at the latest when they are begun with.
        if loss.shard != nil { installed.crashAll(.coordinator) }
        let host = scheduler.makeHost("observer")
        let observer = Observer(
            messaging: HostMessaging(host: host, board: installed.board), clock: HostClock(host: host, scheduler: scheduler),
            commits: judge.commits.map(\.number))
        scheduler.run(as: host) { Task { await observer.run() } }
        let deadline = scheduler.now + 60 * Milliseconds.second
        scheduler.run { [scheduler, unowned self] in observer.isDone || loss.isSaidOfSums || scheduler.now > deadline }
        if loss.isSaidOfSums { return counts.add("lost suffix: the sums stop") }
        guard var report = observer.report else {
            return violations.append(Violation("I10 sums", "no coordinator has summed all within a minute: \(observer.problem)"))
        }
        if options.sabotage == .sumsChanged { report.orders += 1 }
        violations += judge.compare(report)
        violations += observer.reconciliation.map { Violation("I10 reconciliation", $0) }
    }

    private func checkReplay() {
        guard violations.isEmpty || options.sabotage == .inputChanged else { return }
        let checker = ReplayChecker(
            installation: installed.installation, configuration: installed.server.contents(of: .configuration))
        var orders: Int64 = 0
        var bearers: [String: [String]] = [:]
        for (index, commits) in judge.made.enumerated() {
            let shard = ShardID(index: index)
            var inputs = installed.server.contents(of: .input(shard))
            if options.sabotage == .inputChanged { inputs = inputs.map(Self.withDearerOrders) }
            let live = installed.snapshots.whole(of: .shard(shard)).filter { number, snapshot in
                let record = installed.server.contents(of: .commits(shard)).first { $0.sequence == number }
                return record.flatMap { try? Commit.decoded($0.payload).hash } == snapshot.head.commitHash
            }
            for _ in live { counts.add("live state: compared") }
            let outcome = checker.run(
                shard, inputs: inputs, commits: commits,
                customers: plan.identifiedKeys.filter { installed.installation.shards.shard(of: $0) == shard },
                live: live.mapValues(\.parts))
            violations += outcome.violations
            for (key, view) in outcome.views {
                for order in view.orders { bearers[order.id, default: []].append(key.text) }
            }
            orders += checkDecisions(shard, inputs, commits) ?? Int64.min / 64
        }
        // Below 0: of a shard it is not known.
        guard orders >= 0, options.sabotage == nil else { return }
        for (order, keys) in bearers.sorted(by: { $0.key < $1.key }) where keys.count > 1 {
            violations.append(Violation("I10 orders", "\(order) is counted for \(keys.sorted().joined(separator: " and "))"))
        }
        for order in plan.identifiedOrders.sorted() where bearers[order] == nil {
            violations.append(Violation("I10 orders", "\(order) is counted for nobody"))
        }
        orders += Int64(plan.identifiedOrders.count)
        counts.add("orders of the whole: compared")
        let counted = judge.sums.counters[.orders] ?? 0
        if counted != orders {
            violations.append(Violation("I10 orders", "\(counted) are counted, \(orders) stand"))
        }
    }

    private static func withDearerOrders(_ record: LogRecord) -> LogRecord {
        guard case .events(var events) = try? InputMessage.decoded(record.payload) else { return record }
        for index in events.indices {
            guard case .order(var order) = events[index].body, let revenue = order.revenue else { continue }
            order.revenue = revenue + 1
            events[index].body = .order(order)
        }
        return LogRecord(sequence: record.sequence, time: record.time, payload: InputMessage.events(events).encoded())
    }

    /// Returns how many orders stand, of customers that the interpreter knows; nil when it cannot tell.
    private func checkDecisions(_ shard: ShardID, _ inputs: [LogRecord], _ commits: [Commit]) -> Int64? {
        let steps = commits.flatMap(\.steps)
        // A careful owner asks one customer a step: what was due under the old rules is decided by the new ones, and a run
        // may end between two of them.
        let careful = commits.drop { $0.takeover.map { $0.caution == .none } ?? true }.flatMap(\.steps)
        let endsCarefully = (commits.last { $0.takeover != nil }?.takeover?.caution ?? .none) != .none
        if Set(careful.map(\.configuration)).count > 1 || endsCarefully {
            counts.add("interpreter: wake-ups under caution, not compared")
            return nil
        }
        do {
            var interpreter = try ReferenceInterpreter(
                timeMode: options.timeMode, configuration: installed.server.contents(of: .configuration),
                isForeign: ShopPlan.hasIdentifiers)
            guard let found = try interpreter.compare(shard, inputs: inputs, steps: steps) else {
                counts.add("interpreter: late wake-ups, not compared")
                return nil
            }
            counts.add("interpreter: compared")
            violations += found
            return interpreter.orders
        } catch {
            violations.append(Violation("reference interpreter", "shard \(shard): \(error)"))
            return nil
        }
    }
}

// Sendable: used on the simulation's thread alone.
private final class Counts: @unchecked Sendable {
    private(set) var all: [String: Int] = [:]
    func add(_ name: String) { all[name, default: 0] += 1 }
}
