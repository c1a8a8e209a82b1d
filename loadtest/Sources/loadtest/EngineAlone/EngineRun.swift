import Engine
import Foundation
import Model
import Workload

/// Shards of the real engine on one thread, fed from memory.
actor EngineRun {
    struct Outcome: Sendable {
        var seconds: Double
        /// Processor time of the thread; what `seconds` would be with nobody else on its core.
        var processorSeconds: Double
        var residentBytes: UInt64
        var answers: ReferenceAnswers
    }

    private struct Lane {
        var shard: Shard
        var messages: [[UInt8]]
        var commits: [[UInt8]] = []
        var number: UInt64 = 0
        var hash: Halves = Halves(0)
    }

    private nonisolated let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let workload: ReferenceWorkload
    private let map: ShardMap
    private let clockEvery: Int64?
    private var lanes: [Lane]

    init(workload: ReferenceWorkload, map: ShardMap, clockEvery: Int64?) {
        self.workload = workload
        self.map = map
        self.clockEvery = clockEvery
        let installation = Installation(shards: map, timeMode: .eventTime, replicas: 1)
        let rules = CompiledRules(ReferenceRules.ruleSet)
        let executor = executor
        lanes = map.all.map {
            Lane(shard: Shard(id: $0, installation: installation, rules: rules, executor: executor), messages: [])
        }
    }

    func run() throws -> Outcome {
        makeMessages()
        let before = ProcessMemory.own?.now ?? 0
        let started = ContinuousClock.now
        let startedProcessor = ThreadTime.seconds()
        for index in lanes.indices { commit(.fence, [], index) }
        // As in a cluster: a batch of each shard in turn.
        for round in 0..<(lanes.map(\.messages.count).max() ?? 0) {
            for index in lanes.indices where round < lanes[index].messages.count { apply(round, index) }
        }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let processorSeconds = ThreadTime.seconds() - startedProcessor
        let commits = lanes.reduce(0) { $0 + $1.commits.reduce(0) { $0 + $1.count } }
        let after = ProcessMemory.own?.now ?? 0
        var fold = AnswerFold()
        for lane in lanes { for commit in lane.commits { try fold.add(commit) } }
        if let odd = fold.firstUnexpected { throw LoadError("an effect that this workload cannot have: \(odd)") }
        guard fold.eventsApplied == Int64(workload.events) else {
            throw LoadError("\(fold.eventsApplied) events applied of \(workload.events)")
        }
        let grown = after > before + UInt64(commits) ? after - before - UInt64(commits) : 0
        return Outcome(
            seconds: seconds, processorSeconds: processorSeconds, residentBytes: grown, answers: fold.answers)
    }

    private func makeMessages() {
        var batches = map.all.map { _ in EventBatchBuilder(base: ReferenceWorkload.start) }
        var clock = ReferenceWorkload.start
        for index in 0..<workload.events {
            let event = workload.event(at: index).input(seed: workload.seed)
            if let clockEvery, event.time - clock >= clockEvery {
                clock = clock + (event.time - clock) / clockEvery * clockEvery
                for number in lanes.indices { flush(&batches, number) }
                for number in lanes.indices { lanes[number].messages.append(InputMessage.clock(clock).encoded()) }
            }
            let number = Int(map.shard(of: event.customer).number)
            if batches[number].count == 0 { batches[number] = EventBatchBuilder(base: event.time) }
            batches[number].append(event)
            if batches[number].byteCount >= Limits.batchBytesTarget || batches[number].count == Limits.batchEventsMax {
                flush(&batches, number)
            }
        }
        for number in lanes.indices {
            flush(&batches, number)
            lanes[number].messages.append(InputMessage.clock(ReferenceWorkload.closing).encoded())
        }
    }

    private func flush(_ batches: inout [EventBatchBuilder], _ number: Int) {
        guard batches[number].count > 0 else { return }
        let full = batches[number]
        batches[number] = EventBatchBuilder(base: ReferenceWorkload.start)
        lanes[number].messages.append(full.finish())
    }

    private func apply(_ round: Int, _ index: Int) {
        var queue = InputQueue()
        queue.append(
            LogRecord(sequence: UInt64(round) + 1, time: .distantPast, payload: lanes[index].messages[round]))
        while let step = lanes[index].shard.runStep(&queue, now: .distantPast) {
            commit(.steps, [step], index)
        }
    }

    private func commit(_ kind: Commit.Kind, _ steps: [Step], _ index: Int) {
        let commit = Commit(
            kind: kind, shard: lanes[index].shard.id, epoch: 1, number: lanes[index].number + 1,
            previousHash: lanes[index].hash.value, brain: brainVersion, owner: "engine", steps: steps
        ).encoded()
        lanes[index].number += 1
        lanes[index].hash = Halves(commit.hash)
        lanes[index].commits.append(commit.bytes)
    }
}
