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
    }

    private(set) var election: Election
    private(set) var membership: Membership
    /// The newest heartbeat of each worker that is remembered.
    private(set) var heartbeats: [WorkerID: WorkerHeartbeat] = [:]
    private let shards: Int

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
        }
        for case .lead in actions { membership.assume(election.placement.alive, now: now) }
        return actions + place()
    }

    private mutating func hear(_ heartbeat: WorkerHeartbeat, now: Instant) {
        guard membership.heard(heartbeat.worker, draining: heartbeat.draining, now: now) else { return }
        heartbeats[heartbeat.worker] = heartbeat
        if heartbeats.count > Limits.workersMax {
            let known = Set(membership.all.map(\.worker))
            heartbeats = heartbeats.filter { known.contains($0.key) }
        }
    }

    private mutating func place() -> [Election.Action] {
        guard election.leadingEpoch != nil, !election.isProposing, let roster = membership.roster else { return [] }
        let placement = election.placement.next(shards: shards, roster: roster)
        return placement == election.placement ? [] : election.propose(placement)
    }
}
