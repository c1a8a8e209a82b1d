import Model
import Ports
import SimulatedPorts
import Synchronization
import Workload

@testable import Worker

/// Stands for the coordinator: folds each LOG as it grows, and keeps snapshots of how far it is. While it rests it holds the
/// logs as they are.
final class Accountant: Sendable {
    private struct State {
        var fold = AnswerFold()
        var positions: [UInt64]
        var clocks: [Instant]
    }

    private let installation: SimulatedInstallation
    private let state: Mutex<State>

    init(_ installation: SimulatedInstallation) {
        self.installation = installation
        let shards = installation.installation.shards.shards
        state = Mutex(
            State(positions: Array(repeating: 0, count: shards), clocks: Array(repeating: .distantPast, count: shards)))
    }

    /// Folds every shard's log until each has come to this clock; then returns the answers. Throws when a log begins behind
    /// what was folded: something was trimmed that was needed.
    func fold(until closing: Instant) async throws -> AnswerFold {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in installation.installation.shards.all {
                group.addTask { try await self.fold(shard, until: closing) }
            }
            try await group.waitForAll()
        }
        return state.withLock { $0.fold }
    }

    private func fold(_ shard: ShardID, until closing: Instant) async throws {
        let index = Int(shard.number)
        let reader = try await installation.logs.read(.commits(shard), from: state.withLock { $0.positions[index] } + 1)
        defer { reader.close() }
        while state.withLock({ $0.clocks[index] }) < closing {
            for record in try await reader.next(max: 4) {
                let commit = try Commit.decoded(record.payload).commit
                try state.withLock { state in
                    try state.fold.add(record.payload)
                    state.positions[index] = record.sequence
                    state.clocks[index] = commit.steps.last?.clock ?? state.clocks[index]
                }
            }
            await save()
        }
    }

    private func save() async {
        let positions = state.withLock { $0.positions }
        let head = SnapshotHead(
            commit: positions.reduce(0, +), commitHash: 0, format: 1, time: .distantPast,
            needs: positions.enumerated().map { LogNeed(.commits(ShardID(index: $0)), from: max($1, 1)) })
        // One that is torn or refused holds the logs a little longer.
        _ = try? await installation.snapshots.put([[1]], head, of: .coordinator)
    }
}
