import Foundation
import Model
import Ports

// When a worker may take a shard that the placement gives it.

extension ShardOwner {
    /// Waits until the shard is free: its log is empty, its last commit is a release, or whoever wrote it is not believed to
    /// live. Returns that last commit.
    func waitForTurn() async throws -> ReadCommit? {
        var seen: UInt64 = 0
        while true {
            guard end == nil else { throw CancellationError() }
            let last = try await lastCommit()
            guard let last, !isFree(last.commit) else { return last }
            seen = last.commit.number
            try await waitForNews(after: seen)
        }
    }

    private func isFree(_ last: Commit) -> Bool {
        last.kind == .released || !alive.contains(last.owner) || last.owner == around.worker.id.description
    }

    /// The newest commit of the shard's LOG.
    func lastCommit() async throws -> ReadCommit? {
        guard let record = try await around.logs.last(of: .commits(id)) else { return nil }
        return try ReadCommit(record)
    }

    /// Returns when the log has a release behind commit `number`, or the placement has changed.
    private func waitForNews(after number: UInt64) async throws {
        let reader = try await around.logs.read(.commits(id), from: number + 1)
        let known = alive
        let watch = Task {
            while true {
                for record in try await reader.next(max: 64) where try Commit.decoded(record.payload).commit.kind == .released {
                    return self.sawRelease()
                }
            }
        }
        sawNews = false
        await wait { $0.end != nil || $0.sawNews || $0.alive != known }
        watch.cancel()
        reader.close()
    }

    private func sawRelease() {
        sawNews = true
        check()
    }
}
