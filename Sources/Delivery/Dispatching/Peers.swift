internal import Model

/// Which dispatchers live. Heartbeats get lost and we ourselves can be cut off: silence counts only while our own
/// heartbeats come back to us, and only from when we began to listen for somebody.
struct Peers: Equatable, Sendable {
    private let settings: DispatcherSettings
    private var heardAt: [UInt64: Instant] = [:]
    private var selfHeardAt: Instant?
    private var hearingSince: Instant?

    /// Heartbeats of so many others are remembered.
    static let peersMax = 1024

    init(_ settings: DispatcherSettings) { self.settings = settings }

    mutating func heard(_ instance: UInt64, now: Instant) {
        guard instance == settings.instance else {
            if heardAt.count >= Self.peersMax { heardAt = heardAt.filter { now - $0.value < settings.silence } }
            if heardAt.count < Self.peersMax { heardAt[instance] = now }
            return
        }
        let wasDeaf = selfHeardAt.map { now - $0 > settings.deafAfter } ?? true
        if wasDeaf { hearingSince = now }
        selfHeardAt = now
    }

    /// Nothing was heard of it for the time of silence, though we were listening; `since`: when it was last known to
    /// have done something.
    func isDead(_ instance: UInt64, since: Instant, now: Instant) -> Bool {
        guard let selfHeardAt, let hearingSince, now - selfHeardAt <= settings.deafAfter else { return false }
        let last = max(max(heardAt[instance] ?? .distantPast, since), hearingSince)
        return now - last >= settings.silence
    }
}
