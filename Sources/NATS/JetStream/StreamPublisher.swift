internal import Synchronization

/// Writes to one subject of a stream, in the order of the calls, keeping what is under way within what a server takes.
/// Safe to use from any thread; nothing blocks. Completions must return at once.
package final class StreamPublisher: Sendable {
    package typealias Completion = @Sendable (Result<PublishAcknowledgement, NATSError>) -> Void

    /// Bounds of one stream: sent and not acknowledged, and waiting to be sent.
    private enum Bounds {
        static let underWayMessages = 8192
        static let underWayBytes = 16 << 20
        static let waitingBytes = 64 << 20
    }

    private struct Message {
        let payload: [UInt8]
        let headers: [NATSHeader]
        let completion: Completion
    }

    private struct State {
        var underWayMessages = 0
        var underWayBytes = 0
        var waiting: [Message] = []
        var head = 0
        var waitingBytes = 0

        func hasRoom(for bytes: Int) -> Bool {
            underWayMessages == 0 || underWayMessages < Bounds.underWayMessages && underWayBytes + bytes <= Bounds.underWayBytes
        }

        mutating func started(_ bytes: Int) {
            underWayMessages += 1
            underWayBytes += bytes
        }

        mutating func ended(_ bytes: Int) {
            underWayMessages -= 1
            underWayBytes -= bytes
        }

        mutating func nextThatFits() -> Message? {
            guard head < waiting.count, hasRoom(for: waiting[head].payload.count) else { return nil }
            let message = waiting[head]
            head += 1
            waitingBytes -= message.payload.count
            if head * 2 > waiting.count {
                waiting.removeFirst(head)
                head = 0
            }
            return message
        }
    }

    private let connection: NATSConnection
    private let subject: String
    private let timeout: Duration
    private let state = Mutex(State())

    /// - Parameter timeout: how long to wait for each acknowledgement after sending.
    package init(_ connection: NATSConnection, subject: String, timeout: Duration) {
        self.connection = connection
        self.subject = subject
        self.timeout = timeout
    }

    /// - Parameters:
    ///   - expectedLast: the stream's last sequence, or nothing is written.
    ///   - id: JetStream's message id.
    ///   - timeNanoseconds: the time that readers are told, since 1970; nil = when the stream takes it.
    ///   - completion: called once; never from within this call.
    package func publish(
        _ payload: [UInt8], expectedLast: UInt64?, id: String?, timeNanoseconds: Int64? = nil, completion: @escaping Completion
    ) {
        var headers: [NATSHeader] = []
        if let expectedLast { headers.append(NATSHeader("Nats-Expected-Last-Sequence", String(expectedLast))) }
        if let id { headers.append(NATSHeader("Nats-Msg-Id", id)) }
        if let timeNanoseconds { headers.append(NATSHeader(RecordTime.header, String(timeNanoseconds))) }
        let message = Message(payload: payload, headers: headers, completion: completion)
        let failure: NATSError? = state.withLock { state in
            if state.head == state.waiting.count, state.hasRoom(for: payload.count) { return send(message, &state) }
            guard state.waitingBytes + payload.count <= Bounds.waitingBytes else {
                return NATSError(.queueFull, "\(subject): \(state.waitingBytes) bytes wait, allowed are \(Bounds.waitingBytes)")
            }
            state.waiting.append(message)
            state.waitingBytes += payload.count
            return nil
        }
        if let failure { TimerThread.shared.at(.now()) { completion(.failure(failure)) } }
    }

    /// Sends under the lock, so that the order of sending is the order of asking; an error means that nothing was sent.
    private func send(_ message: Message, _ state: inout State) -> NATSError? {
        do throws(NATSError) {
            try request(message, deadline: .now() + timeout)
            state.started(message.payload.count)
            return nil
        } catch {
            return error
        }
    }

    private func request(_ message: Message, deadline: MonotonicTime) throws(NATSError) {
        let left = Duration.nanoseconds(max(deadline.nanoseconds - MonotonicTime.now().nanoseconds, 1))
        try connection.request(subject, message.payload, headers: message.headers, timeout: left) { [self] in
            answered(message, $0, deadline: deadline)
        }
    }

    private func answered(_ message: Message, _ answer: Result<NATSMessage, NATSError>, deadline: MonotonicTime) {
        let result: Result<PublishAcknowledgement, NATSError> = answer.flatMap { answer in
            do throws(NATSError) {
                return .success(try PublishAcknowledgement.parse(answer.payload, from: subject))
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = result, error.apiCode == APICode.duplicateUnderWay, MonotonicTime.now() < deadline {
            return askAgain(message, deadline: deadline)
        }
        finish(message, result)
    }

    /// A message of the same id is on its way into the stream: asking again tells its sequence.
    private func askAgain(_ message: Message, deadline: MonotonicTime) {
        TimerThread.shared.at(.now() + .milliseconds(100)) { [self] in
            do throws(NATSError) {
                try request(message, deadline: deadline)
            } catch {
                finish(message, .failure(NATSError(.timeout, "\(subject): a message of this id was under way: \(error)")))
            }
        }
    }

    private func finish(_ message: Message, _ result: Result<PublishAcknowledgement, NATSError>) {
        let failed = state.withLock { state in
            state.ended(message.payload.count)
            var failed: [(Message, NATSError)] = []
            while let next = state.nextThatFits() {
                if let error = send(next, &state) { failed.append((next, error)) }
            }
            return failed
        }
        message.completion(result)
        for (message, error) in failed { message.completion(.failure(error)) }
    }
}
