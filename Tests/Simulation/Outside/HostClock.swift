package import Model
internal import Ports

/// A host's wall clock: the true time, and what it is ahead of it.
// Sendable: used on the simulation's thread alone.
package final class HostClock: WallClock, @unchecked Sendable {
    private let host: Host
    private let scheduler: Scheduler

    package init(host: Host, scheduler: Scheduler) {
        self.host = host
        self.scheduler = scheduler
    }

    package func now() -> Instant { scheduler.now + host.clockAheadMilliseconds }

    /// Looks at the clock once a second, as a clock that may be set meanwhile must be watched.
    package func sleep(until instant: Instant) async throws {
        let wait = ClockWait(until: instant, now: now())
        let begin = scheduler.now
        while true {
            let left = wait.left(now: now(), waited: scheduler.now - begin)
            guard left > 0 else { return try Task.checkCancellation() }
            try await pause(milliseconds: min(left, 1000))
        }
    }

    private func pause(milliseconds: Int64) async throws {
        try Task.checkCancellation()
        let sleeper = Sleeper()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                sleeper.continuation = continuation
                scheduler.after(milliseconds: milliseconds, for: host) { sleeper.end(nil) }
            }
        } onCancel: {
            sleeper.end(CancellationError())
        }
    }
}

// Sendable: used on the simulation's thread alone.
private final class Sleeper: @unchecked Sendable {
    var continuation: CheckedContinuation<Void, any Error>?

    func end(_ error: (any Error)?) {
        let continuation = continuation
        self.continuation = nil
        if let error { continuation?.resume(throwing: error) } else { continuation?.resume() }
    }
}
