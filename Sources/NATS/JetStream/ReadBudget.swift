internal import Synchronization

/// Bounds what all readers of a connection may have asked for at once: a server drops a client that it has more than
/// 64 MB to send to.
final class ReadBudget: Sendable {
    private struct State {
        var bytesLeft: Int
        var waiting: [(bytes: Int, granted: @Sendable () -> Void)] = []
    }

    private let state: Mutex<State>

    init(bytesMax: Int) { state = Mutex(State(bytesLeft: bytesMax)) }

    /// Calls `granted` when the bytes are there, first come, first served.
    func take(_ bytes: Int, granted: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            guard state.waiting.isEmpty, state.bytesLeft >= bytes else {
                state.waiting.append((bytes, granted))
                return false
            }
            state.bytesLeft -= bytes
            return true
        }
        if now { granted() }
    }

    func giveBack(_ bytes: Int) {
        let granted = state.withLock { state in
            state.bytesLeft += bytes
            var granted: [@Sendable () -> Void] = []
            while let next = state.waiting.first, next.bytes <= state.bytesLeft {
                state.bytesLeft -= next.bytes
                granted.append(next.granted)
                state.waiting.removeFirst()
            }
            return granted
        }
        for call in granted { call() }
    }
}
