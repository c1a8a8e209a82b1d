package import Model
internal import Ports
internal import Synchronization

/// A clock that stands still until it is advanced. Safe to call from any thread.
package final class ManualClock: WallClock {
    private struct Sleeper {
        var until: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        var isMet: @Sendable ([Instant]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var now: Instant
        var nextID: UInt64 = 0
        var sleepers: [UInt64: Sleeper] = [:]
        /// Sleeps whose task was cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
        var watchers: [Watcher] = []

        mutating func metWatchers() -> [Watcher] {
            let times = sleepers.values.map(\.until).sorted()
            let met = watchers.filter { $0.isMet(times) }
            watchers.removeAll { $0.isMet(times) }
            return met
        }
    }

    private let state: Mutex<State>

    package init(at instant: Instant = Instant(milliseconds: 1_700_000_000_000)) {
        state = Mutex(State(now: instant))
    }

    package func now() -> Instant { state.withLock { $0.now } }

    package func sleep(until instant: Instant) async throws {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let (outcome, met) = state.withLock { state -> (Result<Void, any Error>?, [Watcher]) in
                    if state.cancelled.contains(id) { return (.failure(CancellationError()), []) }
                    if state.now >= instant { return (.success(()), []) }
                    state.sleepers[id] = Sleeper(until: instant, continuation: continuation)
                    return (nil, state.metWatchers())
                }
                if let outcome { continuation.resume(with: outcome) }
                for watcher in met { watcher.continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Lets so much time pass and wakes who is due, earliest first.
    package func advance(milliseconds: Int64) {
        advance(to: now() + milliseconds)
    }

    /// Sets the time, never back, and wakes who is due, earliest first.
    package func advance(to instant: Instant) {
        let due = state.withLock { state in
            state.now = max(state.now, instant)
            let now = state.now
            let due = state.sleepers.filter { $0.value.until <= now }
            for id in due.keys { state.sleepers.removeValue(forKey: id) }
            return due.sorted { ($0.value.until, $0.key) < ($1.value.until, $1.key) }
        }
        for sleeper in due { sleeper.value.continuation.resume() }
    }

    /// Those who sleep now: when each wants to wake, ascending.
    package var sleepers: [Instant] { state.withLock { $0.sleepers.values.map(\.until).sorted() } }

    /// Waits until at least so many sleep.
    package func waitForSleepers(_ count: Int) async {
        await wait { $0.count >= count }
    }

    /// Waits until somebody sleeps until exactly this instant.
    package func waitForSleeper(until instant: Instant) async {
        await wait { $0.contains(instant) }
    }

    private func wait(_ isMet: @escaping @Sendable ([Instant]) -> Bool) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let met = state.withLock { state in
                state.watchers.append(Watcher(isMet: isMet, continuation: continuation))
                return state.metWatchers()
            }
            for watcher in met { watcher.continuation.resume() }
        }
    }
}
