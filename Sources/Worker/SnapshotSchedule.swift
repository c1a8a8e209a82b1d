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

    let bounds: Tail
    private(set) var tail = Tail()
    private var begun: Tail?
    private var notBefore = Instant.distantPast

    /// What a log adds to each record's bytes, more or less.
    static let recordBytes = 64

    /// - Parameters:
    ///   - shardsPerThread: whose tails are replayed one after the other.
    ///   - inputBytesMax: bound of IN; nil = it has none. Also of LOG.
    init(shardsPerThread: Int, inputBytesMax: UInt64?, commitBytesMax: UInt64?, atMostBytes: Int = .max) {
        func fraction(_ bytesMax: UInt64?) -> Int {
            min(
                Int(clamping: bytesMax ?? UInt64(Limits.snapshotLogBytesUnbounded)) / Limits.snapshotLogFraction, atMostBytes)
        }
        // On average a tail is half as long as the longest.
        let nanoseconds = 2 * Limits.replayMillisecondsMax * 1_000_000
        bounds = Tail(
            work: UInt64(max(nanoseconds / Limits.replayNanoseconds / Int64(max(shardsPerThread, 1)), 1)),
            inputBytes: fraction(inputBytesMax), commitBytes: fraction(commitBytesMax))
    }

    mutating func add(_ tail: Tail) { self.tail = self.tail + tail }

    func isDue(now: Instant) -> Bool {
        begun == nil && now >= notBefore
            && (tail.work >= bounds.work || tail.inputBytes >= bounds.inputBytes || tail.commitBytes >= bounds.commitBytes)
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
