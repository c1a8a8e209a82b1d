internal import Logging
internal import Synchronization

/// Reads a stream in order, without gaps, from a sequence on; makes its consumer anew whenever that is lost. Asks ahead, so
/// that the next records are usually there. For one task at a time; `close` may come from anywhere. Ends with its connection.
package final class StreamReader: Sendable {
    private struct State {
        var pull: PullState
        var waiting: (continuation: CheckedContinuation<[StreamRecord], any Error>, max: Int)?
        var registered: UInt64?
        var observer: UInt64?
    }

    private let jetStream: JetStream
    private let stream: String
    private let state: Mutex<State>
    private var connection: NATSConnection { jetStream.connection }

    private init(_ jetStream: JetStream, stream: String, from sequence: UInt64) {
        self.jetStream = jetStream
        self.stream = stream
        state = Mutex(State(pull: PullState(from: sequence)))
    }

    /// Throws when the stream cannot be reached, or `ReadFailure.trimmed`.
    package static func open(_ jetStream: JetStream, stream: String, from sequence: UInt64) async throws -> StreamReader {
        let reader = StreamReader(jetStream, stream: stream, from: sequence)
        let observer = reader.connection.observe { [weak reader] event in
            if case .lost = event { reader?.step { $0.lost() } }
        }
        reader.state.withLock { $0.observer = observer }
        do {
            try await reader.establish()
        } catch {
            reader.close()
            throw error
        }
        reader.watch()
        return reader
    }

    deinit { close() }

    /// At least one and at most `max` records; waits while there is none.
    package func next(max: Int) async throws -> [StreamRecord] {
        precondition(max > 0, "at least one record must be asked for")
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    precondition(state.waiting == nil, "a reader is used by one task at a time")
                    state.waiting = (continuation, max)
                }
                step { _ in [] }
                if Task.isCancelled { cancelWaiting() }
            }
        } onCancel: {
            cancelWaiting()
        }
    }

    package func close() {
        let observer = state.withLock { $0.observer.take() }
        if let observer { connection.forget(observer: observer) }
        step { $0.close() }
    }

    // MARK: Events

    func received(_ delivery: DeliverySubject, payload: [UInt8]) {
        step { $0.received(delivery, payload: payload, now: .now()) }
    }

    func received(status: Int, _ text: String, consumer: UInt64, request: UInt64) {
        step { $0.received(status: status, text, consumer: consumer, request: request, now: .now()) }
    }

    private func cancelWaiting() {
        state.withLock { $0.waiting.take() }?.continuation.resume(throwing: CancellationError())
    }

    /// Lets the state take a step, hands records to whoever waits, and performs what follows.
    private func step(_ transition: (inout PullState) -> [PullState.Action]) {
        var outcome: Result<[StreamRecord], any Error>?
        let (actions, waiting, stale) = state.withLock { state in
            var actions = transition(&state.pull)
            var stale: UInt64?
            if state.registered != nil, state.registered != state.pull.consumer, !state.pull.establishing || state.pull.hasEnded {
                stale = state.registered.take()
            }
            guard let waiting = state.waiting else {
                return (actions, nil as CheckedContinuation<[StreamRecord], any Error>?, stale)
            }
            if !state.pull.isEmpty {
                outcome = .success(state.pull.take(max: waiting.max))
                actions += state.pull.ask()
            } else if state.pull.closed {
                outcome = .failure(CancellationError())
            } else if let failure = state.pull.failure {
                outcome = .failure(failure)
            } else {
                return (actions, nil, stale)
            }
            state.waiting = nil
            return (actions, waiting.continuation, stale)
        }
        if let stale { discard(stale) }
        for action in actions { perform(action) }
        if let outcome { waiting?.resume(with: outcome) }
    }

    private func perform(_ action: PullState.Action) {
        switch action {
        case .send(let request, let consumer): send(request, consumer)
        case .takeBudget(let bytes, let consumer):
            connection.readBudget.take(bytes) { [weak self, budget = connection.readBudget] in
                guard let self else { return budget.giveBack(bytes) }
                step { $0.granted(bytes, consumer: consumer) }
            }
        case .giveBudgetBack(let bytes): connection.readBudget.giveBack(bytes)
        case .establish: Task { [weak self] in await self?.establishAgain() }
        case .examine(let found): Task { [weak self] in await self?.examine(found: found) }
        }
    }

    private func send(_ request: PullState.Request, _ consumer: UInt64) {
        var body = #"{"batch":\#(request.batch),"expires":\#(PullState.expiry.wholeNanoseconds)"#
        body += #","idle_heartbeat":\#(PullState.heartbeat.wholeNanoseconds)"#
        body += request.bytesMax > 0 ? #","max_bytes":\#(request.bytesMax)}"# : "}"
        do throws(NATSError) {
            try connection.publish(
                jetStream.subject("CONSUMER.MSG.NEXT.\(stream).\(name(consumer))"), Array(body.utf8),
                reply: "\(connection.readerPrefix)\(consumer).\(request.number)")
        } catch {
            jetStream.log.debug("asking for messages failed", metadata: ["stream": "\(stream)", "error": "\(error)"])
            step { $0.lost() }
        }
    }

    private func watch() {
        TimerThread.shared.at(.now() + PullState.heartbeat) { [weak self] in
            guard let self else { return }
            step { $0.looked(now: .now()) }
            if !state.withLock({ $0.pull.hasEnded }) { watch() }
        }
    }

    // MARK: Consumers

    private func name(_ consumer: UInt64) -> String { "reprise-\(jetStream.nonce)-\(consumer)" }

    /// Makes a consumer from the wanted sequence on.
    private func establish() async throws {
        let wanted = state.withLock { $0.pull.wanted }
        let stream = try await jetStream.streamState(stream)
        guard stream.first <= wanted else { throw ReadFailure.trimmed(first: stream.first) }
        let consumer = connection.core.withLock { $0.number() }
        let previous = state.withLock { $0.registered.take() }
        if let previous { discard(previous) }
        connection.readers.add(consumer, self)
        do {
            let pending = try await jetStream.createReaderConsumer(name: name(consumer), stream: self.stream, from: wanted)
            state.withLock { $0.registered = consumer }
            step { $0.established(consumer: consumer, pending: pending, now: .now()) }
        } catch {
            connection.readers.remove(consumer)
            throw error
        }
    }

    /// Tries until it succeeds or the reader has ended.
    private func establishAgain() async {
        while !state.withLock({ $0.pull.hasEnded }) {
            do {
                return try await establish()
            } catch let failure as ReadFailure {
                return step { $0.fail(failure) }
            } catch let error as NATSError where error.code == .closed {
                return close()
            } catch {
                jetStream.log.debug("making a consumer failed", metadata: ["stream": "\(stream)", "error": "\(error)"])
            }
            await connection.pause(.milliseconds(200))
        }
    }

    /// Why is the wanted message not there: trimmed away, lost on the way, or lost in the stream?
    private func examine(found: UInt64) async {
        let wanted = state.withLock { $0.pull.wanted }
        while !state.withLock({ $0.pull.hasEnded }) {
            do throws(NATSError) {
                let present = try await jetStream.message(wanted, of: stream) != nil
                let first = try await jetStream.streamState(stream).first
                if first > wanted { return step { $0.fail(.trimmed(first: first)) } }
                return step { present ? $0.lost() : $0.fail(.gap(expected: wanted, found: found)) }
            } catch {
                if error.code == .closed { return close() }
                jetStream.log.debug("looking for a message failed", metadata: ["stream": "\(stream)", "error": "\(error)"])
            }
            await connection.pause(.milliseconds(200))
        }
    }

    /// Forgets a consumer and tells the server, which would forget it by itself later.
    private func discard(_ consumer: UInt64) {
        connection.readers.remove(consumer)
        do throws(NATSError) {
            try connection.publish(jetStream.subject("CONSUMER.DELETE.\(stream).\(name(consumer))"), [])
        } catch {
            jetStream.log.trace("deleting a consumer failed", metadata: ["stream": "\(stream)", "error": "\(error)"])
        }
    }
}
