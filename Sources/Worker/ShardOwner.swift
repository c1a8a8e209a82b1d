import Engine
import Logging
import Model
import Ports
import Synchronization

/// A shard at a worker that the placement names for it, as its owner or as a standby: follows, fences, serves, releases.
///
///     following --owner, and the shard is free--> fencing      (ShardFollowing)
///     fencing --the fence is acknowledged--> serving           (ShardFollowing)
///     fencing --another's commit has its place--> following
///     serving --placed elsewhere, the successor has nearly all--> releasing   (ShardServing, ShardRelease)
///     releasing --everything acknowledged--> ended (released)
///     following --no longer named--> ended (released), nothing is written
///     serving --a higher epoch in the log--> ended (lost)
///     any --a fault--> ended (failed)
///
/// Who is named, who lives and who is ready say only when to try. Runs on its shard's executor: a step, and all customers
/// it touches, without a hop.
final actor ShardOwner {
    enum End: Equatable, Sendable {
        case released
        case lost(String)
        case failed(String)
    }

    /// What the placement wants.
    struct Assignment: Equatable, Sendable {
        /// Who is to own the shard; nil = nobody can.
        var owner: WorkerID?
        /// This worker is to follow all the time.
        var isStandby: Bool
        /// A commit up to which the log may be taken as the truth, whatever brain decided it; nil = none.
        var trustedCommit: UInt64?
        /// What workers of this build ended at when they ran it again.
        var traps: [ReplayTrap] = []
    }

    struct Surroundings: Sendable {
        let worker: WorkerOptions
        let installation: Installation
        let logs: any LogStore
        let snapshots: any SnapshotStore
        let messaging: any Messaging
        let clock: any WallClock
        let rules: RuleRevisions
        let clockWatch: SharedClockWatch
        let log: Logger
        /// A shard is served now, or has ended.
        let shardChanged: @Sendable () -> Void
        let snapshotTurns = Turns(Limits.snapshotsAtOnce)
        let recoveryTurns: Turns
        let replayRate = SharedReplayRate()
    }

    nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    nonisolated let id: ShardID
    nonisolated let around: Surroundings
    nonisolated let log: Logger
    /// What heartbeats show; written by the owner, read from anywhere.
    nonisolated let shown: Mutex<ShardStatus>

    var phase = ShardPhase.recovering
    var assignment: Assignment
    /// Who is believed to live, as they stand in commits.
    var alive: Set<String>
    let follower: Follower
    /// It has run what the log held when it was looked at.
    var isCaughtUp = false
    /// A fence is on its way: whatever is wanted, it is known first what became of it.
    var isFencing = false
    /// Nobody serves the shard, although its owner is believed to live, as long as this is the last commit.
    var absentAt: UInt64?
    /// The log's last commit when it was last looked at.
    var lastRead: ReadCommit?
    var shard: Shard?
    var chain: CommitChain?
    var inputs = InputQueue()
    var sending = MessageSending()
    /// Reads IN on behind `inputs`; nil = to be opened.
    var inputReader: (any LogReader)?
    /// Steps that the next commit will carry.
    var steps: [Step] = []
    var stepBytes = 0
    var isSettling = false
    var isPumpScheduled = false
    var snapshotting = Snapshotting()
    /// Whether LOG has room for steps; whether it refused a commit, or a fence, as full.
    var commitRoom = CommitRoomWatch()
    var isRefusedAsFull = false
    /// The last commit that was made here and is no spacer.
    var lastOwnCommit: UInt64 = 0
    /// For people, while nothing is applied for want of room.
    var fullProblem: String?
    /// Of IN: when it was last asked and what was read since, at most what it holds of what was read; and what it takes.
    var inputBytes: UInt64 = 0
    var inputBound = UInt64.max
    /// How far steps had come in IN when its room was last looked at: record, and events of it.
    var inputAtLook: (UInt64, UInt32) = (0, 0)
    /// Who takes the shard over, and how far that one is.
    var handOver: HandOver?
    /// Its brain, when it is known.
    var successorBrain: UInt32?
    /// To be given up at once, ready successor or not.
    var isForced = false
    /// No more steps.
    var isReleasing = false
    var end: End?
    /// Who waits for something that a change of state may bring, in the order in which they came.
    var waiters: [Waiter] = []

    struct Waiter {
        let isMet: (isolated ShardOwner) -> Bool
        let resume: @Sendable () -> Void
    }

    init(
        id: ShardID, around: Surroundings, executor: any SerialExecutor, assignment: Assignment, alive: Set<String>
    ) {
        self.id = id
        self.around = around
        self.executor = executor
        self.assignment = assignment
        self.alive = alive
        var log = around.log
        log[metadataKey: "shard"] = "\(id)"
        self.log = log
        follower = Follower(
            Recovery(
                id: id, installation: around.installation, logs: around.logs, snapshots: around.snapshots, rules: around.rules,
                executor: executor, brain: around.worker.brain, clock: around.clock, log: log))
        follower.refused = assignment.traps.filter(\.refuses)
        shown = Mutex(ShardStatus(shard: Int(id.number), phase: .recovering))
    }

    nonisolated var status: ShardStatus { shown.withLock { $0 } }
    var me: String { around.worker.id.description }
    var isMeantToOwn: Bool { assignment.owner == around.worker.id && !isForced }

    /// The whole life; returns how it ended.
    func run() async -> End {
        do {
            try await live()
        } catch is CancellationError {
            finish(.released)
        } catch {
            finish(.failed("\(error)"))
        }
        follower.end()
        return end ?? .failed("ended without a reason")
    }

    private func live() async throws {
        while end == nil {
            await follow()
            guard end == nil else { return }
            guard around.clockWatch.mayCommit(at: around.clock.now()) else {
                await pause(Limits.heartbeatMilliseconds)
                continue
            }
            let keeping = Task { await self.keepRoom() }
            defer { keeping.cancel() }
            if try await fence() { return try await serve() }
        }
    }

    /// The placement has changed: who lives, who is to own the shard, whether this worker stands by.
    func placed(_ assignment: Assignment, alive: Set<String>) {
        self.assignment = assignment
        self.alive = alive
        follower.refused = assignment.traps.filter(\.refuses)
        letGoUnlessNamed()
        check()
    }

    /// Give the shard up now, whoever is ready.
    func release() {
        isForced = true
        letGoUnlessNamed()
        check()
    }

    /// What is not owned is just let go.
    func letGoUnlessNamed() {
        guard !isMeantToOwn, !assignment.isStandby || isForced, !isFencing else { return }
        if phase == .recovering || phase == .following { finish(.released) }
    }

    func enter(_ phase: ShardPhase) {
        self.phase = phase
        check()
        if phase == .serving { around.shardChanged() }
    }

    func finish(_ end: End) {
        guard self.end == nil else { return }
        self.end = end
        follower.close()
        switch end {
        case .failed(let problem):
            phase = .failed
            log.error("shard failed", metadata: ["problem": "\(problem)"])
            shown.withLock { $0.problem = problem }
        case .lost(let owner): log.notice("shard lost", metadata: ["to": "\(owner)"])
        case .released: log.info("shard let go")
        }
        check()
    }

    // MARK: Waiting for conditions

    /// Returns when the condition holds; it is looked at after every change of state.
    func wait(_ isMet: @escaping (isolated ShardOwner) -> Bool) async {
        if isMet(self) { return }
        await withCheckedContinuation { continuation in
            waiters.append(Waiter(isMet: isMet) { continuation.resume() })
        }
    }

    /// Shows the state and resumes whoever waited for it.
    func check() {
        show()
        var unmet: [Waiter] = []
        for waiter in waiters {
            if waiter.isMet(self) { waiter.resume() } else { unmet.append(waiter) }
        }
        waiters = unmet
    }

    private func show() {
        let needed = neededBrain
        shown.withLock { status in
            status.phase = phase
            if end == nil { status.problem = problem }
            status.neededBrain = needed
            if let shard, let chain {
                status.epoch = chain.epoch
                status.commit = chain.acknowledged
                status.inputApplied =
                    chain.waiting.first.map { min($0.completedInput, shard.completedInput) } ?? shard.completedInput
                status.inputLast = max(inputs.lastSequence, shard.inputSequence)
                status.show(shard)
            } else if let shard = follower.shard {
                status.epoch = follower.standing.end.epoch
                status.commit = follower.standing.end.number
                status.inputApplied = shard.completedInput
                status.inputLast = max(follower.inputs.lastSequence, shard.inputSequence)
                status.show(shard)
            } else {
                status.epoch = follower.standing.end.epoch
                status.commit = follower.standing.end.number
            }
        }
    }
}

extension ShardStatus {
    fileprivate mutating func show(_ shard: Shard) {
        clockMilliseconds = shard.clock.milliseconds
        customers = shard.customers
        openActions = shard.openActions
        messagesWaiting = shard.messagesWaiting
        events = shard.eventsApplied
        setAside = shard.setAside
        replayed = shard.replayed
    }
}
