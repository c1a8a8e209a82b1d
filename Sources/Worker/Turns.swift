import Synchronization

/// So many at once do something costly, the others wait: who is urgent before who is not, otherwise first come, first served.
/// Safe to use from any thread.
final class Turns: Sendable {
    private struct State {
        var free: Int
        var urgent: [CheckedContinuation<Void, Never>] = []
        var waiting: [CheckedContinuation<Void, Never>] = []

        mutating func takeNext() -> CheckedContinuation<Void, Never>? {
            if !urgent.isEmpty { return urgent.removeFirst() }
            return waiting.isEmpty ? nil : waiting.removeFirst()
        }
    }

    private let state: Mutex<State>

    init(_ atOnce: Int) { state = Mutex(State(free: atOnce)) }

    /// Who waits now.
    var waitingCount: Int { state.withLock { $0.urgent.count + $0.waiting.count } }

    /// Runs the body when its turn has come.
    func take(isUrgent: Bool = false, isolation: isolated (any Actor)? = #isolation, _ body: () async -> Void) async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                if isUrgent { state.urgent.append(continuation) } else { state.waiting.append(continuation) }
                return false
            }
            if isFree { continuation.resume() }
        }
        await body()
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            let next = state.takeNext()
            if next == nil { state.free += 1 }
            return next
        }
        next?.resume()
    }
}
