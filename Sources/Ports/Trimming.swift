package import Model

/// Deletes what no kept snapshot needs. Whoever calls it, and how often, does no harm: the bounds come out of the snapshot
/// store alone, and only grow.
package struct Trimming: Sendable {
    private let logs: any LogStore
    private let snapshots: any SnapshotStore

    package init(logs: any LogStore, snapshots: any SnapshotStore) {
        self.logs = logs
        self.snapshots = snapshots
    }

    /// How far each log of a shard was trimmed; nil = nothing could be.
    package struct Outcome: Equatable, Sendable {
        package var inputBelow: UInt64?
        package var commitsBelow: UInt64?
        /// Whoever has too few snapshots, so that LOG stays as it is.
        package var waitingFor: SnapshotSubject?
    }

    /// Trims IN and LOG of a shard. The commit that a kept snapshot stands at is kept too, so neither log is ever emptied.
    package func trim(_ shard: ShardID) async throws(LogError) -> Outcome {
        var outcome = Outcome()
        let kept = try await snapshots.kept(of: .shard(shard))
        guard try await stand(kept, in: .commits(shard)) else {
            outcome.waitingFor = .shard(shard)
            return outcome
        }
        let histories = try await histories()
        if var below = SnapshotManifest.floor(of: .input(shard), kept: kept) {
            below = min(below, try await held(.input(shard), by: histories) ?? .max)
            try await logs.trim(.input(shard), below: below)
            outcome.inputBelow = below
        }
        guard var below = SnapshotManifest.floor(of: .commits(shard), kept: kept) else {
            outcome.waitingFor = .shard(shard)
            return outcome
        }
        for reader in SnapshotSubject.readersOfCommits {
            let kept = try await snapshots.kept(of: reader)
            guard let needed = SnapshotManifest.floor(of: .commits(shard), kept: kept) else {
                outcome.waitingFor = reader
                return outcome
            }
            below = min(below, needed)
        }
        below = min(below, try await held(.commits(shard), by: histories) ?? .max)
        try await logs.trim(.commits(shard), below: below)
        outcome.commitsBelow = below
        return outcome
    }

    /// What the registered copies of the history still need.
    private func histories() async throws(LogError) -> [SnapshotHead] {
        var heads: [SnapshotHead] = []
        for copy in 0..<Limits.historyCopiesMax {
            if let newest = try await snapshots.kept(of: .history(copy)).first { heads.append(newest.head) }
        }
        return heads
    }

    /// From where the history still reads a log; nil = nothing of it is held. History waits for nobody and nobody for it: a
    /// log that is filled to ``Limits/historyHoldsPercentMax`` is not held, however long a copy has been away.
    private func held(_ log: LogName, by histories: [SnapshotHead]) async throws(LogError) -> UInt64? {
        guard let from = histories.compactMap({ $0.need(of: log) }).min() else { return nil }
        let state = try await logs.state(of: log)
        let bound = state.bytesMax ?? UInt64(Limits.snapshotLogBytesUnbounded * Limits.snapshotLogFraction)
        return state.bytes < bound / 100 * Limits.historyHoldsPercentMax ? from : nil
    }

    /// Whether the commits of these snapshots are in the log: one that was made ahead of its commit, which never came, is
    /// nothing to fall back on.
    private func stand(_ kept: [SnapshotManifest], in log: LogName) async throws(LogError) -> Bool {
        for manifest in kept.prefix(Limits.snapshotsKept) {
            guard let record = try await logs.record(manifest.head.commit, of: log),
                let commit = try? Commit.decoded(record.payload), commit.hash == manifest.head.commitHash
            else { return false }
        }
        return true
    }

    /// Trims CONFIG: every revision stays that a kept snapshot stands under or that a commit names which is still there.
    /// Returns below what; nil = CONFIG is empty.
    package func trimConfiguration(_ shards: ShardMap) async throws(LogError) -> UInt64? {
        var below = UInt64.max
        for shard in shards.all {
            let kept = try await snapshots.kept(of: .shard(shard))
            // Without enough snapshots the shard's log is still there from its beginning, and says by itself what it needs.
            let needed = SnapshotManifest.floor(of: .configuration, kept: kept)
            below = min(below, needed ?? .max, try await oldestRevision(of: shard) ?? .max)
        }
        guard let last = try await logs.last(of: .configuration) else { return nil }
        below = min(below, last.sequence)
        try await logs.trim(.configuration, below: below)
        return below
    }

    /// Of the first commit that is still there and has a step; revisions only grow from commit to commit. Nil when none is
    /// found among the first few: then a snapshot stands behind them.
    private func oldestRevision(of shard: ShardID) async throws(LogError) -> UInt64? {
        let first = try await logs.state(of: .commits(shard)).first
        for number in first..<first + 16 {
            guard let record = try await logs.record(number, of: .commits(shard)) else { return nil }
            do throws(FormatError) {
                if let step = try Commit.decoded(record.payload).commit.steps.first { return step.configuration }
            } catch {
                // A commit that cannot be read says nothing of what it needs: everything stays.
                return 1
            }
        }
        return 1
    }

    /// Keeps the newest records of COORD, at most a share of its bound; its readers need only the last. Anybody may do it,
    /// also who does not lead.
    package static func trimCoordinator(_ logs: any LogStore) async throws(LogError) {
        let state = try await logs.state(of: .coordinator)
        let held = state.last + 1 - state.first
        guard held > 1 else { return }
        var kept = min(held, Limits.coordinatorRecordsKept)
        if let bound = state.bytesMax {
            let share = bound / 100 * Limits.coordinatorFillPercentMax
            if state.bytes > share { kept = min(kept, max(share / max(state.bytes / held, 1), 1)) }
        }
        guard kept < held else { return }
        try await logs.trim(.coordinator, below: state.last - kept + 1)
    }

    /// Whether it is the sums that hold a shard's LOG: a snapshot of them, written now, lets more of it go than the kept ones
    /// do, and nothing else of what the shard needs stands in the way.
    ///
    /// - Parameters:
    ///   - contained: the shard's commits that are in the sums now.
    ///   - commits: all commits that are in the sums now. A snapshot of as many as the newest has would take its place and
    ///     leave one of two.
    package func sumsHold(_ shard: ShardID, contained: UInt64, commits: UInt64) async throws(LogError) -> Bool {
        let log = LogName.commits(shard)
        guard let own = SnapshotManifest.floor(of: log, kept: try await snapshots.kept(of: .shard(shard))) else { return false }
        let kept = try await snapshots.kept(of: .coordinator)
        guard kept.first?.head.commit ?? 0 < commits else { return false }
        return SnapshotManifest.floor(of: log, kept: kept) ?? 0 < own && contained >= own
    }
}
