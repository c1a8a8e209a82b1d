import Model
import Synchronization

/// What an event or wake-up costs here: measured while they run for the first time, as running them again costs about the
/// same. Pure: told the work and its time, both of whole steps.
///
/// The clock counts milliseconds and a step takes fewer; over many steps what is cut off and what is added come out even.
struct ReplayRate: Equatable, Sendable {
    private var work: UInt64 = 0
    private var milliseconds: Int64 = 0

    /// - Parameter milliseconds: those of a clock that was set meanwhile are left out.
    mutating func add(work: UInt64, milliseconds: Int64) {
        guard (0...Milliseconds.second).contains(milliseconds) else { return }
        self.work += work
        self.milliseconds += milliseconds
        // What is older counts ever less.
        guard self.work >= 2 * Limits.replayMeasuredMin else { return }
        self.work /= 2
        self.milliseconds /= 2
    }

    /// Of one event or wake-up, within the bounds; the least until enough was measured.
    var nanoseconds: Int64 {
        guard work >= Limits.replayMeasuredMin else { return Limits.replayNanosecondsMin }
        let measured = milliseconds * 1_000_000 / Int64(work)
        return min(max(measured, Limits.replayNanosecondsMin), Limits.replayNanosecondsMax)
    }
}

/// The rate of a worker, over all of its shards. Safe to use from any thread.
final class SharedReplayRate: Sendable {
    private let rate = Mutex(ReplayRate())

    var nanoseconds: Int64 { rate.withLock { $0.nanoseconds } }

    func add(work: UInt64, milliseconds: Int64) { rate.withLock { $0.add(work: work, milliseconds: milliseconds) } }
}
