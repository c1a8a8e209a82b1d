import Engine
import Logging
import Model
import Ports

// What becomes of a shard whose last commits are another brain's.
//
//     following, watching --the owner lives--> it is asked for a release point (HandOver), nothing is done here
//     watching --a release point, and its snapshot--> following
//     watching --the shard is free, and not at a release point--> shown as a problem: only that brain can take it
//     shown --a person trusts the log up to its very end--> trusting --snapshot, then the commit `trusted`--> serving

extension ShardOwner {
    /// Whether the shard's state can be had: it was followed, or the log may be trusted as it stands.
    var canTake: Bool { follower.shard != nil || isTrusted }

    private var isTrusted: Bool {
        follower.isWatching && assignment.trustedCommit == follower.standing.end.number
    }

    /// The brain that alone can take the shard now; nil = nothing hinders, or it is not this worker's turn.
    var neededBrain: UInt32? {
        guard isHindered, !follower.isRefusing else { return nil }
        return follower.standing.brain
    }

    private var isHindered: Bool { phase == .following && isMeantToOwn && follower.isWatching && isFree && !isTrusted }

    /// For people: why the shard waits, and what to do; nil = nothing hinders, or it is not this worker's turn.
    var problem: String? {
        guard isHindered else { return fullProblem }
        if follower.isRefusing { return assignment.traps.first(where: \.refuses)?.problem }
        return neededBrain.map(problem(needing:))
    }

    private func problem(needing brain: UInt32) -> String {
        "commit \(follower.standing.end.number) is by brain \(brain) of \(follower.standing.owner ?? "nobody") and no release "
            + "point, this worker has brain \(around.worker.brain): start a worker with brain \(brain), or take what is recorded "
            + "as the truth with `reprise recover --trust-log \(id.number)`"
    }

    /// What ended workers of this build when they ran it again.
    private var leavingOut: [Place: UInt32] {
        assignment.traps.reduce(into: [:]) { places, trap in
            if let place = trap.place { places[place, default: 0] += UInt32(clamping: trap.workers.count) }
        }
    }

    /// Takes what the log records as the truth and fences. False when another commit came before the fence.
    func fenceTrusting() async throws -> Bool {
        guard isTrusted else { return false }
        let trusting = try await follower.recovery.trust(through: follower.standing.end, leavingOut: leavingOut)
        guard end == nil else { return false }
        let (step, differences) = (trusting.step, trusting.differences)
        // The snapshot is as of that very commit.
        let takeover = trusting.shard.nextTakeover()
        trusting.shard.follow(.trusted, takeover, nil)
        let made = CommitChain(shard: id, owner: me, brain: around.worker.brain, after: follower.standing.end)
            .ahead(.trusted, [step], takeover: takeover)
        log.notice(
            "the log is taken as the truth",
            metadata: ["upTo": "\(follower.standing.end.number)", "differences": "\(differences)"])
        let head = snapshotHead(of: trusting.shard, as: made.number, Halves(made.hash))
        try await around.snapshots.put(trusting.shard.encoded(), head, of: .shard(id))
        return try await fence(trusting.shard, .trusted, [step], takeover)
    }
}

extension Recovery {
    /// A shard as the log records it, and what brings the sums up to it.
    struct Trusting {
        let shard: Shard
        let step: Step
        let differences: Int
    }

    /// Differences that are logged one by one, of a shard.
    private static let differencesLogged = 1000

    /// The newest usable snapshot, and every commit behind it as it is recorded.
    func trust(through end: LogEnd, leavingOut: [Place: UInt32]) async throws -> Trusting {
        let loaded = try await load()
        let shard = loaded.shard
        var position = loaded.last
        let trusted = TrustedReplay(shard, leavingOut: leavingOut)
        let commits = try await logs.read(.commits(id), from: position.number + 1)
        defer { commits.close() }
        let inputReader = try await logs.read(.input(id), from: max(shard.inputSequence, 1))
        defer { inputReader.close() }
        var inputs = InputQueue()
        while position.number < end.number {
            for record in try await commits.next(max: 4) where position.number < end.number {
                let read = try ReadCommit(record)
                guard read.commit.number == position.number + 1, read.commit.previousHash == position.hash else {
                    throw WorkerFault("commit \(read.commit.number) does not follow commit \(position.number)")
                }
                // What a takeover like this one added to the sums is no work that could be run again.
                for step in read.commit.steps where read.commit.kind != .trusted {
                    while inputs.lastSequence < step.inputSequence && step.inputSequence > 0 {
                        for input in try await inputReader.next(max: 64) { inputs.append(input) }
                    }
                    if step.configuration != shard.rules.set.revision {
                        shard.adopt(try await rules.revision(step.configuration))
                    }
                    show(try trusted.replay(step, &inputs, commit: read.commit.number), read.commit, before: trusted.differences)
                }
                shard.follow(read.commit.kind, read.commit.takeover, read.commit.attempt)
                position = LogEnd(number: read.commit.number, hash: read.hash, epoch: read.commit.epoch)
            }
        }
        guard position.hash == end.hash else { throw WorkerFault("commit \(end.number) is not the one that was followed") }
        return Trusting(shard: shard, step: trusted.finish(), differences: trusted.differences)
    }

    private func show(_ differences: [TrustedReplay.Difference], _ commit: Commit, before count: Int) {
        guard count <= Self.differencesLogged else { return }
        for difference in differences {
            log.notice(
                "decided otherwise than recorded",
                metadata: [
                    "commit": "\(commit.number)", "brain": "\(commit.brain)",
                    "customer": "\(difference.customer?.text ?? "")",
                    "recorded": "\(difference.recorded.map { "\($0)" } ?? "nothing")",
                    "here": "\(difference.own.map { "\($0)" } ?? "nothing")",
                ])
        }
    }
}
