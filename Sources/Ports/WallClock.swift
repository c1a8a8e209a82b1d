package import Model

/// The time of day, and waiting for it. Only shells use it; cores are told the time.
package protocol WallClock: Sendable {
    func now() -> Instant
    /// Returns at `instant` or soon after; throws CancellationError when the task is cancelled.
    func sleep(until instant: Instant) async throws
}
