internal import Model
internal import Placement
internal import Ports

/// Election and placement together: what one candidate does next. Pure.
struct CoordinatorCore: Sendable {
    enum Input: Sendable {
        case tick
        case coordinatorHeartbeat(CoordinatorHeartbeat)
        case workerHeartbeat(WorkerHeartbeat)
        case lastRead(Result<Election.Known, LogError>)
        case appended(Result<UInt64, LogError>)
        /// A person trusts the logs of shards that wait for another brain, as they end now.
        case trust([TrustedEnd])
        /// A person wants this worker to own nothing, or to own shards again.
        case drain(name: String, isDrained: Bool)
        /// The last word of a worker that ended while it ran a recorded commit again.
        case trapped(ReplayTrap)
    }

    struct Settings: Sendable {
        var standbys = 0
        var membership = Membership.Settings()
    }

    private(set) var election: Election
    private(set) var membership: Membership
    /// The newest heartbeat of each worker that is remembered.
    private(set) var heartbeats: [WorkerID: WorkerHeartbeat] = [:]
    private let shards: Int
    /// Which workers can take which shards over.
    private(set) var constraints = TakeoverConstraints()
    /// What was asked for and does not stand in COORD yet.
    private var trusting: Set<TrustedEnd> = []
    /// What was told and does not stand in COORD yet.
    private var trapped: [ReplayTrap] = []
    private let settings: Settings
    private var moves = MovesUnderWay()
    private var lastElectionTick: Instant?
    /// What was asked for and does not stand in COORD yet.
    private var drains: [String: Bool] = [:]
    /// What the placement of now was made from: it is not made again from the same.
    private var made: (basis: PlacementBasis, from: PlacementRecord)?

    init(name: String, instance: String, shards: Int, now: Instant, settings: Settings = Settings()) {
        election = Election(name: name, instance: instance, shards: shards, now: now)
        membership = Membership(now: now, settings: settings.membership)
        self.shards = shards
        self.settings = settings
    }

    mutating func take(_ input: Input, now: Instant) -> [Election.Action] {
        var actions: [Election.Action] = []
        switch input {
        case .tick:
            membership.advance(to: now)
            actions = tickElection(now: now)
        case .coordinatorHeartbeat(let heartbeat): actions = election.heard(heartbeat, now: now)
        case .workerHeartbeat(let heartbeat): hear(heartbeat, now: now)
        case .lastRead(let result): actions = election.lastRead(result, now: now)
        case .appended(let result): actions = election.appended(result, now: now)
        case .trust(let ends): if election.leadingEpoch != nil { trusting.formUnion(ends) }
        case .drain(let name, let isDrained): if election.leadingEpoch != nil { drains[name] = isDrained }
        case .trapped(let trap): if election.leadingEpoch != nil { trapped.append(trap) }
        }
        for case .lead in actions { membership.assume(election.placement.alive, now: now) }
        if election.leadingEpoch == nil { (drains, trusting, trapped) = ([:], [], []) }
        return actions + place(now: now)
    }

    /// Ticks are closer than heartbeats.
    private mutating func tickElection(now: Instant) -> [Election.Action] {
        if let last = lastElectionTick, now >= last, now - last < Limits.heartbeatMilliseconds { return [] }
        lastElectionTick = now
        return election.tick(now: now)
    }

    private mutating func hear(_ heartbeat: WorkerHeartbeat, now: Instant) {
        guard membership.heard(heartbeat.worker, draining: heartbeat.draining, now: now) else { return }
        heartbeats[heartbeat.worker] = heartbeat
        constraints.hear(heartbeat)
        if heartbeats.count > Limits.workersMax {
            let known = Set(membership.all.map(\.worker))
            heartbeats = heartbeats.filter { known.contains($0.key) }
            constraints.forget(allBut: known)
        }
    }

    private mutating func place(now: Instant) -> [Election.Action] {
        guard election.leadingEpoch != nil, !election.isProposing, var roster = membership.roster else { return [] }
        let before = election.placement
        drains = drains.filter { before.drained.contains($0.key) != $0.value }
        let drained = before.drained.filter { drains[$0] != false } + drains.filter(\.value).keys
        // When the others are gone, a drained worker serves rather than nobody, until one of them is back.
        let willing = roster.placeable.filter { !drained.contains($0.name) }
        if !willing.isEmpty { roster.placeable = willing }
        let moving = moves.underWay(before, alive: roster.alive, heartbeats: heartbeats, now: now)
        let trusted = trusted(before)
        let traps = trapped.reduce(before.traps) { $0.adding($1) }.filter { !constraints.isOver($0) }
        trapped.removeAll { before.traps.adding($0) == before.traps }
        let basis = PlacementBasis(
            roster: roster, standbys: settings.standbys, moving: moving, movesAtOnceMax: Limits.movesAtOnceMax,
            drained: drained.sorted(), trusted: trusted, traps: traps,
            eligible: constraints.eligible(
                roster: roster, previous: before.ownersByShard, trusted: trusted, traps: traps))
        if let made, made.basis == basis, made.from == before { return [] }
        made = (basis, before)
        let placement = before.next(shards: shards, basis: basis)
        guard placement != before else { return [] }
        // A record that is not taken leaves the placement as it was: it is to be made again.
        made = nil
        return election.propose(placement)
    }

    /// What stands in COORD and what is asked for, as long as nobody has taken the shard over with it.
    private mutating func trusted(_ before: PlacementRecord) -> [TrustedEnd] {
        let ends = Set(before.trusted).union(trusting).filter { end in
            // It ended a worker all the same: a person's word costs one worker at most.
            if trapped.contains(where: { $0.shard == end.shard }) { return false }
            return constraints.needs[end.shard].map { $0.commit == end.commit } ?? !isServed(end)
        }
        trusting.subtract(before.trusted)
        trusting.formIntersection(ends)
        return ends.sorted { ($0.shard, $0.commit) < ($1.shard, $1.commit) }
    }

    private func isServed(_ end: TrustedEnd) -> Bool {
        heartbeats.values.contains { heartbeat in
            heartbeat.shards.contains { $0.shard == end.shard && $0.phase == .serving && $0.commit > end.commit }
        }
    }
}
