import Engine
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
            successorBrain = handOver?.brain
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

    /// What is left, and the word that the shard is free. Unless a successor of the same brain has followed, that is a
    /// release point.
    func giveUp() async throws {
        // The one before the release point is kept whatever becomes of that, and makes it short.
        let isPoint = successorBrain != around.worker.brain ? await writeSnapshot() : false
        isReleasing = true
        enter(.releasing)
        await waitForAcknowledgements()
        guard end == nil else { return }
        commit(isPoint ? await releaseKind() : .released, [])
        await waitForAcknowledgements()
        if end == nil { finish(.released) }
    }

    /// Writes the snapshot that makes the release a point where the brain may change. It is of the very commit that is
    /// written next, whose number and hash are known: once that commit is there, so is its snapshot, whatever crashes in
    /// between; and a snapshot whose commit never came is passed over.
    private func releaseKind() async -> Commit.Kind {
        guard let shard, let chain else { return .released }
        let made = chain.ahead(.releasePoint, [])
        let began = around.clock.now()
        // The snapshot is as of that very commit. Nothing runs any more: what follows is a release in any case.
        shard.follow(.releasePoint, nil, nil)
        if await writeSnapshot(of: shard, as: made.number, Halves(made.hash)) {
            log.info(
                "snapshot of the release point",
                metadata: ["commit": "\(made.number)", "milliseconds": "\(around.clock.now() - began)"])
            return .releasePoint
        }
        // The log holds all of it: who has the same brain can take the shard.
        log.warning(
            "no release point: only brain \(around.worker.brain) can take the shard now", metadata: ["commit": "\(made.number)"])
        return .released
    }

    private func waitForAcknowledgements() async {
        await wait { $0.end != nil || ($0.chain?.waiting.isEmpty ?? true) && !$0.isSettling }
    }
}
