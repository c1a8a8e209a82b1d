internal import Logging
internal import Model
internal import Ports

/// What the leading coordinator sees to now and then: a snapshot of the sums when the logs have grown, or when a LOG is nearly
/// full and it is the sums that hold it; and that CONFIG and COORD do not grow for ever. Two that both believe to lead do no
/// harm: a snapshot more, and nothing is trimmed that is needed.
///
/// A shard whose LOG is full commits nothing that would make a snapshot of the sums due, and a trimmed log wants two of them:
///
///     held --the newest snapshot lacks what the shard's own two contain--> a snapshot now
///     held --only the older one lacks it, and there is a commit more (the owner's spacer)--> a snapshot now
///     both contain it: the sums hold nothing, the shard's owner trims
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
                let isHolding = try await holdsFullLog(upkeeps)
                if isHolding || progress.mostBytesFolded >= everyBytes ?? .max {
                    let folded = progress.bytesFolded
                    try await snapshots.write(database, beside: path)
                    progress.snapshotTaken(of: folded)
                }
                upkeeps += 1
                guard upkeeps % Limits.upkeepsPerTrimming == 1 else { continue }
                let trimming = Trimming(logs: snapshots.logs, snapshots: snapshots.store)
                _ = try await trimming.trimConfiguration(shards)
                try await Trimming.trimCoordinator(snapshots.logs)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                log.warning("the sums' snapshot or trimming failed, to be tried again", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Whether one of the shards whose turn it is has a LOG that is nearly full, and the sums hold it.
    private func holdsFullLog(_ upkeeps: Int) async throws -> Bool {
        let atOnce = min(Limits.logsLookedAtPerUpkeep, shards.shards)
        for offset in 0..<atOnce {
            let index = (upkeeps * atOnce + offset) % shards.shards
            let shard = ShardID(index: index)
            let state: LogState
            do { state = try await snapshots.logs.state(of: .commits(shard)) } catch {
                snapshots.log.info("a commit log cannot be asked", metadata: ["shard": "\(shard)", "error": "\(error)"])
                continue
            }
            guard state.bytes >= CommitRoom(bound: state.bytesMax).opensAt else { continue }
            let contained = progress.contained(of: 0..<shards.shards)
            let trimming = Trimming(logs: snapshots.logs, snapshots: snapshots.store)
            if try await trimming.sumsHold(
                shard, contained: contained[index] ?? 0, commits: contained.values.reduce(0, +))
            {
                snapshots.log.notice("LOG is nearly full, the sums get a snapshot now", metadata: ["shard": "\(shard)"])
                return true
            }
        }
        return false
    }

    private func bound() async throws -> Int {
        var least = UInt64(Limits.snapshotLogBytesUnbounded)
        for shard in shards.all {
            guard let bound = try await snapshots.logs.state(of: .commits(shard)).bytesMax else { continue }
            least = min(least, CommitRoom(bound: bound).closesAt)
        }
        return min(Int(clamping: least) / Limits.snapshotLogFraction, snapshotEveryBytes)
    }
}
