import Model
import Synchronization

/// Whether this host's clock agrees with the log's. Timers run by the host's clock and events by the log's, so that a
/// worker whose clock is off would decide too early or too late: it commits nothing (live mode).
///
///     unknown --a check agrees--> right --not checked for long, or the clock has jumped--> unknown
///     any --a check differs--> wrong --a check agrees--> right
///
/// Pure.
struct ClockWatch: Equatable, Sendable {
    /// By the host's clock; nil = not yet, or the last one differed.
    private var agreedAt: Instant?
    /// How far the host's clock is ahead of the log's, when it is too far off; negative = behind.
    private(set) var millisecondsAhead: Int64?

    /// The log said that it was `logTime` at an instant between the two of the host's clock.
    mutating func checked(began: Instant, logTime: Instant, ended: Instant) {
        let ahead = began - logTime
        let behind = logTime - ended
        if ahead > Limits.clockDriftMillisecondsMax {
            (agreedAt, millisecondsAhead) = (nil, ahead)
        } else if behind > Limits.clockDriftMillisecondsMax {
            (agreedAt, millisecondsAhead) = (nil, -behind)
        } else {
            // As of the question: the clock may have jumped while the log answered.
            (agreedAt, millisecondsAhead) = (began, nil)
        }
    }

    /// A clock that jumped, or a process that slept, has left the last check behind by much.
    func mayCommit(at now: Instant) -> Bool {
        guard let agreedAt else { return false }
        return (now - agreedAt).magnitude <= Limits.clockCheckHoldsMilliseconds.magnitude
    }

    var problem: String? {
        millisecondsAhead.map {
            "this host's clock is \($0.magnitude) ms \($0 > 0 ? "ahead of" : "behind") the log's, allowed are "
                + "\(Limits.clockDriftMillisecondsMax): nothing is committed until it is right"
        }
    }
}

/// The worker's clock watch, for all its shards. Any thread.
final class SharedClockWatch: Sendable {
    private let watch: Mutex<ClockWatch>?

    /// In event-time mode the clock is a record in the log, and the host's does not matter.
    init(_ timeMode: Installation.TimeMode) { watch = timeMode == .live ? Mutex(ClockWatch()) : nil }

    func mayCommit(at now: Instant) -> Bool { watch?.withLock { $0.mayCommit(at: now) } ?? true }
    var problem: String? { watch?.withLock { $0.problem } }

    /// True when commits were not allowed before and are now.
    func checked(began: Instant, logTime: Instant, ended: Instant) -> Bool {
        watch?.withLock { watch in
            let might = watch.mayCommit(at: ended)
            watch.checked(began: began, logTime: logTime, ended: ended)
            return !might && watch.mayCommit(at: ended)
        } ?? false
    }
}
