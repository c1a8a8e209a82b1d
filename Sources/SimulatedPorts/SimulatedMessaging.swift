internal import Dispatch
internal import Model
package import Ports
internal import Synchronization

/// Messages in memory. Listeners are called in order on a queue of their own. Safe to call from any thread.
package final class SimulatedMessaging: Messaging {
    private struct Listener {
        var pattern: [Substring]
        var queue: DispatchQueue
        var handler: @Sendable (String, [UInt8]) -> Void
    }

    private struct Server {
        var subject: String
        var handler: @Sendable ([UInt8]) async -> [UInt8]
    }

    private struct State {
        var nextID: UInt64 = 0
        var listeners: [UInt64: Listener] = [:]
        var servers: [UInt64: Server] = [:]
        var isAvailable = true
    }

    private let state = Mutex(State())
    private let clock: any WallClock

    /// - Parameter clock: requests time out by it.
    package init(clock: any WallClock) { self.clock = clock }

    /// While not available, nothing is delivered and requests are answered `unavailable`.
    package func setAvailable(_ isAvailable: Bool) { state.withLock { $0.isAvailable = isAvailable } }

    /// Waits until every message published before has been handled by its listeners.
    package func drain() async {
        for queue in state.withLock({ $0.listeners.values.map(\.queue) }) {
            await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
        }
    }

    package func request(_ subject: String, _ payload: [UInt8], timeout: Duration) async throws(RequestError) -> [UInt8] {
        let (isAvailable, handlers) = state.withLock { state in
            (
                state.isAvailable,
                state.servers.sorted { $0.key < $1.key }.map(\.value).filter { $0.subject == subject }.map(\.handler)
            )
        }
        guard isAvailable else { throw RequestError(.unavailable, "\(subject): simulated") }
        guard !handlers.isEmpty else { throw RequestError(.nobody, "\(subject): nobody serves it") }
        let parts = timeout.components
        let deadline = clock.now() + (parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
        let answer = FirstAnswer()
        for handler in handlers { Task { await answer.give(handler(payload)) } }
        let clock = clock
        let timer = Task {
            try await clock.sleep(until: deadline)
            answer.give(nil)
        }
        let given = await withTaskCancellationHandler {
            await answer.wait()
        } onCancel: {
            answer.give(nil)
        }
        timer.cancel()
        guard let given else { throw RequestError(.timeout, "\(subject): no answer within \(timeout)") }
        return given
    }

    package func serve(
        _ subject: String, _ handler: @escaping @Sendable ([UInt8]) async -> [UInt8]
    ) async throws(RequestError) -> any Registration {
        let id = register { $0.servers[$1] = Server(subject: subject, handler: handler) }
        return SimulatedRegistration { self.state.withLock { _ = $0.servers.removeValue(forKey: id) } }
    }

    package func publish(_ subject: String, _ payload: [UInt8]) {
        let words = subject.split(separator: ".", omittingEmptySubsequences: false)
        state.withLock { state in
            guard state.isAvailable else { return }
            // Enqueued inside the lock: listeners see messages in one order.
            for (id, listener) in state.listeners where Self.matches(listener.pattern, words) {
                listener.queue.async {
                    let isListening = self.state.withLock { $0.listeners[id] != nil }
                    if isListening { listener.handler(subject, payload) }
                }
            }
        }
    }

    package func listen(
        _ subject: String, _ handler: @escaping @Sendable (_ subject: String, _ payload: [UInt8]) -> Void
    ) async throws(RequestError) -> any Registration {
        let pattern = subject.split(separator: ".", omittingEmptySubsequences: false)
        let queue = DispatchQueue(label: "simulated messaging")
        let id = register { $0.listeners[$1] = Listener(pattern: pattern, queue: queue, handler: handler) }
        return SimulatedRegistration { self.state.withLock { _ = $0.listeners.removeValue(forKey: id) } }
    }

    private func register(_ add: (inout State, UInt64) -> Void) -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            add(&state, state.nextID)
            return state.nextID
        }
    }

    private static func matches(_ pattern: [Substring], _ words: [Substring]) -> Bool {
        pattern.count == words.count && zip(pattern, words).allSatisfy { $0 == "*" || $0 == $1 }
    }
}

private final class SimulatedRegistration: Registration {
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void) { self.end = end }

    func close() { end() }
}

/// The first of several answers; nil = the time was up.
private final class FirstAnswer: Sendable {
    private struct State {
        var isGiven = false
        var answer: [UInt8]?
        var waiter: CheckedContinuation<[UInt8]?, Never>?
    }

    private let state = Mutex(State())

    func give(_ answer: [UInt8]?) {
        let waiter = state.withLock { state -> CheckedContinuation<[UInt8]?, Never>? in
            guard !state.isGiven else { return nil }
            state.isGiven = true
            state.answer = answer
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: answer)
    }

    func wait() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let (isGiven, answer) = state.withLock { state in
                if !state.isGiven { state.waiter = continuation }
                return (state.isGiven, state.answer)
            }
            if isGiven { continuation.resume(returning: answer) }
        }
    }
}
