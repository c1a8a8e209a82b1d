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
        while true {
            let left = instant - now()
            guard left > 0 else { return try Task.checkCancellation() }
            // The wall clock may be set meanwhile: look at it now and then.
            try await Task.sleep(for: .milliseconds(min(left, 1000)))
        }
    }
}
