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
///     (unknown) --heard--> alive --silent--> suspect --silent for the time-out--> dead --heard--> alive
///     any --another run of its name is heard--> replaced
///
/// It decides liveness only; a worker that is wrongly believed dead does no harm, because the logs fence it (I2).
package struct Membership: Sendable {
    package enum State: String, Sendable {
        case alive
        /// Not heard for a while; nothing follows from it.
        case suspect
        /// Its shards go to others. It lives again when it is heard again.
        case dead
        /// A later run of its name has been heard: this one has ended, or has no business to go on.
        case replaced
    }

    package struct Settings: Sendable {
        package var deadAfterMilliseconds: Int64
        /// With no placement before: how long after the first worker others are waited for.
        package var gatheringMilliseconds: Int64

        package init(
            deadAfterMilliseconds: Int64 = Limits.workerTimeoutMilliseconds, gatheringMilliseconds: Int64 = Milliseconds.second
        ) {
            self.deadAfterMilliseconds = deadAfterMilliseconds
            self.gatheringMilliseconds = gatheringMilliseconds
        }

        var suspectAfterMilliseconds: Int64 { deadAfterMilliseconds / 2 }
    }

    package struct Member: Equatable, Sendable {
        package var worker: WorkerID
        package var state: State
        package var isDraining: Bool
        package var lastHeard: Instant

        package var isLiving: Bool { state == .alive || state == .suspect }
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

    /// Runs that were replaced and are heard all the same: two workers have one name.
    package var twins: [WorkerID] {
        all.filter { $0.state == .replaced && now - $0.lastHeard < settings.deadAfterMilliseconds }.map(\.worker)
    }

    /// Goes on from an earlier placement: whoever it names counts as heard now, and gets the whole time-out.
    package mutating func assume(_ workers: [WorkerID], now: Instant) {
        advance(to: now)
        guard !workers.isEmpty else { return }
        gathering = nil
        let names = Set(members.values.filter(\.isLiving).map(\.worker.name))
        for worker in workers where !names.contains(worker.name) {
            members[worker] = Member(
                worker: worker, state: .alive, isDraining: members[worker]?.isDraining ?? false, lastHeard: now)
        }
    }

    /// Takes a heartbeat in. False when it does not count: its name has a later run, or there are more workers than
    /// ``Limits/workersMax`` and this one is not known.
    @discardableResult
    package mutating func heard(_ worker: WorkerID, draining: Bool, now: Instant) -> Bool {
        // Nobody was heard, now somebody is: the others get the time to be heard too.
        if isDeaf(at: now) { hearEverybody(at: now) }
        advance(to: now)
        if members[worker]?.state == .replaced {
            // Its twin has gone: then this one it is.
            let hasTwin = members.values.contains { $0.worker.name == worker.name && $0.isLiving }
            if hasTwin {
                members[worker]?.lastHeard = now
                return false
            }
        }
        if members[worker] == nil && members.count >= Limits.workersMax && !forgetOldestDead() { return false }
        // What was heard of a run before is known not to be heard again: it must not look like a twin.
        for other in members.values where other.worker.name == worker.name && other.worker != worker {
            members[other.worker]?.state = .replaced
            members[other.worker]?.lastHeard = min(other.lastHeard, now + -settings.deadAfterMilliseconds)
        }
        members[worker] = Member(worker: worker, state: .alive, isDraining: draining, lastHeard: now)
        if case .forTheFirst = gathering { gathering = .until(now + settings.gatheringMilliseconds) }
        return true
    }

    /// Lets time pass. Call it several times within ``Settings/suspectAfterMilliseconds``: after a longer pause, or a clock
    /// that jumped, it was the caller who heard nothing, and everybody gets the time-out anew.
    package mutating func advance(to instant: Instant) {
        let pause = instant - now
        if pause < 0 || pause >= settings.suspectAfterMilliseconds { hearEverybody(at: instant) }
        now = instant
        if case .until(let end) = gathering, now >= end || end - now > settings.gatheringMilliseconds { gathering = nil }
        let deadAfter =
            isDeaf(at: now)
            ? max(settings.deadAfterMilliseconds, Limits.allSilentMilliseconds) : settings.deadAfterMilliseconds
        for (worker, member) in members where member.isLiving {
            let silence = now - member.lastHeard
            members[worker]?.state =
                silence >= deadAfter ? .dead : silence >= settings.suspectAfterMilliseconds ? .suspect : .alive
        }
    }

    /// Of several workers none is heard: rather the net than all of them.
    private func isDeaf(at instant: Instant) -> Bool {
        let living = members.values.filter(\.isLiving)
        guard living.count > 1, let last = living.map(\.lastHeard).max() else { return false }
        return instant - last >= settings.suspectAfterMilliseconds
    }

    private mutating func hearEverybody(at instant: Instant) {
        for (worker, member) in members where member.isLiving { members[worker]?.lastHeard = instant }
    }

    /// Who lives as of the last `advance`; nil while the first workers of an installation are being gathered.
    package var roster: Roster? {
        guard gathering == nil else { return nil }
        let living = all.filter(\.isLiving)
        return Roster(alive: living.map(\.worker), placeable: living.filter { !$0.isDraining }.map(\.worker))
    }

    private mutating func forgetOldestDead() -> Bool {
        let gone = members.values.filter { !$0.isLiving }
        guard let oldest = gone.min(by: { ($0.lastHeard, $0.worker) < ($1.lastHeard, $1.worker) }) else { return false }
        members.removeValue(forKey: oldest.worker)
        return true
    }
}
