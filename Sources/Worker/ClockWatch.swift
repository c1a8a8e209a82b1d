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

    /// The clock has jumped, or the process slept: what was agreed is void.
    mutating func forget() { agreedAt = nil }

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

/// The worker's clock watch, for all its shards. It is looked at many times a second: two looks far apart are a clock that
/// jumped, or a process that slept, and nothing is committed until the next check. Any thread.
final class SharedClockWatch: Sendable {
    private struct State {
        var watch = ClockWatch()
        var lookedAt: Instant?

        mutating func look(at now: Instant) {
            if let lookedAt, (now - lookedAt).magnitude > Limits.clockLooksApartMillisecondsMax.magnitude { watch.forget() }
            lookedAt = now
        }
    }

    private let state: Mutex<State>?

    /// In event-time mode the clock is a record in the log, and the host's does not matter.
    init(_ timeMode: Installation.TimeMode) { state = timeMode == .live ? Mutex(State()) : nil }

    var problem: String? { state?.withLock { $0.watch.problem } }

    func look(at now: Instant) { state?.withLock { $0.look(at: now) } }

    func mayCommit(at now: Instant) -> Bool {
        state?.withLock { state in
            state.look(at: now)
            return state.watch.mayCommit(at: now)
        } ?? true
    }

    /// True when commits were not allowed before and are now.
    func checked(began: Instant, logTime: Instant, ended: Instant) -> Bool {
        state?.withLock { state in
            let might = state.watch.mayCommit(at: ended)
            state.watch.checked(began: began, logTime: logTime, ended: ended)
            // As of the question: a clock that jumped while the log answered has left it behind.
            state.lookedAt = began
            state.look(at: ended)
            return !might && state.watch.mayCommit(at: ended)
        } ?? false
    }
}
