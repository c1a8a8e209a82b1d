import Synchronization

/// What processes had used of the processors, many times a second. Safe to use from any thread.
final class ProcessorWatch: Sendable {
    private static let pause = Duration.milliseconds(20)

    struct Sample: Sendable {
        var time: ContinuousClock.Instant
        /// Seconds, of all of them together.
        var used: Double
    }

    private let samples = Mutex<[Sample]>([])

    /// Until the task is cancelled.
    func follow(_ processes: [ClusterProcess]) async throws {
        while true {
            let used = processes.reduce(0) { $0 + ($1.processorSeconds() ?? 0) }
            samples.withLock { $0.append(Sample(time: .now, used: used)) }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Percent of one core, in the time between neighbouring samples for which `counts` holds; nil = there was none.
    func percent(where counts: (ContinuousClock.Instant, ContinuousClock.Instant) -> Bool) -> Double? {
        Self.percent(of: samples.withLock { $0 }, where: counts)
    }

    static func percent(
        of samples: [Sample], where counts: (ContinuousClock.Instant, ContinuousClock.Instant) -> Bool
    ) -> Double? {
        var (used, seconds) = (0.0, 0.0)
        for (before, after) in zip(samples, samples.dropFirst()) where counts(before.time, after.time) {
            used += after.used - before.used
            seconds += before.time.duration(to: after.time) / .seconds(1)
        }
        return seconds > 0 ? (used / seconds * 1000).rounded() / 10 : nil
    }
}
