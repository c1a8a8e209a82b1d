import Foundation
import Model
import Ports

/// Waits until shards have come so far, whoever owns them meanwhile.
struct ShardProgress: Sendable {
    /// A shard that stands still so long is a fault.
    static let patience = Duration.seconds(120)

    let messaging: any Messaging

    /// Returns when each shard (by number) has committed the input of that sequence and has no open action.
    func reached(_ sequences: [UInt64]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (shard, sequence) in sequences.enumerated() {
                group.addTask { try await reached(sequence, shard: shard) }
            }
            try await group.waitForAll()
        }
    }

    private func reached(_ sequence: UInt64, shard: Int) async throws {
        let wanted = AwaitRequest(inputSequence: sequence, withoutOpenActions: true, timeoutMilliseconds: 4000)
        let request = Array(try JSONEncoder().encode(wanted))
        let deadline = ContinuousClock.now + Self.patience
        var last = "nobody owns it"
        while ContinuousClock.now < deadline {
            do {
                let answer = try await messaging.request("shard.\(shard).await", request, timeout: .seconds(5))
                let status = try JSONDecoder().decode(ShardStatus.self, from: Data(answer))
                if status.inputApplied >= sequence, status.openActions == 0 { return }
                last = "\(status.phase.rawValue), input \(status.inputApplied) of \(sequence), \(status.openActions) actions open"
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
