import Foundation
import Model
import Ports

/// What the coordinator says of workers and shards, waited for.
struct MovingCluster: Sendable {
    let messaging: any Messaging
    let patience: Duration

    func status() async throws -> ClusterStatus {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                let answer = try await messaging.request("coordinator.status", [], timeout: .seconds(2))
                return try JSONDecoder().decode(ClusterStatus.self, from: Data(answer))
            } catch let error as RequestError {
                guard ContinuousClock.now < deadline else { throw LoadError("no coordinator answers: \(error)") }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Waits until so many workers own an even share each, every shard is served by whom the placement names, and every
    /// standby has caught up.
    @discardableResult
    func settled(owners: Int) async throws -> ClusterStatus {
        let deadline = ContinuousClock.now + patience
        // Of each shard, when all else was as it should be.
        var reached: [Int: UInt64]?
        while true {
            let status = try await status()
            if isSettled(status, owners: owners) {
                let commits = reached ?? newestCommits(status)
                if status.workers.filter(\.alive).allSatisfy({ $0.shards.allSatisfy { $0.commit >= commits[$0.shard] ?? 0 } }) {
                    return status
                }
                reached = commits
            }
            guard ContinuousClock.now < deadline else {
                throw LoadError("the shards of \(owners) workers have not come to rest within \(patience)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func newestCommits(_ status: ClusterStatus) -> [Int: UInt64] {
        let shards = status.workers.filter(\.alive).flatMap(\.shards)
        return Dictionary(shards.map { ($0.shard, $0.commit) }, uniquingKeysWith: max)
    }

    private func isSettled(_ status: ClusterStatus, owners: Int) -> Bool {
        let placement = status.placement
        var loads: [Int: Int] = [:]
        for owner in placement.owners { if let owner { loads[owner, default: 0] += 1 } }
        guard loads.count == owners, (loads.values.max() ?? 0) - (loads.values.min() ?? 0) <= 1 else { return false }
        var phases: [WorkerID: [Int: ShardPhase]] = [:]
        for worker in status.workers where worker.alive {
            phases[worker.id] = Dictionary(worker.shards.map { ($0.shard, $0.phase) }) { first, _ in first }
        }
        func phase(_ shard: Int, _ index: Int) -> ShardPhase? { phases[placement.alive[index]]?[shard] }
        for (shard, owner) in placement.owners.enumerated() {
            guard let owner, phase(shard, owner) == .serving else { return false }
        }
        for (shard, standbys) in placement.standbys.enumerated() {
            guard standbys.allSatisfy({ phase(shard, $0) == .following }) else { return false }
        }
        return true
    }
}
