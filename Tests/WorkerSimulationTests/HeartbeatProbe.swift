import Foundation
import Model
import Synchronization

/// Listens to heartbeats for a shard that a worker reports as failed.
final class HeartbeatProbe: Sendable {
    private let stream: AsyncStream<WorkerHeartbeat>
    private let continuation: AsyncStream<WorkerHeartbeat>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: WorkerHeartbeat.self) }

    func take(_ payload: [UInt8]) {
        if let heartbeat = try? JSONDecoder().decode(WorkerHeartbeat.self, from: Data(payload)) { continuation.yield(heartbeat) }
    }

    /// Returns when this worker has said that of its shards.
    func waitUntil(_ worker: WorkerID, _ holds: ([ShardStatus]) -> Bool) async {
        for await heartbeat in stream where heartbeat.worker == worker && holds(heartbeat.shards) { return }
    }

    /// The first problem that this worker reports of a shard.
    func problem(of worker: WorkerID) async -> String {
        for await heartbeat in stream where heartbeat.worker == worker {
            if let problem = heartbeat.shards.lazy.compactMap(\.problem).first { return problem }
        }
        return ""
    }
}
