import Foundation
import Model
import Ports

/// Waits until shards have come so far, whoever owns them meanwhile.
struct ShardProgress: Sendable {
    /// A shard that stands still so long is a fault.
    static let patience = Duration.seconds(120)

    let messaging: any Messaging

    /// Returns when each shard (by number) has committed the input of that sequence and has no open action: the numbers
    /// of their last commits then.
    @discardableResult
    func reached(_ sequences: [UInt64]) async throws -> [Int: UInt64] {
        try await withThrowingTaskGroup(of: (Int, UInt64).self) { group in
            for (shard, sequence) in sequences.enumerated() {
                group.addTask { (shard, try await reached(sequence, shard: shard)) }
            }
            var commits: [Int: UInt64] = [:]
            for try await (shard, commit) in group { commits[shard] = commit }
            return commits
        }
    }

    /// Returns when every shard has committed all of its input and no message between shards is on its way: what one shard
    /// tells another stands in the other's input, so that one has to be waited for again until nothing is added.
    func settled(_ shards: ShardMap, logs: any LogStore) async throws {
        var before: [UInt64] = []
        while true {
            let now = try await lastInputs(shards, logs)
            if now == before { return }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (shard, sequence) in now.enumerated() {
                    group.addTask { _ = try await reached(sequence, shard: shard, withoutOpenActions: false) }
                }
                try await group.waitForAll()
            }
            before = now
        }
    }

    private func lastInputs(_ shards: ShardMap, _ logs: any LogStore) async throws -> [UInt64] {
        try await withThrowingTaskGroup(of: (Int, UInt64).self) { group in
            for shard in shards.all {
                group.addTask { (Int(shard.number), try await logs.state(of: .input(shard)).last) }
            }
            var last = [UInt64](repeating: 0, count: shards.shards)
            for try await (shard, sequence) in group { last[shard] = sequence }
            return last
        }
    }

    private func reached(_ sequence: UInt64, shard: Int, withoutOpenActions: Bool = true) async throws -> UInt64 {
        let wanted = AwaitRequest(
            inputSequence: sequence, withoutOpenActions: withoutOpenActions, timeoutMilliseconds: 4000)
        let request = Array(try JSONEncoder().encode(wanted))
        let deadline = ContinuousClock.now + Self.patience
        var last = "nobody owns it"
        while ContinuousClock.now < deadline {
            do {
                let answer = try await messaging.request("shard.\(shard).await", request, timeout: .seconds(5))
                let status = try JSONDecoder().decode(ShardStatus.self, from: Data(answer))
                if status.inputApplied >= sequence, status.messagesWaiting == 0, !withoutOpenActions || status.openActions == 0 {
                    return status.commit
                }
                last =
                    "\(status.phase.rawValue), input \(status.inputApplied) of \(sequence), \(status.openActions) actions open, "
                    + "\(status.messagesWaiting) messages to other shards"
                if let problem = status.problem { last += ", \(problem)" }
            } catch let error as RequestError {
                // A shard that is moving has no owner to answer, for a moment.
                last = error.description
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandError("shard \(shard) did not come to the end of the day within \(Self.patience): \(last)")
    }
}
