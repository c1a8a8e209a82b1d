/// Workers of one build that ended while they ran a recorded commit of a shard again. Stands in COORD, for they have no
/// epoch under which they could say it in the shard's own log.
///
/// At ``Limits/replayTrapsMax`` of them the shard is refused: that build does not run that commit again. It is needed no more
/// when a snapshot stands behind the commit.
package struct ReplayTrap: Codable, Hashable, Sendable {
    package var shard: Int
    /// Number of the recorded commit.
    package var commit: UInt64
    /// ``WorkerHeartbeat/build``.
    package var build: String
    /// What they were at; nil = between two events.
    package var place: Place?
    /// Runs of workers, ascending; as many as refuse.
    package var workers: [String]

    package init(shard: Int, commit: UInt64, build: String, place: Place?, workers: [String]) {
        self.shard = shard
        self.commit = commit
        self.build = build
        self.place = place
        self.workers = workers
    }

    package var refuses: Bool { workers.count >= Limits.replayTrapsMax }

    /// For people.
    package var description: String {
        "running commit \(commit) of shard \(shard) again ended \(workers.joined(separator: ", "))"
            + " of build \(build) at \(place?.description ?? "no event")"
    }

    /// For people: what is wrong, and what to do.
    package var problem: String {
        description + ": workers of that build leave the shard alone; start workers of a mended build, or leave the event out "
            + "and take what is recorded as the truth with `reprise recover --trust-log \(shard)`"
    }
}

/// Request to `coordinator.trapped`, the last word of a worker: what it ended at. Answered, with any bytes, when it stands in
/// COORD.
package struct ReplayTrapReport: Codable, Equatable, Sendable {
    package private(set) var version = MessageVersion()
    /// Of this one worker.
    package var trap: ReplayTrap

    package init(trap: ReplayTrap) { self.trap = trap }
}

extension [ReplayTrap] {
    /// With one more word: the workers of one place together, by shard, build and commit ascending. Of each shard the
    /// newest commits are kept.
    package func adding(_ trap: ReplayTrap) -> [ReplayTrap] {
        var traps = self
        if let known = traps.firstIndex(where: { ($0.shard, $0.commit, $0.build) == (trap.shard, trap.commit, trap.build) }) {
            guard !traps[known].refuses else { return traps }
            traps[known].workers = Set(traps[known].workers + trap.workers).sorted()
            traps[known].place = trap.place ?? traps[known].place
        } else {
            traps.append(trap)
        }
        traps.sort { ($0.shard, $0.commit, $0.build) < ($1.shard, $1.commit, $1.build) }
        let own = traps.indices.filter { traps[$0].shard == trap.shard }
        if own.count > Limits.replayTrapsKeptMax, let oldest = own.first { traps.remove(at: oldest) }
        return traps
    }

    /// What keeps workers of this build from the shard.
    package func refused(_ shard: Int, _ build: String) -> [ReplayTrap] {
        filter { $0.shard == shard && $0.build == build && $0.refuses }
    }
}
