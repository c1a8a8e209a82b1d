/// A message to send.
struct Outgoing: Sendable {
    let subject: String
    let headers: [NATSHeader]
    let payload: [UInt8]

    /// What it counts towards the bound of the queue.
    var bytes: Int { payload.count + subject.utf8.count + headers.reduce(128) { $0 + $1.wireBytes } }
}

/// What the connection's thread is to do, in order.
enum Command: Sendable {
    /// `token`: of the request whose answer is awaited; nil = no answer.
    case publish(Outgoing, reply: String?, token: UInt64?)
    case subscribe(UInt64)
    case unsubscribe(UInt64)
    case sessionClosed(UInt64)
    case close
}

package typealias RequestCompletion = @Sendable (Result<NATSMessage, NATSError>) -> Void

/// The state of a connection: what is queued, which answers are awaited, what is subscribed. Pure; callers lock.
struct ConnectionCore {
    struct Pending {
        let subject: String
        let deadline: MonotonicTime
        let completion: RequestCompletion
    }

    struct Subscribed {
        let subject: String
        let target: SubscriptionTarget
    }

    let queueBytesMax: Int
    private(set) var commands: [Command] = []
    private(set) var queuedBytes = 0
    private(set) var connected = false
    private(set) var closing = false
    private(set) var pending: [UInt64: Pending] = [:]
    private(set) var subscriptions: [UInt64: Subscribed] = [:]
    var observers: [UInt64: @Sendable (ConnectionEvent) -> Void] = [:]
    /// No pending deadline lies before it.
    private var earliest: MonotonicTime?
    private var lastNumber: UInt64 = 0

    init(queueBytesMax: Int) { self.queueBytesMax = queueBytesMax }

    /// A number that was not given before.
    mutating func number() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func post(_ command: Command) {
        commands.append(command)
        if case .close = command { closing = true }
    }

    mutating func publish(_ message: Outgoing, reply: String?, token: UInt64? = nil) throws(NATSError) {
        if closing { throw NATSError(.closed, "\(message.subject): the connection was closed") }
        guard connected else { throw NATSError(.notConnected, "\(message.subject): no connection to a server") }
        guard queuedBytes + message.bytes <= queueBytesMax else {
            throw NATSError(.queueFull, "\(message.subject): \(queuedBytes) bytes wait to be sent, allowed are \(queueBytesMax)")
        }
        queuedBytes += message.bytes
        commands.append(.publish(message, reply: reply, token: token))
    }

    /// Queues a request. Returns the time at which `expire` must be called, when that is earlier than any before.
    mutating func request(
        _ message: Outgoing, inbox: String, deadline: MonotonicTime, completion: @escaping RequestCompletion
    ) throws(NATSError) -> MonotonicTime? {
        let token = number()
        try publish(message, reply: inbox + String(token), token: token)
        return expect(token, Pending(subject: message.subject, deadline: deadline, completion: completion))
    }

    /// As `request`, of ourselves: what comes back has passed the server.
    mutating func echo(
        inbox: String, deadline: MonotonicTime, completion: @escaping RequestCompletion
    ) throws(NATSError) -> MonotonicTime? {
        let token = number()
        let message = Outgoing(subject: inbox + String(token), headers: [], payload: [])
        try publish(message, reply: nil, token: token)
        return expect(token, Pending(subject: message.subject, deadline: deadline, completion: completion))
    }

    private mutating func expect(_ token: UInt64, _ request: Pending) -> MonotonicTime? {
        pending[token] = request
        let deadline = request.deadline
        if let earliest, earliest <= deadline { return nil }
        earliest = deadline
        return deadline
    }

    mutating func takePending(_ token: UInt64) -> Pending? { pending.removeValue(forKey: token) }

    /// The requests whose time is over, and when to look again.
    mutating func expire(now: MonotonicTime) -> (expired: [Pending], next: MonotonicTime?) {
        var expired: [Pending] = []
        var next: MonotonicTime?
        for (token, request) in pending {
            if request.deadline <= now {
                expired.append(request)
                pending[token] = nil
            } else if next.map({ request.deadline < $0 }) ?? true {
                next = request.deadline
            }
        }
        earliest = next
        return (expired, next)
    }

    mutating func takeCommands() -> [Command] {
        defer { commands = [] }
        return commands
    }

    mutating func sent(bytes: Int) { queuedBytes -= bytes }

    mutating func subscribe(_ subject: String, _ target: SubscriptionTarget) -> UInt64 {
        let id = number()
        subscriptions[id] = Subscribed(subject: subject, target: target)
        commands.append(.subscribe(id))
        return id
    }

    mutating func unsubscribe(_ id: UInt64) {
        if subscriptions.removeValue(forKey: id) != nil { commands.append(.unsubscribe(id)) }
    }

    mutating func connectionMade() { connected = true }

    /// Forgets what waits for sending or for an answer. Every request comes back with the error that is true of it: what is
    /// still in the queue, or was in `unsent`, did not leave; of the others nothing is known.
    mutating func connectionLost(unsent: ArraySlice<Command>, message: String) -> [(Pending, NATSError)] {
        connected = false
        var failed: [(Pending, NATSError)] = []
        for case .publish(let message, _, let token?) in Array(unsent) + commands {
            guard let request = pending.removeValue(forKey: token) else { continue }
            failed.append((request, NATSError(closing ? .closed : .notConnected, "\(message.subject): connection lost")))
        }
        commands.removeAll { if case .publish = $0 { true } else { false } }
        queuedBytes = 0
        for request in pending.values {
            failed.append(
                (request, NATSError(.disconnected, "\(request.subject): connection lost before the answer: \(message)")))
        }
        pending = [:]
        earliest = nil
        return failed
    }
}
