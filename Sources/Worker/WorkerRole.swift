import Engine
import Foundation
package import Logging
package import Model
package import Ports

/// A worker: owns the shards that the coordinator places on it.
package enum WorkerRole {
    /// Runs until its task is cancelled; then gives its shards up, one after another as each has committed what it has, and
    /// returns. Throws when the logs cannot be reached at the start.
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
actor Worker {
    private let options: WorkerOptions
    private let installation: Installation
    private nonisolated let around: ShardOwner.Surroundings
    private let executors: [any SerialExecutor]
    private nonisolated let log: Logger
    private var owners: [ShardID: ShardOwner] = [:]
    private var placed: [ShardID: ShardOwner.Assignment] = [:]
    private var alive: Set<String> = []
    private var isStopping = false
    private var lives: [ShardID: Task<Void, Never>] = [:]
    private let rules: RuleRevisions
    private let ruleNews: AsyncStream<Void>

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
        executors = (0..<options.threads).map { _ in options.makeExecutor() }
        around = ShardOwner.Surroundings(
            worker: options, installation: installation, logs: logs, snapshots: snapshots, messaging: messaging, clock: clock,
            rules: rules, log: log)
    }

    func run() async throws {
        if options.leavesLastWord { try LastWords.listen(as: options.id.description, logs: around.logs, log: log) }
        try await persistently { try await self.rules.loadNewest() }
        log.info("worker started", metadata: ["threads": "\(options.threads)"])
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.persistently { try await self.followPlacement() } }
                group.addTask { try await self.persistently { try await self.rules.follow() } }
                group.addTask { try await self.spreadRules() }
                group.addTask { try await self.beat() }
                if installation.timeMode == .live { group.addTask { try await self.tick() } }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            log.info("worker stopping")
        }
        await stop()
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

    private func stop() async {
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
                guard decision.version == CoordinatorRecord.currentVersion else {
                    throw WorkerFault(
                        "COORD record \(record.sequence) has version \(decision.version), "
                            + "known is \(CoordinatorRecord.currentVersion)"
                    )
                }
                await apply(decision.placement)
            }
        }
    }

    private func apply(_ placement: PlacementRecord) async {
        alive = Set(placement.alive.map(\.description))
        let own = placement.alive.firstIndex(of: options.id)
        var others: [ShardID: ShardOwner.Assignment] = [:]
        placed = [:]
        for id in installation.shards.all {
            let index = placement.owners[Int(id.number)]
            let owner = index.map { placement.alive[$0] }
            let assignment = ShardOwner.Assignment(owner: owner, isStandby: false)
            if own != nil && index == own { placed[id] = assignment } else { others[id] = assignment }
        }
        for (id, owner) in inOrder(owners) {
            if let assignment = placed[id] ?? others[id] { await owner.placed(assignment, alive: alive) }
        }
        for id in placed.keys.sorted() where owners[id] == nil { take(id) }
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
    }

    // MARK: Time

    private func beat() async throws {
        while true {
            let heartbeat = WorkerHeartbeat(
                worker: options.id, draining: false, shards: owners.values.map(\.status).sorted { $0.shard < $1.shard },
                residentBytes: residentBytes())
            around.messaging.publish("worker.heartbeat", Array(try JSONEncoder().encode(heartbeat)))
            try await around.clock.sleep(until: around.clock.now() + Limits.heartbeatMilliseconds)
        }
    }

    /// Live mode: how often due wake-ups are looked for.
    private static let tickMilliseconds: Int64 = 20

    private func tick() async throws {
        while true {
            for (_, owner) in inOrder(owners) where owner.status.phase == .serving { await owner.tick() }
            try await around.clock.sleep(until: around.clock.now() + Self.tickMilliseconds)
        }
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
