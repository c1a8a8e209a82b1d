import Model
import Ports
import SimulatedPorts
import Testing

@Suite struct ManualClockTests {
    @Test func `sleepers wake when their time has come, not before`() async throws {
        let clock = ManualClock(at: Instant(milliseconds: 1000))
        async let early: Void = clock.sleep(until: Instant(milliseconds: 2000))
        async let late: Void = clock.sleep(until: Instant(milliseconds: 3000))
        await clock.waitForSleepers(2)
        clock.advance(milliseconds: 999)
        #expect(clock.sleepers.count == 2)
        clock.advance(milliseconds: 1)
        try await early
        #expect(clock.sleepers == [Instant(milliseconds: 3000)])
        clock.advance(to: Instant(milliseconds: 5000))
        try await late
        #expect(clock.now() == Instant(milliseconds: 5000))
        try await clock.sleep(until: Instant(milliseconds: 4000))
    }

    @Test func `a cancelled sleep ends at once`() async throws {
        let clock = ManualClock()
        let until = clock.now() + 1000
        let task = Task { try await clock.sleep(until: until) }
        await clock.waitForSleeper(until: until)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleepers.isEmpty)
    }

    @Test("a wait ends when its time has come, and at the latest when its time has passed on a clock that was set back")
    func waits() {
        let begin = Instant(milliseconds: 10_000)
        let wait = ClockWait(until: begin + 250, now: begin)
        #expect(wait.left(now: begin + 100, waited: 100) == 150)
        #expect(wait.left(now: begin + 250, waited: 250) == 0)
        #expect(wait.left(now: begin + Milliseconds.hour, waited: 10) <= 0, "set ahead")
        #expect(wait.left(now: begin + -Milliseconds.hour, waited: 100) == 150, "set back")
        #expect(wait.left(now: begin + -Milliseconds.hour, waited: 250) == 0)
        #expect(ClockWait(until: begin + -5, now: begin).left(now: begin, waited: 0) <= 0)
    }
}
