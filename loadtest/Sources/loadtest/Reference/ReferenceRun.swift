import Model
import Ports
import Workload

/// One run of the reference workload against a cluster that is ready and empty.
struct ReferenceRun: Sendable {
    let workload: ReferenceWorkload
    let map: ShardMap
    let logs: any LogStore
    /// All of the cluster and this program.
    let processes: [ClusterProcess]
    /// To be ended when half of the events are committed.
    let victim: ClusterProcess?
    /// A run in which nothing is committed for so long has failed.
    let patience: Duration

    struct Outcome: Sendable {
        var seconds: Double
        var view: AnswerBoard.View
        var memory: MemorySampler.Result
        var killed: Bool
    }

    func run() async throws -> Outcome {
        let board = AnswerBoard(shards: map.all)
        let sampler = MemorySampler(processes)
        sampler.start()
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            for shard in map.all {
                group.addTask {
                    try await board.follow(shard, of: logs)
                    return nil
                }
            }
            group.addTask { try await drive(board, sampler) }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw LoadError("the run ended without an outcome")
        }
    }

    private func drive(_ board: AnswerBoard, _ sampler: MemorySampler) async throws -> Outcome {
        let publisher = try await InputPublisher(logs: logs, shards: map.all)
        for shard in map.all where await publisher.last(of: shard) > 0 {
            throw LoadError(
                "\(LogName.input(shard)) is not empty: the answers are only known for a cluster that has seen nothing")
        }
        let sent = Counter()
        let sender = WorkloadSender(workload: workload, map: map, publisher: publisher, handedOver: sent)
        let began = ContinuousClock.now
        async let sending: Void = { board.close(at: try await sender.send()) }()
        var watch = Watch(run: self, began: began)
        while board.view.completed == nil {
            try await Task.sleep(for: .milliseconds(20))
            try watch.look(board.view, sent: sent.value, ended: sampler.ended)
        }
        try await sending
        let view = board.view
        let seconds = began.duration(to: view.completed ?? .now) / .seconds(1)
        return Outcome(seconds: seconds, view: view, memory: sampler.stop(), killed: watch.killed)
    }

    /// What is looked at again and again while the run goes on.
    private struct Watch {
        let run: ReferenceRun
        let began: ContinuousClock.Instant
        var killed = false
        private var progress = Progress()
        private var commits = 0
        private var moved = ContinuousClock.now

        init(run: ReferenceRun, began: ContinuousClock.Instant) {
            self.run = run
            self.began = began
        }

        mutating func look(_ view: AnswerBoard.View, sent: UInt64, ended: Set<String>) throws {
            if let victim = run.victim, !killed, view.fold.eventsApplied >= Int64(run.workload.events / 2) {
                try victim.kill9()
                killed = true
                progress.say("killed \(victim.name) after \(view.fold.eventsApplied) committed events")
            }
            for name in ended.sorted() where !(killed && name == run.victim?.name) {
                throw LoadError("\(name) has ended; its log says why")
            }
            if view.commits != commits {
                commits = view.commits
                moved = .now
            } else if moved.duration(to: .now) > run.patience {
                throw LoadError("nothing was committed for \(run.patience): \(stuck(view))")
            }
            let seconds = began.duration(to: .now) / .seconds(1)
            let shards = run.map.shards
            progress.show(
                "\(Int(seconds)) s: \(sent) events sent, \(view.fold.eventsApplied) committed, "
                    + "\(view.complete.count) of \(shards) shards complete")
        }

        private func stuck(_ view: AnswerBoard.View) -> String {
            let open = run.map.all.filter { !view.complete.contains($0) }
            let states = open.prefix(5).map { shard in
                guard let progress = view.fold.shards[shard] else { return "shard \(shard) has no commit" }
                return "shard \(shard) is at commit \(progress.number), input \(progress.inputSequence), "
                    + "clock \(progress.clock.milliseconds)"
            }
            return "\(open.count) shards are not complete; " + states.joined(separator: "; ")
        }
    }
}
