package import Logging

/// A connection to NATS that keeps itself up. Safe to use from any thread; no call blocks.
///
/// All calls into the library that may block are made by one thread of its own, in the order in which they were asked for.
/// Handlers and completions run on threads of the library and must return at once. It lives until `close`.
package final class NATSConnection: Sendable {
    package struct Options: Sendable {
        /// `nats://host:port` or `tls://…`, with user and password or token in it where the server wants them.
        package var urls: [String]
        /// Shown in the server's monitoring.
        package var name: String
        package var credentialsFile: String?
        package var certificateAuthorityFile: String?
        package var connectTimeout: Duration = .seconds(2)
        package var reconnectWait: Duration = .milliseconds(200)
        package var pingInterval: Duration = .seconds(2)
        package var pingsUnansweredMax = 3
        /// A server that takes nothing for so long is given up.
        package var writeTimeout: Duration = .seconds(4)
        /// Bound of what waits to be sent; beyond it sending fails at once.
        package var queueBytesMax = 64 << 20

        package init(urls: [String], name: String, credentialsFile: String? = nil, certificateAuthorityFile: String? = nil) {
            self.urls = urls
            self.name = name
            self.credentialsFile = credentialsFile
            self.certificateAuthorityFile = certificateAuthorityFile
        }
    }

    package let options: Options
    package let log: Logger
    let core: Monitor<ConnectionCore>
    /// Where answers arrive: the token follows.
    let answerPrefix: String
    /// Where readers get the statuses of their requests: reader's number and the request's follow.
    let readerPrefix: String
    let readers = ReaderTable()
    let readBudget = ReadBudget(bytesMax: 32 << 20)

    private init(_ options: Options, log: Logger) {
        self.options = options
        self.log = log
        core = Monitor(ConnectionCore(queueBytesMax: options.queueBytesMax))
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        let nonce = String((0..<22).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
        answerPrefix = "_INBOX.\(nonce).q."
        readerPrefix = "_INBOX.\(nonce).r."
    }

    /// Connects, trying for `waitUpTo` while no server answers, then keeps the connection up until `close`.
    package static func connect(
        _ options: Options, waitUpTo: Duration = .zero, log: Logger
    ) async throws(NATSError) -> NATSConnection {
        let connection = NATSConnection(options, log: log)
        let answers = SubscriptionTarget { [weak connection] in connection?.answered($0) }
        let readers = SubscriptionTarget { [readers = connection.readers] in readers.received($0) }
        connection.core.withLock { core in
            _ = core.subscribe(connection.answerPrefix + "*", answers)
            _ = core.subscribe(connection.readerPrefix + ">", readers)
        }
        let failure: NATSError? = await withCheckedContinuation { continuation in
            OwnThread.start("nats-sender") {
                ConnectionThread(connection).run(waitUpTo: waitUpTo) { continuation.resume(returning: $0) }
            }
        }
        if let failure { throw failure }
        return connection
    }

    /// Sends to whoever listens. Nothing is known of its arrival.
    package func publish(_ subject: String, _ payload: [UInt8], headers: [NATSHeader] = [], reply: String? = nil)
        throws(NATSError)
    {
        let message = Outgoing(subject: subject, headers: headers, payload: payload)
        try core.withLock { core throws(NATSError) in try core.publish(message, reply: reply) }
        core.wake()
    }

    /// Sends and calls `completion` once: with the first answer, or with what went wrong. Throws when nothing was sent; then
    /// `completion` is not called.
    package func request(
        _ subject: String, _ payload: [UInt8], headers: [NATSHeader] = [], timeout: Duration,
        completion: @escaping RequestCompletion
    ) throws(NATSError) {
        let message = Outgoing(subject: subject, headers: headers, payload: payload)
        let deadline = MonotonicTime.now() + timeout
        let timer = try core.withLock { core throws(NATSError) in
            try core.request(message, inbox: answerPrefix, deadline: deadline, completion: completion)
        }
        core.wake()
        if let timer { expire(at: timer) }
    }

    /// Sends and waits for the first answer.
    package func request(
        _ subject: String, _ payload: [UInt8], headers: [NATSHeader] = [], timeout: Duration
    ) async throws(NATSError) -> NATSMessage {
        let result: Result<NATSMessage, NATSError> = await withCheckedContinuation { continuation in
            do throws(NATSError) {
                try request(subject, payload, headers: headers, timeout: timeout) { continuation.resume(returning: $0) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Calls the handler with each message on the subject, in order. Survives the loss of the connection; what is sent
    /// meanwhile is lost. Returns the number to unsubscribe with.
    package func subscribe(_ subject: String, _ handler: @escaping @Sendable (NATSMessage) -> Void) -> UInt64 {
        let target = SubscriptionTarget { handler($0.copy()) }
        defer { core.wake() }
        return core.withLock { $0.subscribe(subject, target) }
    }

    /// Messages that are on their way to the handler may still arrive.
    package func unsubscribe(_ id: UInt64) {
        core.withLock { $0.unsubscribe(id) }
        core.wake()
    }

    /// Returns when the server has seen all that was sent before, subscriptions included.
    package func roundTrip(timeout: Duration) async throws(NATSError) {
        let result: Result<NATSMessage, NATSError> = await withCheckedContinuation { continuation in
            do throws(NATSError) {
                let deadline = MonotonicTime.now() + timeout
                let timer = try core.withLock { core throws(NATSError) in
                    try core.echo(inbox: answerPrefix, deadline: deadline) { continuation.resume(returning: $0) }
                }
                core.wake()
                if let timer { expire(at: timer) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        _ = try result.get()
    }

    package var isConnected: Bool { core.withLock { $0.connected } }

    /// Ends the connection; whoever waits for an answer gets an error. May be called more than once.
    package func close() {
        core.withLock { if !$0.closing { $0.post(.close) } }
        core.wake()
    }

    /// Calls `observer` on the connection's thread whenever the connection is made or lost.
    func observe(_ observer: @escaping @Sendable (ConnectionEvent) -> Void) -> UInt64 {
        core.withLock { core in
            let id = core.number()
            core.observers[id] = observer
            return id
        }
    }

    func forget(observer id: UInt64) { core.withLock { _ = $0.observers.removeValue(forKey: id) } }

    /// Waits without holding up a thread.
    func pause(_ duration: Duration) async {
        await withCheckedContinuation { continuation in
            TimerThread.shared.at(.now() + duration) { continuation.resume() }
        }
    }

    private func answered(_ message: borrowing RawMessage) {
        guard let token = unsafe Decimal.trailing(message.subject) else { return }
        guard let pending = core.withLock({ $0.takePending(token) }) else { return }
        let answer = message.copy()
        if answer.status == 503 {
            pending.completion(.failure(NATSError(.noResponders, "\(pending.subject): nobody answers to it")))
        } else {
            pending.completion(.success(answer))
        }
    }

    private func expire(at time: MonotonicTime) {
        TimerThread.shared.at(time) { [weak self] in
            guard let self else { return }
            let (expired, next) = core.withLock { $0.expire(now: .now()) }
            for request in expired {
                request.completion(.failure(NATSError(.timeout, "\(request.subject): no answer in time")))
            }
            if let next { expire(at: next) }
        }
    }
}

enum ConnectionEvent: Sendable {
    case made
    case lost
}
