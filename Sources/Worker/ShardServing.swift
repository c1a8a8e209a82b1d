import Engine
import Foundation
import Logging
import Model
import Ports

// Serving: inputs in, steps, commits out, and what the log answers to them.

extension ShardOwner {
    /// Serves until the shard is given up, fenced off, or failed.
    func serve() async throws {
        if let shard { sending.begin(with: shard.messagesNewest) }
        enter(.serving)
        sendMessages()
        let feeding = Task { await self.feed() }
        defer { feeding.cancel() }
        let preparing = Task { await self.prepareSnapshots(upon: self.follower.snapshot) }
        defer { preparing.cancel() }
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
                for record in try await reader.next(max: Limits.inputsReadMax) {
                    // Set aside it would be lost to whoever can read it.
                    if let newer = InputMessage.newerVersion(of: record.payload) {
                        return finish(.failed("record \(record.sequence) of IN.\(id): \(newer)"))
                    }
                    inputs.append(record)
                    tailGrows(.init(inputBytes: record.payload.count + SnapshotSchedule.recordBytes))
                    inputBytes += UInt64(record.payload.count + SnapshotSchedule.recordBytes)
                }
                pump()
                await wait { $0.hasRoom || $0.end != nil || $0.isReleasing }
            }
        } catch is CancellationError {
            return
        } catch {
            finish(.failed("reading its input: \(error)"))
        }
    }

    private var hasRoom: Bool {
        inputs.count < Limits.inputsWaitingMax && inputs.bytes < Limits.inputsWaitingBytesMax
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
        // One reading for both: a clock that jumps in between is not asked again.
        let now = around.clock.now()
        guard around.clockWatch.mayCommit(at: now) else { return }
        guard !snapshotting.isWanted, commitRoom.state == .open else { return }
        if shard.mayAdopt, around.rules.newest.set.revision > shard.rules.set.revision { shard.adopt(around.rules.newest) }
        gather(shard, now: now)
        guard !steps.isEmpty else { return check() }
        let parts = Self.parts(of: steps)
        for (index, part) in parts.enumerated() {
            // What a commit ends in the middle of is complete with a later one.
            let reached = index == parts.count - 1 ? nil : part.last.map { max($0.inputSequence, 1) - 1 }
            commit(.steps, part, completedInput: reached)
        }
        schedulePump()
    }

    private func schedulePump() {
        guard !isPumpScheduled, !inputs.isEmpty || around.installation.timeMode == .live || shard?.isSweeping == true else {
            return
        }
        isPumpScheduled = true
        Task { self.pump() }
    }

    /// The steps as a commit takes them: mostly all in one. A step that decided very much does not fit behind others.
    static func parts(of steps: [Step]) -> [[Step]] {
        var parts: [[Step]] = []
        var bytes = 0
        for step in steps {
            if parts.isEmpty || bytes + step.effects.count > Limits.stepEffectBytesMax {
                parts.append([])
                bytes = 0
            }
            parts[parts.count - 1].append(step)
            bytes += step.effects.count
        }
        return parts
    }

    /// Steps for one commit.
    private func gather(_ shard: Shard, now: Instant) {
        steps.removeAll(keepingCapacity: true)
        stepBytes = 0
        let stepsMax = shard.commitBound == .none ? Limits.commitStepsMax : 1
        var delivered = sending.takeDelivered()
        let before = shard.eventsApplied
        while stepBytes < Limits.commitBytesTarget && steps.count < stepsMax,
            let step = shard.runStep(&inputs, now: now, delivered: delivered)
        {
            delivered = [:]
            stepBytes += step.effects.count + 40
            steps.append(step)
        }
        let wakeUps = steps.reduce(0) { $0 + UInt64($1.wakeUps) + UInt64($1.lateWakeUps) }
        let work = shard.eventsApplied - before + wakeUps
        tailGrows(.init(work: work))
        around.replayRate.add(work: work, milliseconds: around.clock.now() - now)
    }

    /// Makes a commit behind the last one. It is sent when the one before is acknowledged, never earlier: of two sent at
    /// once the first can be refused, because another owner's fence has its place, and the second be taken behind that fence.
    /// The first commit of an epoch says with `takeover` how the shard was found.
    func commit(_ kind: Commit.Kind, _ steps: [Step], takeover: Takeover? = nil, completedInput: UInt64? = nil) {
        guard let shard,
            let made = chain?.next(kind, steps, takeover: takeover, completedInput: completedInput ?? shard.completedInput)
        else {
            return
        }
        lastOwnCommit = made.number
        if !kind.beginsEpoch { shard.follow(kind, nil, nil) }
        sending.made(made.number, newest: shard.takeSent())
        if chain?.waiting.count == 1 { send(made) }
        check()
    }

    private func send(_ commit: CommitChain.Sent) {
        tailGrows(.init(commitBytes: commit.bytes.count + SnapshotSchedule.recordBytes))
        commitRoom.sent(commit.bytes.count)
        if commitRoom.state == .asking { Task { await self.askAtOnce() } }
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
            isRefusedAsFull = false
            if let next = chain?.waiting.first { send(next) }
            sendMessages()
            check()
            pump()
            snapshotIfDue()
        case .failure(let error):
            guard chain?.waiting.contains(where: { $0.number == number }) ?? false, !isSettling else { return }
            log.warning("commit not acknowledged", metadata: ["commit": "\(number)", "error": "\(error)"])
            isRefusedAsFull = error.code == .full
            isSettling = true
            Task { await self.settle() }
        }
    }

    /// The log said that it ends there, before a commit that it had acknowledged. A server that leads the log no more may say
    /// so: what the log holds is read back before anything is concluded.
    func doubtEnd(at last: UInt64) {
        guard phase == .serving, end == nil, !isSettling, let chain, chain.waiting.isEmpty else { return }
        log.warning("the log seems to end early", metadata: ["last": "\(last)", "acknowledged": "\(chain.acknowledged)"])
        isSettling = true
        Task { await self.settle() }
    }

    /// 0 = none, or the shard is not served.
    var acknowledgedCommit: UInt64 { phase == .serving ? chain?.acknowledged ?? 0 : 0 }

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
                    if waiting.isEmpty { isRefusedAsFull = false }
                    if let first = waiting.first { send(first) }
                    sendMessages()
                    check()
                    pump()
                }
                return
            } catch {
                log.warning("log not readable", metadata: ["error": "\(error)"])
            }
        }
    }
}
