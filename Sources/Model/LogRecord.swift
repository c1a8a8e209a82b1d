/// One record of a log.
package struct LogRecord: Equatable, Sendable {
    /// From 1, without gaps.
    package var sequence: UInt64
    /// When the log took it; by the log's own clock.
    package var time: Instant
    package var payload: [UInt8]

    package init(sequence: UInt64, time: Instant, payload: [UInt8]) {
        self.sequence = sequence
        self.time = time
        self.payload = payload
    }
}
