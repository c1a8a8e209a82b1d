internal import Model

/// One provider: what is under way there, and whether it can be used now.
///
/// After a failure of the provider itself nothing is sent for a while; then one message at a time, until one passes. The
/// pauses of several dispatchers drift apart, so that they do not come back all at once.
struct Lane: Equatable, Sendable {
    private let settings: DispatcherSettings
    private(set) var failures = 0
    private(set) var pausedUntil = Instant.distantPast
    var sending = 0

    init(_ settings: DispatcherSettings) { self.settings = settings }

    func isPaused(_ now: Instant) -> Bool { now < pausedUntil }

    /// Messages that may be under way at once.
    var connections: Int { failures == 0 ? settings.connections : 1 }

    /// Permits that may be asked for or held at once.
    var permitsMax: Int { failures == 0 ? settings.permitsMax : 1 }

    mutating func passed() {
        failures = 0
        pausedUntil = .distantPast
    }

    /// Several that fail at once are one failure.
    mutating func failed(now: Instant) {
        guard !isPaused(now) else { return }
        failures += 1
        let pause = DispatcherSettings.backoff(
            first: settings.pauseFirst, factor: 2, most: settings.pauseMax, failures: failures)
        pausedUntil = now + pause * 3 / 4 + drift(within: pause / 2)
    }

    /// A number of this dispatcher and this failure, below `span`.
    private func drift(within span: Int64) -> Int64 {
        var writer = ByteWriter(reserving: 16)
        writer.fixed(settings.instance)
        writer.varint(UInt64(failures))
        return span > 0 ? Int64(Hashing.hash64(writer.bytes) % UInt64(span)) : 0
    }
}
