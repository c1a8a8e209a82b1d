/// Answer to `dispatcher.status`: what one dispatcher does now and did since it started.
package struct DispatcherStatus: Codable, Equatable, Sendable {
    /// Hexadecimal; new each time it starts.
    package var instance: String
    /// Open actions that wait for their turn or for another try.
    package var queued: Int
    /// Permits asked for or held, and outcomes on their way into the log.
    package var inFlight: Int
    /// Open actions whose permit another dispatcher has.
    package var elsewhere: Int
    package var sent: UInt64
    /// Attempts that failed and may be repeated.
    package var failed: UInt64
    package var undeliverable: UInt64
    package var uncertain: UInt64
    /// The provider cannot be used now; it is tried again by itself.
    package var paused: Bool
    /// Shards whose open actions are not known yet, because nobody answers for them.
    package var shardsUnknown: Int
    /// Empty when there was none.
    package var lastError: String

    package init(
        instance: String, queued: Int = 0, inFlight: Int = 0, elsewhere: Int = 0, sent: UInt64 = 0, failed: UInt64 = 0,
        undeliverable: UInt64 = 0, uncertain: UInt64 = 0, paused: Bool = false, shardsUnknown: Int = 0, lastError: String = ""
    ) {
        self.instance = instance
        self.queued = queued
        self.inFlight = inFlight
        self.elsewhere = elsewhere
        self.sent = sent
        self.failed = failed
        self.undeliverable = undeliverable
        self.uncertain = uncertain
        self.paused = paused
        self.shardsUnknown = shardsUnknown
        self.lastError = lastError
    }
}
