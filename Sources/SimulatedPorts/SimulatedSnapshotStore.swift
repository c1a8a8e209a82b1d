internal import Model
package import Ports
internal import Synchronization

/// Snapshots in memory. Safe to call from any thread.
package final class SimulatedSnapshotStore: SnapshotStore {
    private struct Kept {
        var snapshot: Snapshot
        var isDamaged: Bool
    }

    private struct State {
        var kept: [SnapshotSubject: [Kept]] = [:]
        var faults: SimulatedFaults
        var random: SplitMix
        var isAvailable = true
        var tearNext = false
        var damageNext = false
    }

    private let state: Mutex<State>

    package init(faults: SimulatedFaults = .none) {
        state = Mutex(State(faults: faults, random: SplitMix(seed: faults.seed)))
    }

    package func put(_ snapshot: Snapshot, of subject: SnapshotSubject) async throws(LogError) {
        let problem: LogError? = state.withLock { state in
            guard state.isAvailable else { return LogError(.unavailable, "\(subject): simulated") }
            let torn = state.tearNext || state.random.chance(perMille: state.faults.tornSnapshots)
            state.tearNext = false
            if torn { return LogError(.ambiguous, "\(subject): torn, simulated") }
            let damaged = state.damageNext || state.random.chance(perMille: state.faults.damagedSnapshots)
            state.damageNext = false
            var kept = state.kept[subject] ?? []
            kept.removeAll { $0.snapshot.commit == snapshot.commit }
            kept.append(Kept(snapshot: snapshot, isDamaged: damaged))
            kept.sort { $0.snapshot.commit < $1.snapshot.commit }
            if kept.count > Limits.snapshotsKept { kept.removeFirst(kept.count - Limits.snapshotsKept) }
            state.kept[subject] = kept
            return nil
        }
        if let problem { throw problem }
    }

    package func newest(
        of subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> Snapshot? {
        let (isAvailable, candidates) = state.withLock { state in
            (state.isAvailable, (state.kept[subject] ?? []).filter { $0.snapshot.commit <= atMost })
        }
        guard isAvailable else { throw LogError(.unavailable, "\(subject): simulated") }
        for candidate in candidates.reversed() {
            guard candidate.isDamaged else { return candidate.snapshot }
            report("\(subject): the snapshot at commit \(candidate.snapshot.commit) is damaged")
        }
        return nil
    }
}

// MARK: What tests say
extension SimulatedSnapshotStore {
    /// The next `put` fails before its manifest: nothing is seen of it.
    package func tearNext() { state.withLock { $0.tearNext = true } }

    /// The next `put` succeeds, and its snapshot is found damaged.
    package func damageNext() { state.withLock { $0.damageNext = true } }

    package func setAvailable(_ isAvailable: Bool) { state.withLock { $0.isAvailable = isAvailable } }

    /// No snapshot is left: who needs one begins with the log's first commit.
    package func forgetAll() { state.withLock { $0.kept = [:] } }

    /// The commits of which there are snapshots, ascending.
    package func commits(of subject: SnapshotSubject) -> [UInt64] {
        state.withLock { ($0.kept[subject] ?? []).map(\.snapshot.commit) }
    }
}
