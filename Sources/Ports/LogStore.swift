package import Model

/// The logs of an installation. Each is a sequence of records, numbered from 1 without gaps.
package enum LogName: Hashable, Sendable, CustomStringConvertible {
    /// What happened to a shard's customers.
    case input(ShardID)
    /// What a shard decided.
    case commits(ShardID)
    /// What the coordinator decided: placements.
    case coordinator
    /// Revisions of the rule set; a record's sequence is the revision.
    case configuration
    /// What shards have set aside, and what became of it.
    case deadLetters
    /// Whether messages may leave: ``DeliveryRecord``s, of which the last counts.
    case delivery

    package var description: String {
        switch self {
        case .input(let shard): "IN.\(shard)"
        case .commits(let shard): "LOG.\(shard)"
        case .coordinator: "COORD"
        case .configuration: "CONFIG"
        case .deadLetters: "DEAD"
        case .delivery: "DELIVERY"
        }
    }
}

package struct LogError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// The expected last sequence is not the last one. Nothing was written.
        case refused
        /// No answer came: it may have been written or not. Read back before anything else.
        case ambiguous
        /// The log is at its bound. Nothing was written.
        case full
        /// The record is larger than the log takes. Nothing was written.
        case tooLarge
        /// No connection, no leader, no such log: nothing was written, try later.
        case unavailable
        /// Reading: the records asked for are trimmed away; the first that is left is given.
        case trimmed(first: UInt64)
        /// Reading: a record that must be there is not. The log was damaged.
        case gap(expected: UInt64, found: UInt64)
    }

    package let code: Code
    /// For people: which log, what the other side said.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}

package struct LogState: Equatable, Sendable {
    /// First sequence still there; last + 1 when there is none.
    package var first: UInt64
    /// 0 = nothing was ever written.
    package var last: UInt64
    package var bytes: UInt64
    /// Nil = no bound.
    package var bytesMax: UInt64?
    /// When this was so, by the clock that gives the log's records their times; nil = the log does not say.
    package var time: Instant?

    package init(first: UInt64, last: UInt64, bytes: UInt64, bytesMax: UInt64?, time: Instant?) {
        self.first = first
        self.last = last
        self.bytes = bytes
        self.bytesMax = bytesMax
        self.time = time
    }
}

/// Durable, ordered, fenced logs. Implementations are safe to call from any thread and never block the caller's thread.
/// Every implementation passes the suite in Tests/PortsConformance.
package protocol LogStore: Sendable {
    /// Hands a record over, in the order of the calls of one caller to one log, and returns at once; `completion` is
    /// called exactly once, on any thread, when the log has made it durable (its sequence) or has not.
    ///
    /// - Parameters:
    ///   - expecting: the sequence that must be the log's last, or nothing is written (`refused`). Appends may be
    ///     pipelined: the next one expects the sequence that this one will get.
    ///   - id: a name of the record, unique in the log for two minutes: a record whose id was already written is not
    ///     written again and answers with the first one's sequence. Nil = none.
    func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?,
        completion: @escaping @Sendable (Result<UInt64, LogError>) -> Void)

    /// A reader that yields every record from `sequence` on (1 = from the beginning), then waits for new ones.
    func read(_ log: LogName, from sequence: UInt64) async throws(LogError) -> any LogReader

    /// The newest record, linearizably: no acknowledged one is missed. Nil when the log is empty.
    func last(of log: LogName) async throws(LogError) -> LogRecord?

    func record(_ sequence: UInt64, of log: LogName) async throws(LogError) -> LogRecord?

    func state(of log: LogName) async throws(LogError) -> LogState

    /// Deletes all records below `sequence`.
    func trim(_ log: LogName, below sequence: UInt64) async throws(LogError)
}

extension LogStore {
    /// `append` that waits for its result.
    package func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64? = nil, id: String? = nil
    ) async throws(LogError) -> UInt64 {
        let result: Result<UInt64, LogError> = await withCheckedContinuation { continuation in
            append(to: log, payload, expecting: expecting, id: id) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}

/// Reads one log in order. Used by one task at a time.
package protocol LogReader: AnyObject, Sendable {
    /// The next records, at least one and at most `max`, in order and without gaps; waits while there is none.
    /// Reconnects by itself. Throws `trimmed`, `gap`, or CancellationError when the task is cancelled or the reader was
    /// closed.
    func next(max: Int) async throws -> [LogRecord]

    /// Ends the reading: a waiting `next` throws CancellationError. May be called from anywhere, more than once.
    func close()
}
