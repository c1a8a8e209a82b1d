import Model
import Ports

/// The clock of an event-time installation: records that stand in every shard's input.
struct EventClock: Sendable {
    let shards: ShardMap
    let logs: any LogStore

    /// Tells every shard that it is `instant`; every event before it must have been acknowledged. Returns the records'
    /// sequences by shard. Told again within two minutes, nothing is written twice.
    func advance(to instant: Instant) async throws -> [UInt64] {
        let payload = InputMessage.clock(instant).encoded()
        let id = "clock-\(instant.milliseconds)"
        return try await withThrowingTaskGroup(of: (Int, UInt64).self) { group in
            for shard in shards.all {
                group.addTask { (Int(shard.number), try await append(payload, id: id, to: .input(shard))) }
            }
            var sequences = [UInt64](repeating: 0, count: shards.shards)
            for try await (shard, sequence) in group { sequences[shard] = sequence }
            return sequences
        }
    }

    /// Tries again where the answer is lost or the log is away: the id makes that harmless.
    private func append(_ payload: [UInt8], id: String, to log: LogName) async throws -> UInt64 {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await logs.append(to: log, payload, id: id)
            } catch {
                guard error.code == .ambiguous || error.code == .unavailable, ContinuousClock.now < deadline else {
                    throw CommandError("the clock record was not written to \(log): \(error)")
                }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
