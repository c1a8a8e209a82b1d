internal import Glibc
package import Model
internal import Ports

/// The machine's clock.
package struct SystemWallClock: WallClock {
    package init() {}

    package func now() -> Instant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package func sleep(until instant: Instant) async throws {
        let wait = ClockWait(until: instant, now: now())
        let begin = ContinuousClock.now
        while true {
            let waited = (ContinuousClock.now - begin) / .milliseconds(1)
            let left = wait.left(now: now(), waited: Int64(waited))
            guard left > 0 else { return try Task.checkCancellation() }
            // The wall clock may be set meanwhile: look at it now and then.
            try await Task.sleep(for: .milliseconds(min(left, 1000)))
        }
    }
}
