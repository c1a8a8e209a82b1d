internal import Model

/// The figures a dispatcher decides by. All times in milliseconds.
struct DispatcherSettings: Equatable, Sendable {
    /// This run of the dispatcher; random.
    var instance: UInt64
    /// Messages under way at once.
    var connections = 4
    /// Permits asked for or held at once. A crash makes those that are held uncertain, so no more than keeps the
    /// connections busy.
    var permitsMax = 32
    /// Open actions remembered; a shard with more is asked again when there is room.
    var actionsMax = Limits.dispatcherActionsMax
    /// An answer later than this no longer counts as under way: its shard may be without an owner.
    var answerLate: Int64 = 2 * Milliseconds.second
    /// A request without an answer is repeated, for the same attempt.
    var repeatAfter: Int64 = 30 * Milliseconds.second
    /// A dispatcher not heard for so long is dead, and what it had the permit for is uncertain.
    var silence: Int64 = 5 * Milliseconds.second
    /// One's own heartbeat must come back within this; otherwise it is we who hear nothing.
    var deafAfter: Int64 = 2 * Milliseconds.second
    /// Wait after an action's first failure; each later one waits three times as long.
    var retryFirst: Int64 = 5 * Milliseconds.second
    var retryMax: Int64 = Milliseconds.hour
    /// Wait after the provider's first failure, more or less a quarter; doubled with each that follows.
    var pauseFirst: Int64 = Milliseconds.second
    var pauseMax: Int64 = Milliseconds.minute
    /// A permit denied keeps an action from being asked for again for at most this long.
    var setbackMax: Int64 = 30 * Milliseconds.minute

    init(instance: UInt64) { self.instance = instance }

    /// `first`, `first` × `factor`, … for the first, second, … failure, at most `most`.
    static func backoff(first: Int64, factor: Int64, most: Int64, failures: Int) -> Int64 {
        var wait = min(first, most)
        for _ in 0..<max(0, min(failures - 1, 64)) where wait < most { wait = min(wait * factor, most) }
        return wait
    }
}
