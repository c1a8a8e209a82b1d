package import Model

/// Which workers can take a shard over, as far as heartbeats show. Pure.
///
/// What a brain decided only the same brain can run again. So a shard that was not given up at a release point goes to a
/// worker with the brain of its last commit:
///
///     nothing known --its owner serves it--> served by a brain: when the owner has gone, its like come first
///     any --the worker that was to take it cannot--> needed: only that brain can take it
///     needed --somebody serves it--> served by a brain
///     needed --a person trusts its log--> anybody can take it, once
///
/// What it does not know it leaves to the worker, which looks at the log and tells.
package struct TakeoverConstraints: Equatable, Sendable {
    /// A shard that only one brain's workers can take over.
    package struct Need: Equatable, Sendable {
        package var brain: UInt32
        /// The last commit of its log.
        package var commit: UInt64
    }

    private var brains: [WorkerID: UInt32] = [:]
    private var builds: [WorkerID: String] = [:]
    /// By shard number, the commit of the snapshot of whoever serves it.
    private var snapshots: [Int: UInt64] = [:]
    private var served: [Int: UInt32] = [:]
    /// By shard number.
    package private(set) var needs: [Int: Need] = [:]

    package init() {}

    package func brain(of worker: WorkerID) -> UInt32? { brains[worker] }

    package mutating func hear(_ heartbeat: WorkerHeartbeat) {
        brains[heartbeat.worker] = heartbeat.brain
        builds[heartbeat.worker] = heartbeat.build
        for shard in heartbeat.shards {
            if let brain = shard.neededBrain {
                guard needs[shard.shard].map({ $0.commit <= shard.commit }) ?? true else { continue }
                needs[shard.shard] = Need(brain: brain, commit: shard.commit)
            } else if shard.phase == .serving || shard.phase == .releasing {
                served[shard.shard] = heartbeat.brain
                if let commit = shard.snapshotCommit {
                    snapshots[shard.shard] = max(commit, snapshots[shard.shard] ?? 0)
                }
                if let need = needs[shard.shard], shard.commit > need.commit { needs[shard.shard] = nil }
            }
        }
    }

    /// Workers that are not known any more.
    package mutating func forget(allBut workers: Set<WorkerID>) {
        brains = brains.filter { workers.contains($0.key) }
        builds = builds.filter { workers.contains($0.key) }
    }

    /// Nobody needs to run that commit again: a snapshot stands behind it.
    package func isOver(_ trap: ReplayTrap) -> Bool { snapshots[trap.shard].map { $0 >= trap.commit } ?? false }

    /// Who alone may be given a shard, by shard number; everybody may be given those that are missing.
    ///
    /// - Parameters:
    ///   - previous: by shard, who owned it.
    ///   - trusted: shards whose log a person trusts.
    ///   - traps: what keeps builds from shards. Who owns one now and lives has nothing to run again, and keeps it.
    package func eligible(
        roster: Roster, previous: [WorkerID?], trusted: [TrustedEnd], traps: [ReplayTrap] = []
    ) -> [Int: Set<WorkerID>] {
        var eligible: [Int: Set<WorkerID>] = [:]
        let alive = Set(roster.alive)
        for (shard, owner) in previous.enumerated() {
            if let need = needs[shard] {
                if trusted.contains(TrustedEnd(shard: shard, commit: need.commit)) { continue }
                eligible[shard] = workers(of: need.brain, roster)
            } else if let brain = served[shard], owner.map({ !alive.contains($0) }) ?? true {
                let alike = workers(of: brain, roster)
                if !alike.isEmpty { eligible[shard] = alike }
            }
        }
        for trap in traps where trap.refuses && !trusted.contains(where: { $0.shard == trap.shard }) {
            var owner = previous.indices.contains(trap.shard) ? previous[trap.shard] : nil
            // One that has just said its last word is still believed to live.
            if trap.workers.contains(owner?.description ?? "") { owner = nil }
            let allowed = eligible[trap.shard] ?? Set(roster.placeable)
            eligible[trap.shard] = allowed.filter { builds[$0] != trap.build || $0 == owner }
        }
        return eligible.filter { $0.value.count < roster.placeable.count }
    }

    private func workers(of brain: UInt32, _ roster: Roster) -> Set<WorkerID> {
        Set(roster.placeable.filter { brains[$0] == brain })
    }

    /// Whether nobody who may own shards is of another build than those that this keeps away.
    package func keepsAll(_ trap: ReplayTrap, _ roster: Roster) -> Bool {
        roster.placeable.allSatisfy { builds[$0] == trap.build }
    }

    /// For people: every shard that nobody can take over now, and what to do.
    package func problems(roster: Roster, trusted: [TrustedEnd]) -> [String] {
        needs.sorted { $0.key < $1.key }.compactMap { shard, need in
            if trusted.contains(TrustedEnd(shard: shard, commit: need.commit)) || !workers(of: need.brain, roster).isEmpty {
                return nil
            }
            return "shard \(shard) waits for a worker with brain \(need.brain), which decided its last commit, \(need.commit): "
                + "start one, or take what is recorded as the truth with `reprise recover --trust-log \(shard)`"
        }
    }
}
