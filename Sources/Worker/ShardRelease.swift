import Foundation
import Logging
import Model
import Ports

// Giving a shard up as planned: the successor follows while this one serves; then the last commits and the release.

extension ShardOwner {
    /// How often it is looked whether the time is up.
    private static let lookMilliseconds: Int64 = 100

    /// Serves on until the successor has nearly all, or this one is to let go at once. False when the shard has come back,
    /// or ended.
    func waitForSuccessor() async -> Bool {
        handOver = HandOver(to: assignment.owner, since: around.clock.now())
        log.info("shard to be handed over", metadata: ["to": "\(assignment.owner?.description ?? "nobody")"])
        let looking = Task {
            while !Task.isCancelled {
                await self.pause(Self.lookMilliseconds)
                self.check()
            }
        }
        defer {
            looking.cancel()
            handOver = nil
        }
        await wait { $0.end != nil || $0.isMeantToOwn || $0.mayLetGo }
        return end == nil && !isMeantToOwn
    }

    private var mayLetGo: Bool {
        if isForced { return true }
        return handOver?.mayLetGo(acknowledged: chain?.acknowledged ?? 0, now: around.clock.now()) ?? false
    }

    /// The successor tells how far it is.
    func hear(_ progress: FollowerProgress) {
        handOver?.hear(progress, now: around.clock.now())
        check()
    }

    /// What is left, and the word that the shard is free. With nobody to follow there is time for a snapshot.
    func giveUp() async throws {
        isReleasing = true
        enter(.releasing)
        await waitForAcknowledgements()
        guard end == nil else { return }
        if assignment.owner == nil || assignment.owner == around.worker.id, let snapshot = snapshot() { await put(snapshot) }
        commit(.released, [])
        await waitForAcknowledgements()
        if end == nil { finish(.released) }
    }

    private func waitForAcknowledgements() async {
        await wait { $0.end != nil || ($0.chain?.waiting.isEmpty ?? true) && !$0.isSettling }
    }
}
