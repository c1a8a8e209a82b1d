import Engine
import Foundation
import Logging
import Model
import Ports

// Serving: inputs in, steps, commits out, and what the log answers to them.

extension ShardOwner {
    /// Inputs that may wait for their step before reading pauses.
    private static let inputsWaitingMax = 256

    /// Serves until the shard is given up, fenced off, or failed.
    func serve() async throws {
        enter(.serving)
        let feeding = Task { await self.feed() }
        defer { feeding.cancel() }
        let registrations = try await register()
        defer { for registration in registrations { registration.close() } }
        while end == nil {
            await wait { $0.end != nil || !$0.isMeantToOwn }
            guard end == nil, await waitForSuccessor() else { continue }
            try await giveUp()
        }
    }

    /// Reads IN from where the shard stands until the shard is given up.
    private func feed() async {
        do {
            let reader = try await openInput()
            defer { reader.close() }
            pump()
            while end == nil && !isReleasing {
                for record in try await reader.next(max: 64) { inputs.append(record) }
                pump()
                await wait { $0.inputs.count < Self.inputsWaitingMax || $0.end != nil || $0.isReleasing }
            }
        } catch is CancellationError {
            return
        } catch {
            finish(.failed("reading its input: \(error)"))
        }
    }

    private func openInput() async throws -> any LogReader {
        if let inputReader { return inputReader }
        return try await around.logs.read(.input(id), from: max(shard?.inputSequence ?? 0, 1))
    }

    /// The clock has moved on (live mode).
    func tick() { pump() }

    /// There is a newer configuration.
    func rulesChanged() { pump() }

    /// Runs steps and commits them, as far as the bounds allow; at most one commit at a time, so that the shards of a
    /// thread take turns.
    func pump() {
        isPumpScheduled = false
        guard phase == .serving, end == nil, !isSettling, !isReleasing, let shard, let chain else { return }
        // A careful owner has one commit at a time, so that where the log ends tells what ended it.
        guard chain.waiting.count < (shard.commitBound == .none ? Limits.commitsWaitingMax : 1) else { return }
        if wantsSnapshot {
            guard chain.waiting.isEmpty else { return }
            wantsSnapshot = false
            if let snapshot = snapshot() { Task { await self.put(snapshot) } }
        }
        if around.rules.newest.set.revision > shard.rules.set.revision { shard.adopt(around.rules.newest) }
        gather(shard)
        guard !steps.isEmpty else { return check() }
        commit(.steps, steps)
        schedulePump()
    }

    private func schedulePump() {
        guard !isPumpScheduled, !inputs.isEmpty || around.installation.timeMode == .live else { return }
        isPumpScheduled = true
        Task { self.pump() }
    }

    /// Steps for one commit.
    private func gather(_ shard: Shard) {
        steps.removeAll(keepingCapacity: true)
        stepBytes = 0
        let now = around.clock.now()
        let stepsMax = shard.commitBound == .none ? Limits.commitStepsMax : 1
        while stepBytes < Limits.commitBytesTarget && steps.count < stepsMax,
            let step = shard.runStep(&inputs, now: now)
        {
            stepBytes += step.effects.count + 40
            steps.append(step)
        }
    }

    /// Makes a commit behind the last one. It is sent when the one before is acknowledged, never earlier: of two sent at
    /// once the first can be refused, because another owner's fence has its place, and the second be taken behind that fence.
    func commit(_ kind: Commit.Kind, _ steps: [Step]) {
        let takeover = kind == .fence ? shard?.nextTakeover() : nil
        guard let shard, let made = chain?.next(kind, steps, takeover: takeover, completedInput: shard.completedInput) else {
            return
        }
        // A fence counts when it is acknowledged: until then another's commit may have its place.
        if kind != .fence { shard.follow(kind, nil, nil) }
        if chain?.waiting.count == 1 { send(made) }
        check()
    }

    private func send(_ commit: CommitChain.Sent) {
        bytesSinceSnapshot += commit.bytes.count
        around.logs.append(to: .commits(id), commit.bytes, expecting: commit.number - 1, id: nil) { result in
            Task { await self.answered(commit.number, result) }
        }
    }

    private func answered(_ number: UInt64, _ result: Result<UInt64, LogError>) {
        guard end == nil, chain != nil else { return }
        switch result {
        case .success(let sequence):
            guard sequence == number else {
                return finish(.failed("commit \(number) was written at \(sequence) of its log"))
            }
            chain?.acknowledge(number)
            if let next = chain?.waiting.first { send(next) }
            if bytesSinceSnapshot >= around.worker.snapshotEveryBytes { wantsSnapshot = true }
            check()
            pump()
        case .failure(let error):
            guard chain?.waiting.contains(where: { $0.number == number }) ?? false, !isSettling else { return }
            log.warning("commit not acknowledged", metadata: ["commit": "\(number)", "error": "\(error)"])
            isSettling = true
            Task { await self.settle() }
        }
    }

    /// Reads back what the log holds: a time-out is no failure, and a refusal alone no fence.
    private func settle() async {
        while end == nil {
            do {
                // What was sent and comes in late is refused behind what is sent again: it expects the same place.
                try await around.clock.sleep(until: around.clock.now() + 100)
                let last = try await lastCommit()
                guard end == nil, let settlement = chain?.settle(last) else { return }
                switch settlement {
                case .lost(let owner):
                    if isFencing { giveUpFence(to: owner) } else { finish(.lost(owner)) }
                case .broken(let what): finish(.failed(what))
                case .resend(let waiting):
                    isSettling = false
                    if let first = waiting.first { send(first) }
                    check()
                    pump()
                }
                return
            } catch {
                log.warning("log not readable", metadata: ["error": "\(error)"])
            }
        }
    }

    /// The state as of the last acknowledged commit; nil while anything is in flight.
    func snapshot() -> Snapshot? {
        guard let shard, let chain, chain.waiting.isEmpty else { return nil }
        bytesSinceSnapshot = 0
        return Snapshot(commit: chain.acknowledged, commitHash: chain.acknowledgedHash, payload: shard.encoded())
    }

    /// A snapshot that cannot be written is no fault of the shard: the log holds all of it.
    func put(_ snapshot: Snapshot) async {
        do {
            try await around.snapshots.put(snapshot, of: .shard(id))
            log.info("snapshot written", metadata: ["commit": "\(snapshot.commit)", "bytes": "\(snapshot.payload.count)"])
        } catch {
            log.warning("snapshot not written", metadata: ["commit": "\(snapshot.commit)", "error": "\(error)"])
        }
    }
}
