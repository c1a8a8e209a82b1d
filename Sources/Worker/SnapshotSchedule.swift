import Model
import Ports

/// When a shard's next snapshot is due, and whether it is an increment. Pure.
///
///     waiting --due--> begun --written--> waiting
///                      begun --failed--> waiting, not before a moment has passed
///
/// Due: replaying what came since would take too long, or the logs would fill before the snapshots let them be trimmed.
struct SnapshotSchedule: Equatable, Sendable {
    /// What has come since the last snapshot.
    struct Tail: Equatable, Sendable {
        /// Events and wake-ups.
        var work: UInt64 = 0
        var inputBytes = 0
        var commitBytes = 0

        static func + (left: Tail, right: Tail) -> Tail {
            Tail(
                work: left.work + right.work, inputBytes: left.inputBytes + right.inputBytes,
                commitBytes: left.commitBytes + right.commitBytes)
        }
    }

    private let inputBytesMax: Int
    private let commitBytesMax: Int
    /// How long the longest tail may take to replay.
    private let nanosecondsMax: Int64
    private(set) var tail = Tail()
    private var begun: Tail?
    private var notBefore = Instant.distantPast

    /// What a log adds to each record's bytes, more or less.
    static let recordBytes = 64

    /// - Parameters:
    ///   - shardsPerThread: whose tails are replayed one after the other.
    ///   - inputBytesMax: bound of IN; nil = it has none. Also of LOG.
    ///   - phase: 256ths of the first interval that count as over, others for each shard: under even load all shards would
    ///     become due at once, and their tails be longest at once.
    init(
        shardsPerThread: Int, inputBytesMax: UInt64?, commitBytesMax: UInt64?, atMostBytes: Int = .max, phase: UInt8 = 0
    ) {
        func fraction(_ bytesMax: UInt64?) -> Int {
            min(
                Int(clamping: bytesMax ?? UInt64(Limits.snapshotLogBytesUnbounded)) / Limits.snapshotLogFraction, atMostBytes)
        }
        // On average a tail is half as long as the longest.
        nanosecondsMax = 2 * Limits.replayMillisecondsMax * 1_000_000 / Int64(max(shardsPerThread, 1))
        self.inputBytesMax = fraction(inputBytesMax)
        self.commitBytesMax = fraction(commitBytesMax)
        tail.work = UInt64(nanosecondsMax / Limits.replayNanosecondsMin) * UInt64(phase) / 256
    }

    mutating func add(_ tail: Tail) { self.tail = self.tail + tail }

    /// - Parameter nanoseconds: what an event or wake-up takes.
    func isDue(now: Instant, nanoseconds: Int64) -> Bool {
        begun == nil && now >= notBefore
            && (tail.work >= UInt64(max(nanosecondsMax / nanoseconds, 1)) || tail.inputBytes >= inputBytesMax
                || tail.commitBytes >= commitBytesMax)
    }

    /// A snapshot is captured: what came until now it will contain.
    mutating func begin() {
        begun = tail
        tail = Tail()
    }

    mutating func end(written: Bool, now: Instant) {
        guard let captured = begun else { return }
        begun = nil
        guard !written else { return }
        tail = tail + captured
        notBefore = now + Limits.snapshotRetryMilliseconds
    }

    /// Whether the next one upon `manifest` is written whole: it has none to stand upon, or too many already, or the
    /// increments would take too large a share of what a whole one takes. An increment saves writing; each costs reading.
    static func isWhole(_ estimate: (increment: Int, whole: Int), upon manifest: SnapshotManifest?) -> Bool {
        guard let manifest, manifest.parts.count <= Limits.snapshotIncrementsMax else { return true }
        return (estimate.increment + manifest.incrementBytes) * 100 > estimate.whole * Limits.snapshotIncrementsPercentMax
    }
}
