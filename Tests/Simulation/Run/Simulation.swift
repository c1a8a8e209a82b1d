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
    private let judge: Judge
    private let counts = Counts()
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
            seed: options.seed ^ 0x5409, begin: begin, timeMode: options.timeMode, days: options.days, customers: options.customers)
        installed.server.onAppend = { [judge] in judge.written($0, $1) }
        installed.deliver = { [judge] in judge.mail($0, $1, $2) }
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
        if !judge.isQuiet { violations.append(Violation("comes to rest", "after \(scheduler.now - begin) ms: \(judge.lag)")) }
        installed.endAll()
        checkSums()
        violations += judge.violations
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
        let host = scheduler.makeHost("observer")
        let observer = Observer(
            messaging: HostMessaging(host: host, board: installed.board), clock: HostClock(host: host, scheduler: scheduler),
            commits: judge.commits.map(\.number))
        scheduler.run(as: host) { Task { await observer.run() } }
        let deadline = scheduler.now + 60 * Milliseconds.second
        scheduler.run { [scheduler] in observer.isDone || scheduler.now > deadline }
        guard var report = observer.report else {
            return violations.append(Violation("I10 sums", "no coordinator has summed all within a minute: \(observer.problem)"))
        }
        if options.sabotage == .sumsChanged { report.orders += 1 }
        violations += judge.compare(report)
        violations += observer.reconciliation.map { Violation("I10 reconciliation", $0) }
    }

    private func checkReplay() {
        guard violations.isEmpty else { return }
        let checker = ReplayChecker(
            installation: installed.installation, configuration: installed.server.contents(of: .configuration))
        for (index, commits) in judge.commits.enumerated() {
            let shard = ShardID(index: index)
            let inputs = installed.server.contents(of: .input(shard))
            violations += checker.run(shard, inputs: inputs, steps: commits.steps).violations
            checkDecisions(shard, inputs, commits.steps)
        }
    }

    private func checkDecisions(_ shard: ShardID, _ inputs: [LogRecord], _ steps: [Step]) {
        do {
            var interpreter = try ReferenceInterpreter(
                timeMode: options.timeMode, configuration: installed.server.contents(of: .configuration))
            let found = try interpreter.compare(shard, inputs: inputs, steps: steps)
            counts.add(found == nil ? "interpreter: late wake-ups, not compared" : "interpreter: compared")
            violations += found ?? []
        } catch {
            violations.append(Violation("reference interpreter", "shard \(shard): \(error)"))
        }
    }
}

// Sendable: used on the simulation's thread alone.
private final class Counts: @unchecked Sendable {
    private(set) var all: [String: Int] = [:]
    func add(_ name: String) { all[name, default: 0] += 1 }
}
