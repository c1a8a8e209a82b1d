internal import Logging
internal import Model
internal import Ports

/// What the leading coordinator sees to now and then: a snapshot of the sums when the logs have grown, and that CONFIG and
/// COORD do not grow for ever. Two that both believe to lead do no harm: a snapshot more, and nothing is trimmed that is
/// needed.
struct Upkeep: Sendable {
    let snapshots: SumsSnapshots
    let database: SumsDatabase
    let path: String
    let progress: SumsProgress
    let shards: ShardMap
    /// Bytes of any shard's LOG after which the sums want a snapshot at the latest.
    let snapshotEveryBytes: Int
    let isLeading: @Sendable () -> Bool

    /// Until the task is cancelled. What fails is said and tried again.
    func run() async throws {
        let log = snapshots.log
        var everyBytes: Int?
        var upkeeps = 0
        while true {
            try await snapshots.clock.sleep(until: snapshots.clock.now() + Limits.upkeepMilliseconds)
            guard isLeading() else { continue }
            do {
                if everyBytes == nil { everyBytes = try await bound() }
                if progress.mostBytesFolded >= everyBytes ?? .max {
                    let folded = progress.bytesFolded
                    try await snapshots.write(database, beside: path)
                    progress.snapshotTaken(of: folded)
                }
                upkeeps += 1
                guard upkeeps % Limits.upkeepsPerTrimming == 1 else { continue }
                let trimming = Trimming(logs: snapshots.logs, snapshots: snapshots.store)
                _ = try await trimming.trimConfiguration(shards)
                try await trimming.trimCoordinator()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                log.warning("the sums' snapshot or trimming failed, to be tried again", metadata: ["error": "\(error)"])
            }
        }
    }

    private func bound() async throws -> Int {
        var least = UInt64(Limits.snapshotLogBytesUnbounded)
        for shard in shards.all {
            guard let bound = try await snapshots.logs.state(of: .commits(shard)).bytesMax else { continue }
            least = min(least, bound)
        }
        return min(Int(clamping: least) / Limits.snapshotLogFraction, snapshotEveryBytes)
    }
}
