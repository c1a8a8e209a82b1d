import Engine
import Foundation
import Logging
import Model
import Ports
import Synchronization

// Until the shard is owned: following its log, waiting for its turn, the fence.

extension ShardOwner {
    /// How often the owner is told how far this one is, and how often it must be missing to be believed gone.
    private static let tellMilliseconds: Int64 = 50
    private static let missingMilliseconds: Int64 = 2000
    private static let retryMilliseconds: Int64 = 250

    /// Follows the log. Returns when this worker is to own the shard, it is free, and everything in its log has been run
    /// again; or when the shard is no longer this worker's.
    func follow() async {
        enter(.recovering)
        letGoUnlessNamed()
        absentAt = nil
        follower.reopen()
        isCaughtUp = false
        let following = Task { await self.keepFollowing() }
        let telling = Task { await self.tellOwner() }
        await waitToOwn()
        telling.cancel()
        follower.close()
        await following.value
    }

    /// Catches up with the log when it is this shard's turn, and then goes on with it.
    private func keepFollowing() async {
        while end == nil && !isCaughtUp {
            let began = around.clock.now()
            // Not all at once: those that come first serve while the others are loaded, and memory and thread are left to
            // what is served already.
            await around.recoveryTurns.take(isUrgent: isMeantToOwn) { isCaughtUp = await catchUp() }
            guard isCaughtUp else {
                guard await mayTryAgain() else { return }
                continue
            }
            let (commits, work) = follower.replayed
            log.info(
                "caught up with the log",
                metadata: ["commits": "\(commits)", "work": "\(work)", "milliseconds": "\(around.clock.now() - began)"])
            check()
        }
        while end == nil {
            let isGoingOn = await advance()
            if !isGoingOn, await !mayTryAgain() { return }
        }
    }

    private func mayTryAgain() async -> Bool {
        guard end == nil, !follower.isClosed else { return false }
        await pause(Self.retryMilliseconds)
        return true
    }

    /// Loads the newest snapshot, looks where the log ends, and runs again what is in between. False when it could not.
    private func catchUp() async -> Bool {
        while end == nil && !follower.isUnderWay {
            guard await advance() else { return false }
        }
        guard end == nil else { return false }
        do {
            lastRead = try await lastCommit()
        } catch let error as LogError {
            log.warning("log not readable", metadata: ["error": "\(error)"])
            return false
        } catch {
            finish(.failed("\(error)"))
            return false
        }
        let number = lastRead?.commit.number ?? 0
        while end == nil && !(follower.isUnderWay && follower.standing.end.number >= number) {
            guard await advance() else { return false }
        }
        return end == nil
    }

    /// False when it could not: it has been closed, or the log cannot be read now, or the shard has failed.
    private func advance() async -> Bool {
        do {
            try await follower.advance()
            check()
            return true
        } catch is CancellationError {
            return false
        } catch let error as LogError where error.code == .unavailable || error.code == .ambiguous {
            log.warning("log not readable", metadata: ["error": "\(error)"])
            return false
        } catch {
            finish(.failed("\(error)"))
            return false
        }
    }

    private func waitToOwn() async {
        await wait { $0.end != nil || $0.isCaughtUp }
        while end == nil {
            // What the log held when it was looked at: nothing before that can be the end.
            let number = lastRead?.commit.number ?? 0
            await wait { $0.end != nil || $0.follower.isUnderWay && $0.follower.standing.end.number >= number }
            guard end == nil else { return }
            enter(.following)
            if isMeantToOwn && isFree && canTake { return }
            await wait { $0.end != nil || $0.isMeantToOwn && $0.isFree && $0.canTake }
            // Behind a release there is nothing but another's fence. Otherwise the end is to be looked for again.
            if follower.standing.end.number > number && follower.standing.kind?.endsOwnership == true { return }
            guard let last = await readLast() else { return }
            lastRead = last
        }
    }

    /// The log's last commit; nil inside when it is empty, nil when the shard is no longer this worker's.
    private func readLast() async -> ReadCommit?? {
        while end == nil {
            do {
                return .some(try await lastCommit())
            } catch is LogError {
                await pause(Self.retryMilliseconds)
            } catch {
                finish(.failed("\(error)"))
            }
        }
        return nil
    }

    /// The newest commit of the shard's LOG.
    func lastCommit() async throws -> ReadCommit? {
        guard let record = try await around.logs.last(of: .commits(id)) else { return nil }
        return try ReadCommit(record)
    }

    /// Whether nobody needs to be waited for: the log is empty, its last commit is a release, or whoever wrote it is this
    /// worker, or not believed to live, or not there. The last is the one that was read, or what was followed behind it.
    var isFree: Bool {
        let standing = follower.standing
        if absentAt == standing.end.number { return true }
        let isNewer = standing.end.number > lastRead?.commit.number ?? 0
        guard let owner = isNewer ? standing.owner : lastRead?.commit.owner else { return true }
        let kind = isNewer ? standing.kind : lastRead?.commit.kind
        return kind?.endsOwnership == true || !alive.contains(owner) || owner == me
    }

    /// Who cannot run the commits again needs a release point as if it had another brain.
    private var brainToTell: UInt32 { follower.isRefusing ? 0 : around.worker.brain }

    /// Tells whoever serves the shard how far this worker has followed, for as long as it is meant to own it; and finds out
    /// when nobody does.
    private func tellOwner() async {
        var missingSince: Instant?
        while end == nil && !Task.isCancelled {
            await pause(Self.tellMilliseconds)
            guard isMeantToOwn, follower.isUnderWay else { continue }
            let progress = FollowerProgress(
                worker: around.worker.id, brain: brainToTell, commit: follower.standing.end.number)
            do {
                _ = try await around.messaging.request(
                    "shard.\(id.number).following", encoded(progress), timeout: .milliseconds(Limits.heartbeatMilliseconds))
                missingSince = nil
            } catch  where error.code == .nobody {
                let now = around.clock.now()
                missingSince = missingSince ?? now
                if let since = missingSince, now - since >= Self.missingMilliseconds, phase == .following {
                    absentAt = progress.commit
                    check()
                }
            } catch {
                missingSince = nil
            }
        }
    }

    func pause(_ milliseconds: Int64) async {
        // Cancelled it returns at once, and whoever asked looks whether it goes on.
        try? await around.clock.sleep(until: around.clock.now() + milliseconds)
    }

    // MARK: The fence

    /// Appends the fence and waits for its acknowledgement: from then on whoever owned the shard before is refused. False
    /// when another commit has its place, which is to be followed first.
    func fence() async throws -> Bool {
        guard let ready = follower.shard else { return try await fenceTrusting() }
        return try await fence(ready, .fence, [], ready.nextTakeover())
    }

    /// Appends the first commit of an epoch behind where the follower stands, for a state that is as of then.
    func fence(_ ready: Shard, _ kind: Commit.Kind, _ steps: [Step], _ takeover: Takeover) async throws -> Bool {
        let before = follower.standing
        isFencing = true
        shard = ready
        chain = CommitChain(shard: id, owner: me, brain: around.worker.brain, after: before.end)
        commit(kind, steps, takeover: takeover)
        await wait { $0.chain?.waiting.isEmpty ?? true || $0.end != nil }
        isFencing = false
        guard end == nil, let chain else { return false }
        // It counts now: until it was acknowledged another's commit might have had its place.
        ready.follow(kind, takeover, nil)
        guard let fence = try await record(chain.acknowledged) else { return false }
        let pause = before.time.map { fence.time - $0 }
        shown.withLock { $0.pauseMilliseconds = pause }
        log.info(
            "shard taken",
            metadata: [
                "commit": "\(chain.acknowledged)", "epoch": "\(chain.epoch)", "customers": "\(ready.customers)",
                "before": "\(before.kind?.endsOwnership == true ? "released" : before.owner ?? "nobody")",
                "pauseMilliseconds": "\(pause ?? 0)",
            ])
        if let taken = follower.take() { (inputs, inputReader) = (taken.inputs, taken.reader) }
        return true
    }

    /// A commit that is known to be in the log; nil when the shard has ended meanwhile.
    private func record(_ number: UInt64) async throws -> LogRecord? {
        while end == nil {
            do {
                if let record = try await around.logs.record(number, of: .commits(id)) { return record }
                throw WorkerFault("commit \(number) was acknowledged and is not in the log")
            } catch let error as LogError {
                log.warning("log not readable", metadata: ["error": "\(error)"])
                await pause(Self.retryMilliseconds)
            }
        }
        return nil
    }

    /// Another's commit has the fence's place: this one was not taken, and is forgotten.
    func giveUpFence(to owner: String) {
        log.info("another commit came before the fence", metadata: ["of": "\(owner)"])
        chain = nil
        shard = nil
        isSettling = false
        check()
    }
}
