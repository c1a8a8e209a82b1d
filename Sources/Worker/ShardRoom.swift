import Engine
import Logging
import Model
import Ports
import Synchronization

// Room in the logs. Snapshots and trimming follow acknowledged commits; a shard that can commit no more, or has nothing to
// commit, must come to them without.

extension ShardOwner {
    /// Looks after the logs' room for as long as the shard is fenced or served here.
    ///
    ///     LOG open, IN not pressed --> a snapshot that is due, and could not be written when the last commit came
    ///     LOG refuses as full      --> trimmed by the snapshots there are
    ///     LOG closed               --> two snapshots of the last commit and of a spacer behind it --> trimmed
    ///                              --> when only the older snapshot of the sums holds LOG: a spacer, so that they can have
    ///                                  another --> trimmed
    ///     IN pressed by what is applied --> the same two snapshots --> trimmed
    ///     IN pressed, and what was read is not applied --> the same, however little is applied
    ///
    /// None of it needs a step to be committed, so that whatever made a log full, it comes free when that is over.
    func keepRoom() async {
        while end == nil && !Task.isCancelled {
            await pause(Limits.roomLookMilliseconds)
            guard end == nil, !Task.isCancelled, chain != nil else { continue }
            if phase == .serving { snapshotIfDue() }
            do {
                if isRefusedAsFull || commitRoom.state != .open { try await lookAtCommits() }
                if phase == .serving { try await lookAtInput() }
            } catch {
                log.warning("the logs' room is not known", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Asks LOG how full it is, and makes room when it is closed.
    func lookAtCommits() async throws {
        if try await askForRoom() { return }
        await trim()
        if try await askForRoom() { return }
        guard phase == .serving, isQuiet else { return }
        try await writeTwoSnapshots()
        try await makeSpacerForSums()
        await trim()
        _ = try await askForRoom()
    }

    /// What was sent may have come to the limit: whether it has is not waited for.
    func askAtOnce() async {
        do { _ = try await askForRoom() } catch {
            log.warning("the log's room is not known", metadata: ["error": "\(error)"])
        }
    }

    /// Whether LOG is open again.
    private func askForRoom() async throws -> Bool {
        let state = try await around.logs.state(of: .commits(id))
        guard end == nil else { return true }
        let before = commitRoom.state
        commitRoom.saw(state)
        shown.withLock { $0.logBytes = state.bytes }
        if commitRoom.state == .closed {
            // It may have been found closed when serving began.
            guard fullProblem == nil else { return false }
            fullProblem =
                "LOG.\(id) holds \(state.bytes) of \(state.bytesMax ?? 0) bytes: nothing is applied until it can be trimmed"
            log.error("LOG is nearly full", metadata: ["bytes": "\(state.bytes)", "bound": "\(state.bytesMax ?? 0)"])
            check()
            return false
        }
        if before == .closed { log.notice("LOG has room again", metadata: ["bytes": "\(state.bytes)"]) }
        fullProblem = nil
        check()
        pump()
        return !isRefusedAsFull
    }

    /// IN is trimmed below what the older snapshot has read. When much of a nearly full one is applied and still there, that
    /// is not waited for: gateways refuse, and so nothing may come that would make a snapshot due.
    ///
    /// An owner that stands still before what it has read waits, most likely, for other shards to take its messages. They may
    /// wait for this IN to take theirs: then the least that is applied is let go. What came meanwhile it has not read.
    private func lookAtInput() async throws {
        guard let shard else { return }
        let place = (shard.inputSequence, shard.eventsThrough)
        let isStandingStill = !inputs.isEmpty && place == inputAtLook
        inputAtLook = place
        guard inputMayBePressed || isStandingStill else { return }
        let state = try await around.logs.state(of: .input(id))
        guard end == nil, let bound = state.bytesMax else { return }
        inputBytes = state.bytes
        inputBound = bound
        let held = state.last + 1 - state.first
        let applied = shard.inputSequence - min(shard.inputSequence, state.first)
        let least = isStandingStill ? 0 : held / UInt64(Limits.snapshotLogFraction)
        guard held > 0, inputMayBePressed, applied > least else { return }
        try await writeTwoSnapshots()
        await trim()
        inputBytes = try await around.logs.state(of: .input(id)).bytes
    }

    private var inputMayBePressed: Bool { inputBytes > inputBound / 100 * Limits.inputPressedPercent }

    /// Sees to it that both kept snapshots stand at the last commit of now that is no spacer, or behind it. The second is of a
    /// spacer, when no other commit has come: two snapshots are of two commits.
    private func writeTwoSnapshots() async throws {
        let goal = lastOwnCommit
        for _ in 0..<Limits.snapshotsKept {
            let kept = try await around.snapshots.kept(of: .shard(id))
            if SnapshotManifest.floor(of: .commits(id), kept: kept) ?? 0 >= goal { return }
            guard end == nil, !snapshotting.isUnderWay else { return }
            if kept.first?.head.commit == chain?.acknowledged { await makeSpacer() }
            // The spacer may have made one due: of two at once the second would halt the shard until the first is written.
            guard end == nil, !snapshotting.isUnderWay else { return }
            var isWritten = false
            snapshotting.isUnderWay = true
            await around.snapshotTurns.take { isWritten = await writeSnapshot(wholly: true) }
            snapshotting.isUnderWay = false
            check()
            guard isWritten else { return }
        }
    }

    /// A snapshot of the sums is of other commits than the one before: when the newest contains all of this LOG and only the
    /// older one holds it, there is to be a commit more.
    private func makeSpacerForSums() async throws {
        let name = LogName.commits(id)
        let own = SnapshotManifest.floor(of: name, kept: try await around.snapshots.kept(of: .shard(id)))
        for reader in SnapshotSubject.readersOfCommits {
            let kept = try await around.snapshots.kept(of: reader)
            guard let own, let chain, SnapshotManifest.floor(of: name, kept: kept) ?? 0 < own,
                kept.first?.head.need(of: name) ?? 0 >= chain.acknowledged
            else { continue }
            await makeSpacer()
        }
    }

    /// A commit without steps, when nothing is on its way. It changes nothing but the number.
    private func makeSpacer() async {
        guard phase == .serving, end == nil, !isReleasing, isQuiet, !snapshotting.isWanted,
            around.clockWatch.mayCommit(at: around.clock.now())
        else { return }
        let before = lastOwnCommit
        commit(.steps, [])
        lastOwnCommit = before
        let number = chain?.number ?? 0
        await wait { $0.end != nil || $0.chain?.acknowledged ?? 0 >= number || $0.isRefusedAsFull }
    }
}
