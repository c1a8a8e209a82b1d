import Engine
import Foundation
package import Logging
package import Model
package import Ports

/// A worker: owns the shards that the coordinator places on it.
package enum WorkerRole {
    /// Runs until its task is cancelled; then others take its shards over while it serves on, and what is left after a
    /// moment it gives up. Throws when another worker of its name runs, or takes its place.
    package static func run(
        options: WorkerOptions, installation: Installation, logs: any LogStore, snapshots: any SnapshotStore,
        messaging: any Messaging, clock: any WallClock, log: Logger
    ) async throws {
        let worker = Worker(
            options: options, installation: installation, logs: logs, snapshots: snapshots, messaging: messaging, clock: clock,
            log: log)
        try await worker.run()
    }
}

/// The worker's shell: follows COORD, keeps a ``ShardOwner`` for each shard it is given, and tells that it lives.
///
///     working --asked to stop--> draining --no shard is left, or nobody can take them, or the time is up--> stopping --> ended
///     working --COORD names a later run of its name--> stopping
actor Worker {
    private let options: WorkerOptions
    private let installation: Installation
    private nonisolated let around: ShardOwner.Surroundings
    private let executors: [any SerialExecutor]
    private nonisolated let log: Logger
    private var owners: [ShardID: ShardOwner] = [:]
    private var placed: [ShardID: ShardOwner.Assignment] = [:]
    private var alive: Set<String> = []
    private var isDraining = false
    private var isStopping = false
    /// COORD has named this run among the living.
    private var wasAlive = false
    /// There is somebody else to own shards.
    private var hasOthers = false
    private var drained: CheckedContinuation<Void, Never>?
    private var lives: [ShardID: Task<Void, Never>] = [:]
    private let rules: RuleRevisions
    private let ruleNews: AsyncStream<Void>
    private let shardNews: AsyncStream<Void>

    init(
        options: WorkerOptions, installation: Installation, logs: any LogStore, snapshots: any SnapshotStore,
        messaging: any Messaging, clock: any WallClock, log: Logger
    ) {
        self.options = options
        self.installation = installation
        var log = log
        log[metadataKey: "worker"] = "\(options.id)"
        self.log = log
        let (news, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        ruleNews = news
        rules = RuleRevisions(logs: logs) { signal.yield() }
        let (shards, shardSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        shardNews = shards
        executors = (0..<options.threads).map { _ in options.makeExecutor() }
        around = ShardOwner.Surroundings(
            worker: options, installation: installation, logs: logs, snapshots: snapshots, messaging: messaging, clock: clock,
            rules: rules, clockWatch: SharedClockWatch(installation.timeMode), log: log,
            shardChanged: { shardSignal.yield() }, recoveryTurns: Turns(options.threads * Limits.recoveriesPerThread))
    }

    func run() async throws {
        try await refuseTwin()
        let registration = try await around.messaging.serve("worker.\(options.id.name).run") { [id = options.id] _ in
            Array(id.instance.utf8)
        }
        defer { registration.close() }
        if options.leavesLastWord { try LastWords(options, around.logs, around.messaging, log).listen() }
        try await persistently { try await self.rules.loadNewest() }
        log.info("worker started", metadata: ["threads": "\(options.threads)"])
        // Not a child: it goes on while this one, cancelled, waits for others to take the shards.
        let work = Task { try await self.work() }
        let failure: (any Error)?
        do {
            try await withTaskCancellationHandler {
                try await work.value
            } onCancel: {
                Task {
                    await self.drain()
                    work.cancel()
                }
            }
            failure = nil
        } catch is CancellationError {
            failure = nil
        } catch {
            failure = error
        }
        await stop()
        if let failure { throw failure }
    }

    /// Two workers of one name would take each other's shards for ever.
    private func refuseTwin() async throws {
        let answer: [UInt8]
        do {
            answer = try await around.messaging.request(
                "worker.\(options.id.name).run", [], timeout: .milliseconds(2 * Limits.heartbeatMilliseconds))
        } catch {
            // Nobody of that name, or one that does not answer: it is frozen or gone.
            return
        }
        let instance = String(decoding: answer, as: UTF8.self)
        guard instance != options.id.instance else { return }
        throw WorkerFault(
            "a worker called '\(options.id.name)' already runs (run \(instance)); names are unique in an installation")
    }

    private func work() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.persistently { try await self.followPlacement() } }
            group.addTask { try await self.persistently { try await self.rules.follow() } }
            group.addTask { try await self.spreadRules() }
            group.addTask { try await self.beat() }
            group.addTask { try await self.tellNews() }
            group.addTask { try await self.watchLogs() }
            if installation.timeMode == .live { group.addTask { try await self.tick() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Does it again, after a moment, for as long as a log cannot be reached.
    private nonisolated func persistently(_ work: @Sendable () async throws -> Void) async throws {
        while true {
            do {
                return try await work()
            } catch let error as LogError where error.code == .unavailable || error.code == .ambiguous {
                log.warning("log not reachable", metadata: ["error": "\(error)"])
                try await around.clock.sleep(until: around.clock.now() + 250)
            }
        }
    }

    /// Tells that it wants to go, and waits until others have its shards. At most for a moment.
    private func drain() async {
        isDraining = true
        tellAlive()
        guard hasShards && hasOthers else { return }
        log.info("worker draining")
        let timeout = Task {
            try await around.clock.sleep(until: around.clock.now() + Limits.stopMilliseconds)
            self.endDraining()
        }
        await withCheckedContinuation { drained = $0 }
        timeout.cancel()
    }

    private var hasShards: Bool { owners.values.contains { [.serving, .releasing].contains($0.status.phase) } }

    private func endDraining() {
        drained?.resume()
        drained = nil
    }

    private func stop() async {
        log.info("worker stopping")
        isStopping = true
        for (_, owner) in inOrder(owners) { await owner.release() }
        for (_, life) in inOrder(lives) { await life.value }
        log.info("worker stopped")
    }

    /// By shard ascending, so that a simulated run is the same each time. A copy: the table may change between two awaits.
    private func inOrder<Value>(_ table: [ShardID: Value]) -> [(ShardID, Value)] {
        table.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    // MARK: Placement

    private func followPlacement() async throws {
        let last = try await around.logs.last(of: .coordinator)
        let reader = try await around.logs.read(.coordinator, from: max(last?.sequence ?? 1, 1))
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 64) {
                let decision = try JSONDecoder().decode(CoordinatorRecord.self, from: Data(record.payload))
                try await apply(decision.placement)
            }
        }
    }

    private func apply(_ placement: PlacementRecord) async throws {
        alive = Set(placement.alive.map(\.description))
        let own = placement.alive.firstIndex(of: options.id)
        if own == nil && wasAlive, let later = placement.alive.first(where: { $0.name == options.id.name }) {
            throw WorkerFault("another worker called '\(options.id.name)' has taken its place (run \(later.instance))")
        }
        wasAlive = wasAlive || own != nil
        hasOthers = placement.owners.contains { $0 != nil && $0 != own } || placement.alive.count > 1 && !isDraining
        placed = [:]
        var others: [ShardID: ShardOwner.Assignment] = [:]
        let trusted = Dictionary(placement.trusted.map { ($0.shard, $0.commit) }) { $1 }
        for id in installation.shards.all {
            let index = placement.owners[Int(id.number)]
            let standbys = Int(id.number) < placement.standbys.count ? placement.standbys[Int(id.number)] : []
            let isStandby = own.map { standbys.contains($0) } ?? false
            let assignment = ShardOwner.Assignment(
                owner: index.map { placement.alive[$0] }, isStandby: isStandby, trustedCommit: trusted[Int(id.number)],
                traps: placement.traps.filter { $0.shard == Int(id.number) && $0.build == options.build })
            if own != nil && index == own || isStandby { placed[id] = assignment } else { others[id] = assignment }
        }
        for (id, owner) in inOrder(owners) {
            if let assignment = placed[id] ?? others[id] { await owner.placed(assignment, alive: alive) }
        }
        for id in placed.keys.sorted() where owners[id] == nil { take(id) }
        if isDraining && !(hasShards && hasOthers) { endDraining() }
    }

    private func take(_ id: ShardID) {
        guard !isStopping, let assignment = placed[id] else { return }
        let owner = ShardOwner(
            id: id, around: around, executor: executors[Int(id.number) % executors.count], assignment: assignment, alive: alive)
        owners[id] = owner
        lives[id] = Task {
            let end = await owner.run()
            await self.ended(id, end)
        }
    }

    /// A shard's owner has ended. Still placed here, it is taken again: at once after a loss, when its turn comes by the
    /// placement of then; after a fault when the fault has had a moment to pass.
    private func ended(_ id: ShardID, _ end: ShardOwner.End) async {
        if case .failed = end, !isStopping {
            try? await around.clock.sleep(until: around.clock.now() + 2 * Milliseconds.second)
        }
        owners[id] = nil
        lives[id] = nil
        take(id)
        if isDraining && !hasShards { endDraining() }
    }

    // MARK: Time

    private func beat() async throws {
        while true {
            tellAlive()
            try await around.clock.sleep(until: around.clock.now() + Limits.heartbeatMilliseconds)
        }
    }

    /// What becomes of a shard is told at once: the coordinator waits for it with the next move.
    private func tellNews() async throws {
        for await _ in shardNews {
            tellAlive()
            try await around.clock.sleep(until: around.clock.now() + Self.tickMilliseconds)
        }
    }

    private func tellAlive() {
        let problem = around.clockWatch.problem
        var shards = owners.values.map(\.status).sorted { $0.shard < $1.shard }
        for index in shards.indices where shards[index].problem == nil { shards[index].problem = problem }
        // With a clock that is off, another may take over what this worker must not commit.
        let heartbeat = WorkerHeartbeat(
            worker: options.id, brain: options.brain, build: options.build, draining: isDraining || problem != nil,
            shards: shards,
            residentBytes: residentBytes())
        do {
            around.messaging.publish("worker.heartbeat", Array(try JSONEncoder().encode(heartbeat)))
        } catch {
            log.error("heartbeat not encodable", metadata: ["error": "\(error)"])
        }
    }

    /// Live mode: how often due wake-ups are looked for.
    private static let tickMilliseconds: Int64 = 20

    private func tick() async throws {
        while true {
            around.clockWatch.look(at: around.clock.now())
            for (_, owner) in inOrder(owners) where owner.status.phase == .serving { await owner.tick() }
            try await around.clock.sleep(until: around.clock.now() + Self.tickMilliseconds)
        }
    }

    /// Asks the logs for their time and their end: those of the shards in turn, for each may have its leader on another host,
    /// and each may have lost what its owner, with nothing to write, would not miss.
    private func watchLogs() async throws {
        var turn = 0
        while true {
            let shards = owners.keys.sorted()
            let owner = shards.isEmpty ? nil : owners[shards[turn % shards.count]]
            let asked = owner.map { LogName.commits($0.id) } ?? .coordinator
            turn += 1
            do {
                let acknowledged = await owner?.acknowledgedCommit ?? 0
                let began = around.clock.now()
                let state = try await around.logs.state(of: asked)
                // A server before 2.10 does not tell its time; it may not be used with replicas, and so is on one host.
                let ended = around.clock.now()
                try await tell(began, state.time ?? ended, ended)
                if state.last < acknowledged { await owner?.doubtEnd(at: state.last) }
            } catch let error as LogError {
                log.warning("the log's time is not known", metadata: ["log": "\(asked)", "error": "\(error)"])
            }
            try await around.clock.sleep(until: around.clock.now() + Limits.clockCheckMilliseconds)
        }
    }

    private func tell(_ began: Instant, _ logTime: Instant, _ ended: Instant) async throws {
        let before = around.clockWatch.problem
        let isRightAgain = around.clockWatch.checked(began: began, logTime: logTime, ended: ended)
        if let problem = around.clockWatch.problem, before == nil {
            log.error("nothing is committed", metadata: ["problem": "\(problem)"])
        }
        guard isRightAgain else { return }
        if before != nil { log.notice("the clock is right again") }
        for owner in owners.values { await owner.tick() }
    }

    private func spreadRules() async throws {
        for await _ in ruleNews {
            try Task.checkCancellation()
            for (_, owner) in inOrder(owners) { await owner.rulesChanged() }
        }
    }

    /// Memory of this process, bytes; 0 when the system does not tell.
    private nonisolated func residentBytes() -> UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ UInt64($0) })
        else { return 0 }
        return pages * UInt64(getpagesize())
    }
}
