internal import Synchronization

/// Counts requests that wait for the log, and lets a stopping gateway wait for the last of them. Any thread.
final class OpenRequests: Sendable {
    private struct State {
        var count = 0
        var isStopping = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// False once stopping; then the request is to be refused.
    func begin() -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.count += 1
            return true
        }
    }

    func end() {
        let released = state.withLock { state in
            state.count -= 1
            guard state.count == 0, state.isStopping else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in released { continuation.resume() }
    }

    /// Lets no more in.
    func stop() { state.withLock { $0.isStopping = true } }

    /// Returns when none is open any more; call ``stop()`` before.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                guard state.count > 0 else { return true }
                state.waiting.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }
}
