package import Model
internal import NATS
package import Ports
internal import Synchronization

/// The logs over JetStream: each is a stream with one subject that never loses a record in the middle. Safe to use from any
/// thread; nothing blocks. Completions run on a thread of the connection and must return at once.
package final class JetStreamLogStore: LogStore {
    private let jetStream: JetStream
    private let names: StreamNames
    private let appendTimeout: Duration
    private let publishers = Mutex<[LogName: StreamPublisher]>([:])

    init(_ jetStream: JetStream, names: StreamNames, appendTimeout: Duration) {
        self.jetStream = jetStream
        self.names = names
        self.appendTimeout = appendTimeout
    }

    package func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?,
        completion: @escaping @Sendable (Result<UInt64, LogError>) -> Void
    ) {
        publisher(log).publish(payload, expectedLast: expecting, id: id) { [self] result in
            let result = result.map(\.sequence).mapError { LogError(appending: $0) }
            guard case .failure(let error) = result, error.code == .refused, let id, let expecting else {
                return completion(result)
            }
            Task { completion(await refused(error, by: log, id: id, expecting: expecting)) }
        }
    }

    /// Newer servers check the expectation before the id. What was written under this id and expectation stands right behind
    /// the expected record.
    private func refused(
        _ error: LogError, by log: LogName, id: String, expecting: UInt64
    ) async -> Result<UInt64, LogError> {
        do throws(NATSError) {
            let written = try await jetStream.messageID(expecting + 1, of: names.stream(log))
            return written == id ? .success(expecting + 1) : .failure(error)
        } catch {
            return .failure(LogError(.ambiguous, "refused, and whether an earlier attempt succeeded is not known: \(error)"))
        }
    }

    package func read(_ log: LogName, from sequence: UInt64) async throws(LogError) -> any LogReader {
        do {
            return JetStreamLogReader(
                try await StreamReader.open(jetStream, stream: names.stream(log), from: sequence), log: log)
        } catch let failure as ReadFailure {
            throw LogError(failure, of: log)
        } catch let error as NATSError {
            throw LogError(reading: error)
        } catch {
            throw LogError(.unavailable, "\(log): \(error)")
        }
    }

    package func last(of log: LogName) async throws(LogError) -> LogRecord? {
        try await reading { () async throws(NATSError) in
            try await jetStream.lastMessage(on: names.subject(log), of: names.stream(log)).map(LogRecord.init)
        }
    }

    package func record(_ sequence: UInt64, of log: LogName) async throws(LogError) -> LogRecord? {
        guard sequence > 0 else { return nil }
        return try await reading { () async throws(NATSError) in
            try await jetStream.message(sequence, of: names.stream(log)).map(LogRecord.init)
        }
    }

    package func state(of log: LogName) async throws(LogError) -> LogState {
        try await reading { () async throws(NATSError) in
            let state = try await jetStream.streamState(names.stream(log))
            return LogState(
                first: state.first, last: state.last, bytes: state.bytes, bytesMax: state.bytesMax,
                time: state.timeNanoseconds.map { Instant(milliseconds: $0 / 1_000_000) })
        }
    }

    package func trim(_ log: LogName, below sequence: UInt64) async throws(LogError) {
        try await reading { () async throws(NATSError) in
            let state = try await jetStream.streamState(names.stream(log))
            // Purging beyond the end would move the end.
            let below = min(sequence, state.last + 1)
            guard below > state.first else { return }
            try await jetStream.purge(names.stream(log), below: below)
        }
    }

    private func reading<Value>(_ body: () async throws(NATSError) -> Value) async throws(LogError) -> Value {
        do throws(NATSError) {
            return try await body()
        } catch {
            throw LogError(reading: error)
        }
    }

    private func publisher(_ log: LogName) -> StreamPublisher {
        publishers.withLock { publishers in
            if let publisher = publishers[log] { return publisher }
            let publisher = StreamPublisher(jetStream.connection, subject: names.subject(log), timeout: appendTimeout)
            publishers[log] = publisher
            return publisher
        }
    }
}

/// Reads one stream as a log.
final class JetStreamLogReader: LogReader {
    private let reader: StreamReader
    private let log: LogName

    init(_ reader: StreamReader, log: LogName) {
        self.reader = reader
        self.log = log
    }

    func next(max: Int) async throws -> [LogRecord] {
        do {
            return try await reader.next(max: max).map(LogRecord.init)
        } catch let failure as ReadFailure {
            throw LogError(failure, of: log)
        }
    }

    func close() { reader.close() }
}

extension LogRecord {
    init(_ record: StreamRecord) {
        self.init(
            sequence: record.sequence, time: Instant(milliseconds: record.timeNanoseconds / 1_000_000),
            payload: record.payload)
    }
}

extension LogError {
    init(_ failure: ReadFailure, of log: LogName) {
        switch failure {
        case .trimmed(let first): self.init(.trimmed(first: first), "\(log): the first record that is left is \(first)")
        case .gap(let expected, let found):
            self.init(.gap(expected: expected, found: found), "\(log): after \(expected - 1) comes \(found)")
        }
    }
}
