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
        /// A person wants this worker to own nothing, or to own shards again.
        case drain(name: String, isDrained: Bool)
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
        case .drain(let name, let isDrained): if election.leadingEpoch != nil { drains[name] = isDrained }
        }
        for case .lead in actions { membership.assume(election.placement.alive, now: now) }
        if election.leadingEpoch == nil { drains = [:] }
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
        if heartbeats.count > Limits.workersMax {
            let known = Set(membership.all.map(\.worker))
            heartbeats = heartbeats.filter { known.contains($0.key) }
        }
    }

    private mutating func place(now: Instant) -> [Election.Action] {
        guard election.leadingEpoch != nil, !election.isProposing, var roster = membership.roster else { return [] }
        let before = election.placement
        drains = drains.filter { before.drained.contains($0.key) != $0.value }
        let drained = before.drained.filter { drains[$0] != false } + drains.filter(\.value).keys
        roster.placeable.removeAll { drained.contains($0.name) }
        let moving = moves.underWay(before, alive: roster.alive, heartbeats: heartbeats, now: now)
        let basis = PlacementBasis(
            roster: roster, standbys: settings.standbys, moving: moving, movesAtOnceMax: Limits.movesAtOnceMax,
            drained: drained.sorted())
        if let made, made.basis == basis, made.from == before { return [] }
        made = (basis, before)
        let placement = before.next(shards: shards, basis: basis)
        guard placement != before else { return [] }
        // A record that is not taken leaves the placement as it was: it is to be made again.
        made = nil
        return election.propose(placement)
    }
}
