package import Model

/// The time of day, and waiting for it. Only shells use it; cores are told the time.
package protocol WallClock: Sendable {
    func now() -> Instant
    /// Returns at `instant` or soon after, and at the latest when as much time has passed as was left until then when it was
    /// called: a clock that is set back holds nobody up. Throws CancellationError when the task is cancelled.
    func sleep(until instant: Instant) async throws
}

/// A wait for a time of day, on a clock that may be set meanwhile. Pure: it is told the time.
package struct ClockWait: Sendable {
    private let instant: Instant
    private let millisecondsMax: Int64

    package init(until instant: Instant, now: Instant) {
        self.instant = instant
        millisecondsMax = max(instant - now, 0)
    }

    /// Milliseconds that are left, 0 or fewer = over.
    /// - Parameter waited: milliseconds since it began, by a clock that nobody sets.
    package func left(now: Instant, waited: Int64) -> Int64 { min(instant - now, millisecondsMax - waited) }
}
