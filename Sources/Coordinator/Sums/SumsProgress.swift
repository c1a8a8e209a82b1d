internal import Model
internal import Ports
internal import Synchronization

/// How far the sums are, and waiting for it. Safe to call from any thread.
final class SumsProgress: Sendable {
    private struct Waiter {
        var commits: [Int: UInt64]
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var contained: [UInt64]
        var seen: [UInt64]
        /// Of each LOG, since the sums had their last snapshot.
        var bytesFolded: [Int]
        var problems: [Int: String] = [:]
        var waiters: [UInt64: Waiter] = [:]
        var nextID: UInt64 = 0

        func contains(_ commits: [Int: UInt64]) -> Bool {
            commits.allSatisfy { $0.value <= contained[$0.key] }
        }
    }

    private let state: Mutex<State>

    init(contained: [UInt64]) {
        state = Mutex(State(contained: contained, seen: contained, bytesFolded: contained.map { _ in 0 }))
    }

    /// The sums contain the shard's commits up to this one.
    func contain(_ number: UInt64, of shard: ShardID) {
        let reached = state.withLock { state in
            state.contained[Int(shard.number)] = number
            // It goes on.
            state.problems[Int(shard.number)] = nil
            state.seen[Int(shard.number)] = max(number, state.seen[Int(shard.number)])
            let reached = state.waiters.filter { state.contains($0.value.commits) }
            for id in reached.keys { state.waiters.removeValue(forKey: id) }
            return reached.values.map(\.continuation)
        }
        for waiter in reached { waiter.resume() }
    }

    /// The shard's log has at least so many commits. Shards that do not exist are passed over.
    func see(_ number: UInt64, of shard: Int) {
        state.withLock { state in
            guard state.seen.indices.contains(shard) else { return }
            state.seen[shard] = max(number, state.seen[shard])
        }
    }

    /// So many bytes of the shard's LOG were added.
    func fold(bytes: Int, of shard: ShardID) { state.withLock { $0.bytesFolded[Int(shard.number)] += bytes } }

    var bytesFolded: [Int] { state.withLock { $0.bytesFolded } }
    var mostBytesFolded: Int { state.withLock { $0.bytesFolded.max() ?? 0 } }

    /// A snapshot contains at least these bytes.
    func snapshotTaken(of bytes: [Int]) {
        state.withLock { state in
            for shard in state.bytesFolded.indices { state.bytesFolded[shard] -= bytes[shard] }
        }
    }

    func fail(_ shard: ShardID, _ problem: String) {
        state.withLock { $0.problems[Int(shard.number)] = problem }
    }

    var problems: [Int: String] { state.withLock { $0.problems } }

    /// Commits that are known to exist and are not contained.
    var lag: UInt64 {
        state.withLock { state in zip(state.seen, state.contained).reduce(0) { $0 + ($1.0 - $1.1) } }
    }

    func contained(of shards: some Sequence<Int>) -> [Int: UInt64] {
        state.withLock { state in
            shards.reduce(into: [:]) { found, shard in
                if state.contained.indices.contains(shard) { found[shard] = state.contained[shard] }
            }
        }
    }

    /// Waits until the commits are contained or the time has come. True when they are. All shards must exist.
    func wait(for commits: [Int: UInt64], until deadline: Instant, clock: any WallClock) async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        // A cancelled sleep gives the waiter up too, which does no harm then.
        let timer = Task {
            defer { giveUp(id) }
            try await clock.sleep(until: deadline)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let waits = state.withLock { state in
                    guard !state.contains(commits), !Task.isCancelled, clock.now() < deadline else { return false }
                    state.waiters[id] = Waiter(commits: commits, continuation: continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            giveUp(id)
        }
        timer.cancel()
        return state.withLock { $0.contains(commits) }
    }

    private func giveUp(_ id: UInt64) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume()
    }
}
