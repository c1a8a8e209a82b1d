package import Model

/// Who lives, and who of them may own shards.
package struct Roster: Equatable, Sendable {
    /// Ascending.
    package var alive: [WorkerID]
    /// Those of `alive` that are not draining, ascending.
    package var placeable: [WorkerID]

    package init(alive: [WorkerID], placeable: [WorkerID]) {
        self.alive = alive
        self.placeable = placeable
    }
}

/// Which workers live, as far as their heartbeats show. Pure: it is told the time.
///
/// It decides liveness only; a worker that is wrongly believed dead does no harm, because the logs fence it (I2).
package struct Membership: Sendable {
    package enum State: String, Sendable {
        case alive
        /// Not heard for a while; nothing follows from it.
        case suspect
        /// Its shards go to others. It lives again when it is heard again.
        case dead
    }

    package struct Settings: Sendable {
        package var suspectAfterMilliseconds: Int64
        package var deadAfterMilliseconds: Int64
        /// With no placement before: how long after the first worker others are waited for.
        package var gatheringMilliseconds: Int64

        package init(
            suspectAfterMilliseconds: Int64 = 3 * Limits.heartbeatMilliseconds,
            deadAfterMilliseconds: Int64 = Limits.heartbeatTimeoutMilliseconds,
            gatheringMilliseconds: Int64 = Milliseconds.second
        ) {
            self.suspectAfterMilliseconds = suspectAfterMilliseconds
            self.deadAfterMilliseconds = deadAfterMilliseconds
            self.gatheringMilliseconds = gatheringMilliseconds
        }
    }

    package struct Member: Equatable, Sendable {
        package var worker: WorkerID
        package var state: State
        package var isDraining: Bool
        package var lastHeard: Instant
    }

    package let settings: Settings
    private var members: [WorkerID: Member] = [:]
    private var now: Instant
    /// Nil = everybody who is heard counts at once.
    private var gathering: Gathering?

    private enum Gathering {
        case forTheFirst
        case until(Instant)
    }

    package init(now: Instant, settings: Settings = Settings()) {
        self.now = now
        self.settings = settings
        gathering = .forTheFirst
    }

    /// Everybody of whom something is known, ascending.
    package var all: [Member] { members.values.sorted { $0.worker < $1.worker } }

    /// Goes on from an earlier placement: whoever it names counts as heard now, and gets the whole time-out.
    package mutating func assume(_ workers: [WorkerID], now: Instant) {
        advance(to: now)
        guard !workers.isEmpty else { return }
        gathering = nil
        for worker in workers where members[worker]?.state != .alive {
            members[worker] = Member(
                worker: worker, state: .alive, isDraining: members[worker]?.isDraining ?? false, lastHeard: now)
        }
    }

    /// Takes a heartbeat in. False when there are more workers than ``Limits/workersMax`` and this one is not known.
    @discardableResult
    package mutating func heard(_ worker: WorkerID, draining: Bool, now: Instant) -> Bool {
        advance(to: now)
        if members[worker] == nil && members.count >= Limits.workersMax && !forgetOldestDead() { return false }
        members[worker] = Member(worker: worker, state: .alive, isDraining: draining, lastHeard: now)
        if case .forTheFirst = gathering { gathering = .until(now + settings.gatheringMilliseconds) }
        return true
    }

    /// Lets time pass. Call it at least every ``Settings/suspectAfterMilliseconds``: after a longer pause, or a clock that
    /// jumped, it was the caller who heard nothing, and everybody gets the time-out anew.
    package mutating func advance(to instant: Instant) {
        let pause = instant - now
        if pause < 0 || pause >= settings.suspectAfterMilliseconds {
            for (worker, member) in members where member.state != .dead {
                members[worker]?.lastHeard = instant
            }
        }
        now = instant
        if case .until(let end) = gathering, now >= end || end - now > settings.gatheringMilliseconds { gathering = nil }
        for (worker, member) in members where member.state != .dead {
            let silence = now - member.lastHeard
            members[worker]?.state =
                silence >= settings.deadAfterMilliseconds
                ? .dead : silence >= settings.suspectAfterMilliseconds ? .suspect : .alive
        }
    }

    /// Who lives as of the last `advance`; nil while the first workers of an installation are being gathered.
    package var roster: Roster? {
        guard gathering == nil else { return nil }
        let living = all.filter { $0.state != .dead }
        return Roster(alive: living.map(\.worker), placeable: living.filter { !$0.isDraining }.map(\.worker))
    }

    private mutating func forgetOldestDead() -> Bool {
        let dead = members.values.filter { $0.state == .dead }
        guard let oldest = dead.min(by: { ($0.lastHeard, $0.worker) < ($1.lastHeard, $1.worker) }) else { return false }
        members.removeValue(forKey: oldest.worker)
        return true
    }
}
