internal import Model
package import Ports
internal import SimulatedPorts

/// The network between the roles: who listens and who serves.
// Sendable: used on the simulation's thread alone.
package final class MessageBoard: @unchecked Sendable {
    struct Listener {
        let host: Host
        let pattern: [Substring]
        let handler: @Sendable (String, [UInt8]) -> Void
    }

    struct Server {
        let host: Host
        let subject: String
        let handler: @Sendable ([UInt8]) async -> [UInt8]
    }

    let server: LogServer
    private var nextID = 0
    /// By the order in which they came.
    private(set) var listeners: [(id: Int, listener: Listener)] = []
    private(set) var servers: [(id: Int, server: Server)] = []

    package init(server: LogServer) { self.server = server }

    func add(_ listener: Listener) -> Int {
        nextID += 1
        listeners.append((nextID, listener))
        return nextID
    }

    func add(_ server: Server) -> Int {
        nextID += 1
        servers.append((nextID, server))
        return nextID
    }

    func remove(_ id: Int) {
        listeners.removeAll { $0.id == id }
        servers.removeAll { $0.id == id }
    }

    /// The dead listen no more.
    package func forget(_ host: Host) {
        listeners.removeAll { $0.listener.host === host }
        servers.removeAll { $0.server.host === host }
    }

    /// Brings something to a host, unless it is lost on the way.
    func travel(from: Host, to: Host, _ run: @escaping () -> Void) {
        guard from.state != .dead, !from.isCutOff, !to.isCutOff, !server.random.chance(perMille: server.rates.lostMessages) else {
            return
        }
        server.scheduler.after(milliseconds: server.latency(), for: to, run)
    }
}

/// Messages as one host sends and hears them.
// Sendable: used on the simulation's thread alone.
package final class HostMessaging: Messaging, @unchecked Sendable {
    private let host: Host
    private let board: MessageBoard

    package init(host: Host, board: MessageBoard) {
        self.host = host
        self.board = board
    }

    package func request(_ subject: String, _ payload: [UInt8], timeout: Duration) async throws(RequestError) -> [UInt8] {
        let servers = board.servers.map(\.server).filter { $0.subject == subject && $0.host.state != .dead }
        guard !servers.isEmpty else { throw RequestError(.nobody, "\(subject): nobody serves it") }
        let milliseconds = timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000
        let (host, board) = (host, board)
        let answer: [UInt8]? = await withCheckedContinuation { continuation in
            let first = FirstAnswer(continuation)
            for server in servers {
                board.travel(from: host, to: server.host) {
                    Task {
                        let answer = await server.handler(payload)
                        board.travel(from: server.host, to: host) { first.give(answer) }
                    }
                }
            }
            board.server.scheduler.after(milliseconds: milliseconds, for: host) { first.give(nil) }
        }
        guard let answer else { throw RequestError(.timeout, "\(subject): no answer within \(timeout)") }
        return answer
    }

    package func serve(
        _ subject: String, _ handler: @escaping @Sendable ([UInt8]) async -> [UInt8]
    ) async throws(RequestError) -> any Registration {
        let id = board.add(MessageBoard.Server(host: host, subject: subject, handler: handler))
        return BoardRegistration(board: board, id: id)
    }

    package func publish(_ subject: String, _ payload: [UInt8]) {
        let words = subject.split(separator: ".", omittingEmptySubsequences: false)
        for (_, listener) in board.listeners where Self.matches(listener.pattern, words) {
            board.travel(from: host, to: listener.host) { listener.handler(subject, payload) }
        }
    }

    package func listen(
        _ subject: String, _ handler: @escaping @Sendable (_ subject: String, _ payload: [UInt8]) -> Void
    ) async throws(RequestError) -> any Registration {
        let pattern = subject.split(separator: ".", omittingEmptySubsequences: false)
        let id = board.add(MessageBoard.Listener(host: host, pattern: pattern, handler: handler))
        return BoardRegistration(board: board, id: id)
    }

    private static func matches(_ pattern: [Substring], _ words: [Substring]) -> Bool {
        pattern.count == words.count && zip(pattern, words).allSatisfy { $0 == "*" || $0 == $1 }
    }
}

// Sendable: used on the simulation's thread alone.
private final class BoardRegistration: Registration, @unchecked Sendable {
    private let board: MessageBoard
    private let id: Int

    init(board: MessageBoard, id: Int) {
        self.board = board
        self.id = id
    }

    func close() { board.remove(id) }
}

// Sendable: used on the simulation's thread alone.
private final class FirstAnswer: @unchecked Sendable {
    private var continuation: CheckedContinuation<[UInt8]?, Never>?

    init(_ continuation: CheckedContinuation<[UInt8]?, Never>) { self.continuation = continuation }

    func give(_ answer: [UInt8]?) {
        let continuation = continuation
        self.continuation = nil
        continuation?.resume(returning: answer)
    }
}
