import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import Worker

@Suite("Snapshots and trimming over simulated ports", .serialized, .timeLimit(.minutes(3)))
struct TrimmingTests {
    let workers = (0..<3).map { WorkerID(name: "w\($0)", instance: "1") }

    @Test(
        "F5 I4 logs are trimmed while workers die and snapshots are torn or damaged, and W1 comes out exactly",
        arguments: [UInt64(0), 2])
    func crashes(seed: UInt64) async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 1500))
        let expected = ReferenceInterpreter.answers(for: workload)
        let installation = try SimulatedInstallation(
            shards: 2, timeMode: .eventTime,
            snapshotFaults: seed == 0 ? .none : SimulatedFaults(seed: seed, tornSnapshots: 150, damagedSnapshots: 60))
        try await installation.apply(ReferenceRules.ruleSet)
        let accountant = Accountant(installation)
        async let folded = accountant.fold(until: ReferenceWorkload.closing)
        var running: [Task<Void, any Error>] = []
        var closing: [Int: UInt64] = [:]
        for (index, worker) in workers.enumerated() {
            // The one before lives on and is believed dead.
            try await installation.place(alive: [worker], owners: [0, 0])
            running.append(installation.start(worker, snapshotEveryBytes: 256))
            let events = UInt64(index * 500)..<UInt64((index + 1) * 500)
            closing = try await installation.feedSlowly(workload, events: events, closing: index == workers.count - 1)
            for shard in 0..<2 { _ = try await installation.awaitCommit(in: shard) { $0.owner == worker.description } }
        }
        let fold = try await folded
        #expect(fold.answers == expected)
        #expect(fold.unexpected == 0, "\(fold.firstUnexpected ?? "")")
        #expect(closing.count == 2)
        for shard in installation.installation.shards.all {
            let input = try await installation.logs.state(of: .input(shard))
            let commits = try await installation.logs.state(of: .commits(shard))
            // Of snapshots that are torn too often none may be left that lets the logs be trimmed.
            if seed == 0 { #expect(input.first > 1 && commits.first > 1, "both were trimmed") }
            #expect(input.first <= input.last && commits.first <= commits.last, "neither was emptied")
        }
        for worker in running {
            worker.cancel()
            try await worker.value
        }
        // From what is left a worker finds the same state: it fences and serves.
        let late = WorkerID(name: "late", instance: "9")
        try await installation.place(alive: [late], owners: [0, 0])
        let last = installation.start(late)
        for shard in 0..<2 { _ = try await installation.awaitCommit(in: shard) { $0.owner == late.description } }
        last.cancel()
        try await last.value
    }

    @Test("F5 with the coordinator away LOG stays whole, IN is trimmed, and nothing is missing when it is back")
    func coordinatorAway() async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        let expected = ReferenceInterpreter.answers(for: workload)
        let installation = try SimulatedInstallation(shards: 2, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [workers[0]], owners: [0, 0])
        let worker = installation.start(workers[0], snapshotEveryBytes: 256)
        _ = try await installation.feedSlowly(workload, events: 0..<3000, closing: true)
        worker.cancel()
        try await worker.value
        for shard in installation.installation.shards.all {
            #expect(try await installation.logs.state(of: .input(shard)).first > 1)
            #expect(try await installation.logs.state(of: .commits(shard)).first == 1)
        }
        #expect(try await Accountant(installation).fold(until: ReferenceWorkload.closing).answers == expected)
    }

    @Test("F5 without any whole snapshot a trimmed shard is not served, and says what is missing")
    func nothingLeft() async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 2000))
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [workers[0]], owners: [0])
        let worker = installation.start(workers[0], snapshotEveryBytes: 256)
        _ = try await installation.feedSlowly(workload, events: 0..<2000, closing: true)
        worker.cancel()
        try await worker.value
        let shard = SnapshotSubject.shard(ShardID(0))
        for manifest in try await installation.snapshots.kept(of: shard) {
            installation.snapshots.damage(shard, commit: manifest.base, chunk: 0)
        }
        let heard = HeartbeatProbe()
        let registration = try await installation.messaging.listen("worker.heartbeat") { _, payload in heard.take(payload) }
        let count = try await installation.logs.state(of: .commits(ShardID(0))).last
        try await installation.place(alive: [workers[1]], owners: [0])
        let next = installation.start(workers[1])
        let problem = await heard.problem(of: workers[1])
        #expect(problem.contains("no snapshot can be used, and IN.0 begins at"), "\(problem)")
        #expect(try await installation.logs.state(of: .commits(ShardID(0))).last == count, "nothing is written")
        registration.close()
        next.cancel()
        try await next.value
    }
}

extension SimulatedInstallation {
    /// Feeds in pieces, each when the one before is committed, so that there are many commits; then the closing clock record.
    func feedSlowly(_ workload: ReferenceWorkload, events range: Range<UInt64>, closing: Bool) async throws -> [Int: UInt64] {
        var sequences: [Int: UInt64] = [:]
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 30) {
            let end = min(start + 30, range.upperBound)
            sequences = try await feed(workload, events: start..<end, closing: closing && end == range.upperBound)
            for shard in installation.shards.all {
                let last = try await logs.state(of: .input(shard)).last
                try await awaitApplied(last, in: shard)
            }
        }
        return sequences
    }

    /// Waits until this input is decided upon: in a commit, or in a snapshot below which the commits are trimmed.
    private func awaitApplied(_ sequence: UInt64, in shard: ShardID) async throws {
        while true {
            let first = try await logs.state(of: .commits(shard)).first
            let snapshot = try? await snapshots.kept(of: .shard(shard)).first
            if (snapshot?.head.need(of: .input(shard)) ?? 0) >= sequence { return }
            let reader = try await logs.read(.commits(shard), from: first)
            defer { reader.close() }
            do {
                while true {
                    for record in try await reader.next(max: 64) {
                        let commit = try Commit.decoded(record.payload).commit
                        if commit.steps.contains(where: { $0.inputSequence >= sequence }) { return }
                    }
                }
            } catch let error as LogError {
                guard case .trimmed = error.code else { throw error }
            }
        }
    }

    /// Waits for a commit that satisfies the condition, wherever the log begins meanwhile.
    func awaitCommit(in shard: Int, where holds: (Commit) -> Bool) async throws -> Commit {
        let name = LogName.commits(ShardID(index: shard))
        while true {
            let reader = try await logs.read(name, from: try await logs.state(of: name).first)
            defer { reader.close() }
            do {
                while true {
                    for record in try await reader.next(max: 64) {
                        let commit = try Commit.decoded(record.payload).commit
                        if holds(commit) { return commit }
                    }
                }
            } catch let error as LogError {
                guard case .trimmed = error.code else { throw error }
            }
        }
    }
}
