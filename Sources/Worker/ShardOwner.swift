import Engine
import Foundation
import Logging
import Model
import Ports
import Synchronization

/// Owns one shard for as long as the placement says so: waits for its turn, recovers, fences, serves, releases.
///
///     waiting --released, or the owner before is dead--> recovering --caught up, fence acknowledged--> serving
///     serving --placed elsewhere--> releasing --everything acknowledged--> ended (released)
///     serving --a higher epoch in the log--> ended (lost)
///     any --a fault--> ended (failed)
///
/// Runs on its shard's executor: a step, and all customers it touches, without a hop.
final actor ShardOwner {
    enum End: Equatable, Sendable {
        case released
        case lost(String)
        case failed(String)
    }

    struct Surroundings: Sendable {
        let worker: WorkerOptions
        let installation: Installation
        let logs: any LogStore
        let snapshots: any SnapshotStore
        let messaging: any Messaging
        let clock: any WallClock
        let rules: RuleRevisions
        let log: Logger
    }

    nonisolated let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    nonisolated let id: ShardID
    nonisolated let around: Surroundings
    nonisolated let log: Logger
    /// What heartbeats show; written by the owner, read from anywhere.
    nonisolated let shown: Mutex<ShardStatus>

    var phase = ShardPhase.waiting
    var alive: Set<String>
    var shard: Shard?
    var chain: CommitChain?
    var inputs = InputQueue()
    /// Steps that the next commit will carry.
    var steps: [Step] = []
    var stepBytes = 0
    /// A release of the owner before was read.
    var sawNews = false
    var isSettling = false
    var isPumpScheduled = false
    var bytesSinceSnapshot = 0
    var wantsSnapshot = false
    var isReleasing = false
    var end: End?
    /// Who waits for something that a change of state may bring.
    var waiters: [UUID: Waiter] = [:]

    struct Waiter {
        let isMet: (isolated ShardOwner) -> Bool
        let resume: @Sendable () -> Void
    }

    init(id: ShardID, around: Surroundings, executor: ThreadExecutor, alive: Set<String>) {
        self.id = id
        self.around = around
        self.executor = executor
        self.alive = alive
        var log = around.log
        log[metadataKey: "shard"] = "\(id)"
        self.log = log
        shown = Mutex(ShardStatus(shard: Int(id.number), phase: .waiting))
    }

    nonisolated var status: ShardStatus { shown.withLock { $0 } }

    /// The whole life; returns how it ended. Cancelling the task releases the shard.
    func run() async -> End {
        do {
            try await recoverAndServe()
        } catch is CancellationError {
            finish(.released)
        } catch {
            finish(.failed("\(error)"))
        }
        return end ?? .failed("ended without a reason")
    }

    private func recoverAndServe() async throws {
        let last = try await waitForTurn()
        enter(.recovering)
        let recovery = Recovery(
            id: id, installation: around.installation, logs: around.logs, snapshots: around.snapshots, rules: around.rules,
            executor: executor, log: log)
        let result = try await recovery.run(upTo: last)
        guard end == nil else { return }
        shard = result.shard
        chain = CommitChain(shard: id, owner: around.worker.id.description, after: result.last)
        guard try await fence() else { return finish(.lost("another worker fenced first")) }
        enter(.serving)
        try await serve()
    }

    /// Appends the fence and waits for its acknowledgement: from then on whoever owned the shard before is refused.
    private func fence() async throws -> Bool {
        let before = around.clock.now()
        commit(.fence, [])
        await wait { $0.chain?.waiting.isEmpty ?? true || $0.end != nil }
        guard end == nil, let chain else { return false }
        guard around.installation.timeMode == .live else { return true }
        let record = try await around.logs.record(chain.acknowledged, of: .commits(id))
        let after = around.clock.now()
        if let record,
            record.time - after > Limits.clockDriftMillisecondsMax || before - record.time > Limits.clockDriftMillisecondsMax
        {
            throw WorkerFault(
                "this host's clock differs from the log's by \(record.time - after) ms, "
                    + "allowed are \(Limits.clockDriftMillisecondsMax)"
            )
        }
        return true
    }

    /// Serves until told to release, fenced off, or failed.
    private func serve() async throws {
        let registrations = try await register()
        defer { for registration in registrations { registration.close() } }
        let feeding = Task { await self.feed() }
        defer { feeding.cancel() }
        await withTaskCancellationHandler {
            await wait { $0.end != nil || $0.isReleasing }
        } onCancel: {
            Task { await self.release() }
        }
        if end == nil { try await handOver() }
    }

    /// Gives the shard up in order: a snapshot, what is left, and the word that it is free.
    private func handOver() async throws {
        enter(.releasing)
        await wait { $0.end != nil || ($0.chain?.waiting.isEmpty ?? true) && !$0.isSettling }
        guard end == nil else { return }
        if let snapshot = snapshot() { await put(snapshot) }
        commit(.released, [])
        await wait { $0.end != nil || ($0.chain?.waiting.isEmpty ?? true) && !$0.isSettling }
        if end == nil { finish(.released) }
    }

    /// The placement has changed: who lives, and that this worker is still meant to own the shard.
    func placementChanged(alive: Set<String>) {
        self.alive = alive
        check()
    }

    /// Give the shard up; a shard that is not served yet is just let go.
    func release() {
        isReleasing = true
        if phase == .waiting || phase == .recovering { finish(.released) }
        check()
    }

    func enter(_ phase: ShardPhase) {
        self.phase = phase
        check()
    }

    func finish(_ end: End) {
        guard self.end == nil else { return }
        self.end = end
        switch end {
        case .failed(let problem):
            phase = .failed
            log.error("shard failed", metadata: ["problem": "\(problem)"])
            shown.withLock { $0.problem = problem }
        case .lost(let owner): log.notice("shard lost", metadata: ["to": "\(owner)"])
        case .released: log.info("shard released")
        }
        check()
    }

    // MARK: Waiting for conditions

    /// Returns when the condition holds; it is looked at after every change of state.
    func wait(_ isMet: @escaping (isolated ShardOwner) -> Bool) async {
        if isMet(self) { return }
        await withCheckedContinuation { continuation in
            waiters[UUID()] = Waiter(isMet: isMet) { continuation.resume() }
        }
    }

    /// Shows the state and resumes whoever waited for it.
    func check() {
        show()
        for (key, waiter) in waiters where waiter.isMet(self) {
            waiters[key] = nil
            waiter.resume()
        }
    }

    private func show() {
        shown.withLock { status in
            status.phase = phase
            guard let shard, let chain else { return }
            status.epoch = chain.epoch
            status.commit = chain.acknowledged
            status.inputApplied = chain.waiting.first.map { min($0.completedInput, shard.completedInput) } ?? shard.completedInput
            status.inputLast = max(inputs.lastSequence, shard.inputSequence)
            status.clockMilliseconds = shard.clock.milliseconds
            status.customers = shard.customers
            status.openActions = shard.openActions
            status.events = shard.eventsApplied
            status.setAside = shard.setAside
            status.replayed = shard.replayed
        }
    }
}
