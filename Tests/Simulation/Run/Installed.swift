internal import Checkers
internal import Coordinator
internal import Foundation
internal import Logging
internal import Model
internal import Ports
internal import SimulatedPorts
internal import Worker

/// The installation of a run: its servers, and the hosts that play its roles and come back when they ended.
// Sendable: used on the simulation's thread alone.
final class Installed: @unchecked Sendable {
    let options: SimulationOptions
    let scheduler: Scheduler
    let server: LogServer
    let board: MessageBoard
    let snapshots: SimulatedSnapshotStore
    let installation: Installation
    let folder: URL
    var count: (String) -> Void
    var deliver: (ShardID, ActionID, AttemptID) -> Void = { _, _, _ in }
    private var hosts: [String: Host] = [:]
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var dead: Set<UInt64> = []
    var seeds: SplitMix
    /// A shard's LOG has just lost its newest commits.
    var onLoss: (ShardID) -> Void = { _ in }
    /// Told what a host says: the host, the message, and what stands beside it.
    var hear: (Host, String, String) -> Void = { _, _, _ in }
    /// Nothing but coordinators comes back any more.
    var isEnding = false

    init(options: SimulationOptions, scheduler: Scheduler, count: @escaping (String) -> Void) throws {
        self.options = options
        self.scheduler = scheduler
        self.count = count
        seeds = SplitMix(seed: options.seed ^ 0xd15c)
        server = LogServer(scheduler: scheduler, seed: seeds.next(), count: count)
        server.rates = options.rates
        server.sabotage = options.sabotage
        board = MessageBoard(server: server)
        let torn = options.rates == FaultRates() ? 0 : 100
        snapshots = SimulatedSnapshotStore(
            faults: SimulatedFaults(seed: seeds.next(), tornSnapshots: torn, damagedSnapshots: torn))
        guard let map = ShardMap(shards: options.shards) else { throw Violation("options", "\(options.shards) shards") }
        installation = Installation(shards: map, timeMode: options.timeMode, replicas: 1)
        let memory = URL(filePath: "/dev/shm")
        let base = FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
        folder = base.appending(path: "reprise-simulation-\(ProcessInfo.processInfo.processIdentifier)")
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func cleanUp() { try? FileManager.default.removeItem(at: folder) }

    func logger(of host: Host) -> Logger {
        Logger(label: host.name) { _ in
            HostLog(scheduler: self.scheduler) { message, words in
                self.count("log: \(message)")
                self.hear(host, message, words)
            }
        }
    }

    /// A person does it, with a line to the installation that never breaks.
    func asOperator(_ work: @escaping @Sendable (SimulatedOperator) async throws -> Void) {
        let host = scheduler.makeHost("operator")
        let person = SimulatedOperator(
            logs: HostLogs(host: host, server: server), messaging: HostMessaging(host: host, board: board),
            clock: HostClock(host: host, scheduler: scheduler), count: count)
        scheduler.run(as: host) {
            Task {
                // Nothing that is asked of it may fail; should it, the run does not come to rest or is not what it should be.
                do { try await work(person) } catch { self.count("operator: \(error)") }
            }
        }
    }

    // MARK: Hosts

    func host(_ role: Incident.Role, _ number: Int) -> Host? {
        let counts: [Incident.Role: Int] = [
            .worker: options.workers, .coordinator: options.coordinators, .dispatcher: options.dispatchers,
        ]
        guard let count = counts[role], count > 0 else { return nil }
        return hosts["\(role)\(number % count)"]
    }

    func startAll() {
        for number in 0..<options.coordinators { start(.coordinator, number, after: 10 * Int64(number)) }
        for number in 0..<options.workers { start(.worker, number, after: 100 + 150 * Int64(number)) }
        for number in 0..<options.dispatchers { start(.dispatcher, number, after: 300 * Int64(number)) }
    }

    func isDead(_ instance: UInt64) -> Bool { dead.contains(instance) }

    func start(_ role: Incident.Role, _ number: Int, after milliseconds: Int64) {
        scheduler.after(milliseconds: milliseconds, for: nil) { [self] in
            let name = "\(role)\(number)"
            guard !isEnding || role == .coordinator, hosts[name] == nil else { return }
            let host = scheduler.makeHost(name)
            hosts[name] = host
            host.onCrash = { [self] in ended(host, role, number, backMilliseconds: nil) }
            count("start \(role)")
            let seed = seeds.next()
            scheduler.run(as: host) {
                tasks[host.number] = Task {
                    do { try await self.play(role, host, seed) } catch {
                        self.count("ended: \(role)")
                        self.scheduler.note("ended", host.number, "\(error)")
                    }
                    self.scheduler.at(self.scheduler.now, for: nil) {
                        // What it did not finish in order is as good as crashed.
                        if host.state != .dead { self.scheduler.crash(host) }
                    }
                }
            }
        }
    }

    /// A dead role is started again: by whoever looks after processes.
    private func ended(_ host: Host, _ role: Incident.Role, _ number: Int, backMilliseconds: Int64?) {
        dead.insert(host.number)
        board.forget(host)
        hosts["\(role)\(number)"] = nil
        tasks[host.number] = nil
        if let back = backs[host.number] ?? 1000 { start(role, number, after: back) }
    }

    /// When a host that ends comes back, by its number; nil = never.
    private var backs: [UInt64: Int64?] = [:]

    private func databasePath(of host: Host) -> String {
        let machine = options.losesDatabases ? host.instance : ""
        return folder.appending(path: "\(host.name)\(machine).sqlite").path
    }

    /// - Parameter milliseconds: nil = never.
    func comeBack(_ host: Host, after milliseconds: Int64?) { backs.updateValue(milliseconds, forKey: host.number) }

    func stop(_ host: Host) {
        scheduler.run(as: host) { tasks[host.number]?.cancel() }
    }

    func endAll() {
        isEnding = true
        for (_, host) in hosts.sorted(by: { $0.key < $1.key }) where !host.name.hasPrefix("coordinator") { scheduler.crash(host) }
    }

    /// All of a role end, and come back.
    func crashAll(_ role: Incident.Role) {
        for (_, host) in hosts.sorted(by: { $0.key < $1.key }) where host.name.hasPrefix("\(role)") { scheduler.crash(host) }
    }

    func calm() {
        // Those that follow a log which lost its end do not find out by themselves.
        if options.losesSuffix { crashAll(.dispatcher) }
        for (_, host) in hosts.sorted(by: { $0.key < $1.key }) {
            host.isCutOff = false
            host.clockAheadMilliseconds = 0
            host.readDelayMilliseconds = 0
            host.crashAfterJobs = nil
            scheduler.thaw(host)
        }
        server.rates = FaultRates()
    }

    // MARK: Roles

    private func play(_ role: Incident.Role, _ host: Host, _ seed: UInt64) async throws {
        let logs = HostLogs(host: host, server: server)
        let clock = HostClock(host: host, scheduler: scheduler)
        let messaging = HostMessaging(host: host, board: board)
        switch role {
        case .worker:
            let worker = WorkerOptions(
                id: WorkerID(name: host.name, instance: host.instance), threads: options.threadsPerWorker,
                snapshotEveryBytes: options.snapshotEveryBytes,
                makeExecutor: { [scheduler] in scheduler.makeExecutor(for: host) })
            try await WorkerRole.run(
                options: worker, installation: installation, logs: logs,
                snapshots: HostSnapshots(store: snapshots, host: host, server: server), messaging: messaging, clock: clock,
                log: logger(of: host))
        case .coordinator:
            let coordinator = CoordinatorRole.Options(
                name: host.name, instance: host.instance, databasePath: databasePath(of: host), installation: installation,
                snapshotEveryBytes: options.sumsSnapshotEveryBytes, standbys: options.standbys, databaseWork: .inPlace)
            try await CoordinatorRole.run(
                options: coordinator, logs: logs, snapshots: HostSnapshots(store: snapshots, host: host, server: server),
                messaging: messaging, clock: clock, log: logger(of: host))
        case .dispatcher:
            let dispatcher = SimulatedDispatcher(
                host: host, installation: installation, logs: logs, messaging: messaging, clock: clock, seed: seed,
                sabotage: options.sabotage, providerMillisecondsMax: options.providerMillisecondsMax,
                isDead: { [self] in isDead($0) }, deliver: { [self] in deliver($0, $1, $2) })
            try await dispatcher.run()
        }
    }
}
