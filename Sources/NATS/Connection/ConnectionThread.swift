internal import Logging

/// The thread that makes all calls into the library that may block: connects, sends, subscribes, closes.
final class ConnectionThread {
    private let connection: NATSConnection
    private var session: Session?
    private var sessions: UInt64 = 0
    private var core: Monitor<ConnectionCore> { connection.core }
    private var log: Logger { connection.log }

    init(_ connection: NATSConnection) { self.connection = connection }

    /// Runs until the connection is closed. `started` gets nil when the first session stands, else why there is none.
    func run(waitUpTo: Duration, started: (NATSError?) -> Void) {
        let deadline = MonotonicTime.now() + waitUpTo
        while true {
            do throws(NATSError) {
                try openSession()
                break
            } catch {
                guard error.code == .notConnected, MonotonicTime.now() < deadline else { return started(error) }
                pause(connection.options.reconnectWait)
            }
        }
        started(nil)
        while work() {}
    }

    /// Does what is queued; false when it was told to close.
    private func work() -> Bool {
        let commands: [Command] = core.wait { core in
            core.commands.isEmpty ? .more(until: nil) : .done(core.takeCommands())
        }
        var sentBytes = 0
        for (index, command) in commands.enumerated() {
            switch command {
            case .publish(let message, let reply, let token):
                sentBytes += message.bytes
                guard send(message, reply: reply, token: token) else {
                    loseSession(unsent: commands[(index + 1)...], "sending failed")
                    repost(commands[(index + 1)...])
                    return true
                }
                if sentBytes > 1 << 20 {
                    core.withLock { [sentBytes] in $0.sent(bytes: sentBytes) }
                    sentBytes = 0
                }
            case .subscribe(let id): subscribe(id)
            case .unsubscribe(let id): session?.unsubscribe(id)
            case .sessionClosed(let number):
                guard number == session?.number else { continue }
                loseSession(unsent: commands[(index + 1)...], "closed by the other side")
                repost(commands[(index + 1)...])
                return true
            case .close:
                end(unsent: commands[(index + 1)...])
                return false
            }
        }
        core.withLock { [sentBytes] in $0.sent(bytes: sentBytes) }
        return true
    }

    /// False when the session is of no use any more.
    private func send(_ message: Outgoing, reply: String?, token: UInt64?) -> Bool {
        let error = session?.publish(message, reply: reply) ?? (session == nil ? NATSError(.notConnected, message.subject) : nil)
        guard let error else { return true }
        if let token, let pending = core.withLock({ $0.takePending(token) }) { pending.completion(.failure(error)) }
        switch error.code {
        case .tooLarge, .invalid: return true
        default: return false
        }
    }

    private func subscribe(_ id: UInt64) {
        guard let subscribed = core.withLock({ $0.subscriptions[id] }), let session else { return }
        do throws(NATSError) {
            try session.subscribe(id, to: subscribed.subject, subscribed.target)
        } catch {
            log.error("subscribing failed", metadata: ["subject": "\(subscribed.subject)", "error": "\(error)"])
        }
    }

    /// What is left of a batch after the session was lost, except for messages, whose senders were told.
    private func repost(_ commands: ArraySlice<Command>) {
        core.withLock { core in
            for command in commands {
                if case .publish = command { continue }
                core.post(command)
            }
        }
        reconnect()
    }

    private func openSession() throws(NATSError) {
        sessions += 1
        let opened = try Session(number: sessions, options: connection.options) { [core, sessions] in
            core.withLock { $0.post(.sessionClosed(sessions)) }
            core.wake()
        }
        session = opened
        let subscriptions = core.withLock { core in
            core.connectionMade()
            return core.subscriptions
        }
        for id in subscriptions.keys.sorted() { subscribe(id) }
        log.info("connected to NATS", metadata: ["server": "\(opened.url)"])
        notify(.made)
    }

    private func loseSession(unsent: ArraySlice<Command>, _ reason: String) {
        let failed = core.withLock { $0.connectionLost(unsent: unsent, message: reason) }
        session?.close()
        session = nil
        log.warning("connection to NATS lost", metadata: ["reason": "\(reason)", "requests": "\(failed.count)"])
        for (request, error) in failed { request.completion(.failure(error)) }
        notify(.lost)
    }

    private func reconnect() {
        while !core.withLock({ $0.closing }) {
            do throws(NATSError) {
                return try openSession()
            } catch {
                log.debug("connecting to NATS failed", metadata: ["error": "\(error)"])
            }
            pause(connection.options.reconnectWait)
        }
    }

    private func end(unsent: ArraySlice<Command>) {
        let failed = core.withLock { $0.connectionLost(unsent: unsent, message: "closed") }
        session?.close()
        session = nil
        for (request, error) in failed { request.completion(.failure(error)) }
        notify(.lost)
    }

    private func notify(_ event: ConnectionEvent) {
        for observer in core.withLock({ Array($0.observers.values) }) { observer(event) }
    }

    /// Waits, or until the connection is closed.
    private func pause(_ duration: Duration) {
        let deadline = MonotonicTime.now() + duration
        core.wait { core in
            core.closing || MonotonicTime.now() >= deadline ? .done(()) : .more(until: deadline)
        }
    }
}
