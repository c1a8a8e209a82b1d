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

    init(name: String, instance: String, shards: Int, now: Instant, settings: Membership.Settings = .init()) {
        election = Election(name: name, instance: instance, shards: shards, now: now)
        membership = Membership(now: now, settings: settings)
        self.shards = shards
    }

    mutating func take(_ input: Input, now: Instant) -> [Election.Action] {
        var actions: [Election.Action] = []
        switch input {
        case .tick:
            membership.advance(to: now)
            actions = election.tick(now: now)
        case .coordinatorHeartbeat(let heartbeat): actions = election.heard(heartbeat, now: now)
        case .workerHeartbeat(let heartbeat): hear(heartbeat, now: now)
        case .lastRead(let result): actions = election.lastRead(result, now: now)
        case .appended(let result): actions = election.appended(result, now: now)
        case .trust(let ends): trusting.formUnion(ends)
        }
        for case .lead in actions { membership.assume(election.placement.alive, now: now) }
        return actions + place()
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

    private mutating func place() -> [Election.Action] {
        guard election.leadingEpoch != nil, !election.isProposing, let roster = membership.roster else { return [] }
        let before = election.placement
        trusting.subtract(before.trusted)
        // Who was trusted and is served by now is so no more.
        let trusted = Set(before.trusted).union(trusting).filter { end in
            constraints.needs[end.shard].map { $0.commit == end.commit } ?? !isServed(end)
        }
        trusting.formIntersection(trusted)
        let ends = trusted.sorted { ($0.shard, $0.commit) < ($1.shard, $1.commit) }
        let eligible = constraints.eligible(roster: roster, previous: before.ownersByShard, trusted: ends)
        let placement = before.next(shards: shards, roster: roster, eligible: eligible, trusted: ends)
        return placement == election.placement ? [] : election.propose(placement)
    }

    private func isServed(_ end: TrustedEnd) -> Bool {
        heartbeats.values.contains { heartbeat in
            heartbeat.shards.contains { $0.shard == end.shard && $0.phase == .serving && $0.commit > end.commit }
        }
    }
}
