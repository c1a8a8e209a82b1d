import Engine
import Logging
import Model
import Ports
import Synchronization

// Snapshots while the shard works on: captured at an acknowledged commit, encoded chunk by chunk between its steps, written
// meanwhile. What no kept snapshot needs is then trimmed.

/// What a shard's owner keeps about snapshots.
struct Snapshotting {
    /// Nil until the bounds are known; meanwhile what comes is gathered in `early`.
    var schedule: SnapshotSchedule?
    var early = SnapshotSchedule.Tail()
    /// The newest one, upon which an increment can stand; nil = the next is whole.
    var manifest: SnapshotManifest?
    /// Asked for: no further commit is made until it is captured.
    var isWanted = false
    var isUnderWay = false
    /// Between capture and manifest; one at a time.
    var isCapturing = false
}

extension ShardOwner {
    /// Learns the bounds of the logs, and whether the snapshot that this owner began with is still the newest: only then
    /// can an increment stand upon it. Until it knows, no snapshot is due.
    func prepareSnapshots(upon manifest: SnapshotManifest?) async {
        while end == nil && !Task.isCancelled {
            do {
                let input = try await around.logs.state(of: .input(id))
                let commits = try await around.logs.state(of: .commits(id))
                let newest = try await around.snapshots.kept(of: .shard(id)).first
                prepare(input, commits, upon: manifest == newest ? manifest : nil, newest)
                return pump()
            } catch {
                log.warning("logs or snapshots cannot be asked", metadata: ["error": "\(error)"])
                await pause(Limits.snapshotRetryMilliseconds)
            }
        }
    }

    private func prepare(
        _ input: LogState, _ commits: LogState, upon manifest: SnapshotManifest?, _ newest: SnapshotManifest?
    ) {
        let shards = around.installation.shards.shards
        let threads = min(around.worker.threads, shards)
        var schedule = SnapshotSchedule(
            shardsPerThread: (shards + threads - 1) / threads, inputBytesMax: input.bytesMax,
            commitBytesMax: commits.bytesMax.map { CommitRoom(bound: $0).closesAt },
            atMostBytes: around.worker.snapshotEveryBytes, phase: snapshotPhase)
        schedule.add(snapshotting.early)
        // The tail that was replayed counts as well: it takes room in the logs, and time when it must be replayed again.
        let unread = commits.last - min(newest?.head.commit ?? 0, commits.last)
        let held = commits.last + 1 - commits.first
        if held > 0 { schedule.add(.init(commitBytes: Int(commits.bytes / held * min(unread, held)))) }
        let inputs = input.last + 1 - input.first
        let applied = shard?.inputSequence ?? 0
        let captured = max(newest?.head.need(of: .input(id)) ?? 0, input.first)
        if inputs > 0 && applied > captured {
            schedule.add(.init(inputBytes: Int(input.bytes / inputs * min(applied - captured, inputs))))
        }
        let (commitsRun, work) = follower.replayed
        if commitsRun > 0 { schedule.add(.init(work: work * min(unread, commitsRun) / commitsRun)) }
        snapshotting.schedule = schedule
        // One that was written here meanwhile is newer than what was asked for: changes count from that one on.
        snapshotting.manifest = snapshotting.manifest ?? manifest
        inputBytes += input.bytes
        inputBound = input.bytesMax ?? .max
        commitRoom.saw(commits)
        shown.withLock { $0.logBytes = commits.bytes }
        show(newest?.head)
    }

    /// Neighbouring numbers lie far apart: whichever shards a worker owns, theirs are spread.
    private var snapshotPhase: UInt8 { UInt8(truncatingIfNeeded: id.number &* 159) }

    /// Something came behind the last snapshot.
    func tailGrows(_ tail: SnapshotSchedule.Tail) {
        if snapshotting.schedule == nil { snapshotting.early = snapshotting.early + tail }
        snapshotting.schedule?.add(tail)
    }

    /// Starts a snapshot when one is due. Called after each acknowledged commit.
    func snapshotIfDue() {
        guard !snapshotting.isUnderWay, let schedule = snapshotting.schedule,
            schedule.isDue(now: around.clock.now(), nanoseconds: around.replayRate.nanoseconds)
        else { return }
        snapshotting.isUnderWay = true
        Task {
            await self.around.snapshotTurns.take { await self.writeSnapshot() }
            self.snapshotting.isUnderWay = false
            self.check()
        }
    }

    /// Writes a snapshot of the next commit that is acknowledged with none behind it, and trims what it makes needless.
    /// Returns whether it was written: one that cannot be is no fault of the shard, as the log holds all of it.
    ///
    /// - Parameter wholly: whole, so that it shares nothing with the one before, whatever an increment would save.
    @discardableResult
    func writeSnapshot(wholly: Bool = false) async -> Bool {
        while end == nil && !isQuiet {
            snapshotting.isWanted = true
            await wait { $0.end != nil || $0.isQuiet }
        }
        snapshotting.isWanted = false
        guard end == nil, let shard, let chain, chain.acknowledged > 0 else { return false }
        guard snapshotting.manifest?.head.commit != chain.acknowledged else { return true }
        let (commit, hash) = (chain.acknowledged, Halves(chain.acknowledgedHash))
        guard await writeSnapshot(of: shard, as: commit, hash, wholly: wholly) else { return false }
        await trim()
        return true
    }

    /// Writes the state as it stands now as that of a commit: the last one that is acknowledged, or the next one when that
    /// changes nothing. Nothing may be in flight.
    func writeSnapshot(of shard: Shard, as commit: UInt64, _ hash: Halves, wholly: Bool = false) async -> Bool {
        while end == nil && snapshotting.isCapturing { await wait { $0.end != nil || !$0.snapshotting.isCapturing } }
        guard end == nil else { return false }
        let whole = wholly || SnapshotSchedule.isWhole(shard.snapshotEstimate, upon: snapshotting.manifest)
        let head = snapshotHead(of: shard, as: commit, hash)
        snapshotting.isCapturing = true
        shard.beginSnapshot(whole: whole)
        snapshotting.schedule?.begin()
        pump()
        let written = await write(head, of: shard, upon: whole ? nil : snapshotting.manifest)
        shard.endSnapshot(written: written != nil)
        snapshotting.schedule?.end(written: written != nil, now: around.clock.now())
        snapshotting.isCapturing = false
        check()
        guard let written else { return false }
        snapshotting.manifest = written
        show(head)
        return true
    }

    func snapshotHead(of shard: Shard, as commit: UInt64, _ hash: Halves) -> SnapshotHead {
        SnapshotHead(
            commit: commit, commitHash: hash.value, format: Shard.snapshotFormat, time: around.clock.now(),
            needs: [
                LogNeed(.input(id), from: max(shard.inputSequence, 1)), LogNeed(.commits(id), from: commit),
                LogNeed(.configuration, from: max(shard.rules.set.revision, 1)),
            ])
    }

    /// Everything is acknowledged, and no other snapshot is being captured.
    var isQuiet: Bool { (chain?.waiting.isEmpty ?? true) && !isSettling && !snapshotting.isCapturing }

    private func write(_ head: SnapshotHead, of shard: Shard, upon manifest: SnapshotManifest?) async -> SnapshotManifest? {
        do {
            let writer = try await around.snapshots.write(head, of: .shard(id), upon: manifest)
            var chunks = 0
            while let chunk = shard.nextSnapshotChunk() {
                guard end == nil else { return nil }
                guard shard.snapshotBytesWaiting <= Limits.snapshotWaitingBytesMax else {
                    throw WorkerFault("its customers change faster than the snapshot can be written")
                }
                try await writer.append(chunk)
                chunks += 1
                if chunks.isMultiple(of: Limits.snapshotChunksPerTurn) { await giveWay() }
            }
            let written = try await writer.finish()
            log.info(
                "snapshot written",
                metadata: [
                    "commit": "\(head.commit)", "kind": manifest == nil ? "whole" : "increment \(written.parts.count - 1)",
                    "bytes": "\(written.parts.last?.bytes ?? 0)",
                ])
            return written
        } catch {
            log.warning("snapshot not written", metadata: ["commit": "\(head.commit)", "error": "\(error)"])
            return nil
        }
    }

    func trim() async {
        do {
            let outcome = try await Trimming(logs: around.logs, snapshots: around.snapshots).trim(id)
            let commits = try await around.logs.state(of: .commits(id))
            shown.withLock { $0.logBytes = commits.bytes }
            if let first = outcome.inputBelow, first > 1 { inputBytes = try await around.logs.state(of: .input(id)).bytes }
            if commitRoom.state == .open { commitRoom.saw(commits) }
            log.debug(
                "trimmed",
                metadata: [
                    "IN-below": "\(outcome.inputBelow ?? 0)", "LOG-below": "\(outcome.commitsBelow ?? 0)",
                    "waiting-for": "\(outcome.waitingFor.map { "\($0)" } ?? "nobody")",
                ])
        } catch {
            log.warning("logs not trimmed", metadata: ["error": "\(error)"])
        }
    }

    private func show(_ head: SnapshotHead?) {
        shown.withLock { status in
            status.snapshotCommit = head?.commit
            status.snapshotMilliseconds = head?.time.milliseconds
        }
    }
}
