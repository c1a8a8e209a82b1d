import Model
import Synchronization

/// So many shards of a worker write a snapshot at once: under even load all become due together. Safe to use from any thread.
final class SnapshotTurns: Sendable {
    private struct State {
        var free: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ atOnce: Int = Limits.snapshotsAtOnce) { state = Mutex(State(free: atOnce)) }

    /// Runs the body when its turn has come; first come, first served.
    func take(isolation: isolated (any Actor)? = #isolation, _ body: () async -> Void) async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiters.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
        await body()
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
