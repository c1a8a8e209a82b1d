import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@Suite("Worker over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct WorkerTests {
    let first = WorkerID(name: "a", instance: "1")
    let second = WorkerID(name: "b", instance: "2")

    private func workload() throws -> (ReferenceWorkload, ReferenceAnswers) {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        return (workload, ReferenceInterpreter.answers(for: workload))
    }

    @Test("W1 comes out exactly, whatever becomes of acknowledgements", arguments: [UInt64(0), 1, 2, 3, 4, 5])
    func faults(seed: UInt64) async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(
            shards: 2, timeMode: .eventTime, faults: seed == 0 ? .none : .some(seed: seed))
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [first], owners: [0, 0])
        let worker = installation.start(first)
        let closing = try await installation.feed(workload, events: 0..<3000, closing: true)
        let fold = try await installation.answers(closing: closing)
        #expect(fold.answers == expected)
        #expect(fold.unexpected == 0, "\(fold.firstUnexpected ?? "")")
        worker.cancel()
        try await worker.value
    }

    @Test("I1 an owner with nothing to write misses what its log lost, and what it had applied is applied again")
    func lostEnd() async throws {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [first], owners: [0])
        let worker = installation.start(first)
        let last = try await installation.put(.events([try workload().0.event(at: 0).input(seed: 42)]), 0)
        let end = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence == last } }
        installation.logs.loseSuffix(of: .commits(ShardID(0)), after: end.number - 1)
        let again = try await installation.awaitCommit(0) { $0.epoch == 2 && $0.steps.contains { $0.inputSequence == last } }
        #expect(again.steps == end.steps)
        worker.cancel()
        try await worker.value
    }

    @Test(
        "I2 I4 a worker believed dead is replaced in the middle, and can do no harm while it goes on",
        arguments: [UInt64(0), 7, 8])
    func zombie(seed: UInt64) async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(
            shards: 2, timeMode: .eventTime, faults: seed == 0 ? .none : .some(seed: seed))
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [first], owners: [0, 0])
        let old = installation.start(first)
        _ = try await installation.feed(workload, events: 0..<1500, closing: false)
        _ = try await installation.awaitCommit(0) { !$0.steps.isEmpty }
        // The old one lives and works on: the placement only no longer believes so.
        let new = installation.start(second)
        try await installation.place(alive: [second], owners: [0, 0])
        for shard in 0..<2 { _ = try await installation.awaitCommit(shard) { $0.owner == second.description } }
        let closing = try await installation.feed(workload, events: 1500..<3000, closing: true)
        let fold = try await installation.answers(closing: closing)
        #expect(fold.answers == expected)
        for shard in 0..<2 {
            let commits = try installation.commits(shard)
            #expect(commits.contains { $0.owner == second.description })
            #expect(commits.map(\.epoch) == commits.map(\.epoch).sorted(), "one owner at a time")
        }
        for worker in [old, new] {
            worker.cancel()
            try await worker.value
        }
    }

    @Test("F3 a planned move: the new owner follows while the old one serves, and goes on behind its release")
    func move() async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(shards: 2, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [first, second], owners: [0, 0])
        let workers = [installation.start(first), installation.start(second)]
        _ = try await installation.feed(workload, events: 0..<2000, closing: false)
        _ = try await installation.awaitCommit(1) { !$0.steps.isEmpty }
        try await installation.place(alive: [first, second], owners: [0, 1])
        let closing = try await installation.feed(workload, events: 2000..<3000, closing: true)
        _ = try await installation.awaitCommit(1) { $0.owner == second.description }
        let fold = try await installation.answers(closing: closing)
        #expect(fold.answers == expected)
        let moved = try installation.commits(1)
        let release = try #require(moved.firstIndex { $0.kind.endsOwnership })
        #expect(moved[release].owner == first.description)
        #expect(moved[release + 1].kind == .fence && moved[release + 1].owner == second.description)
        #expect(try installation.commits(0).allSatisfy { $0.owner == first.description }, "what need not move stays")
        for worker in workers {
            worker.cancel()
            try await worker.value
        }
    }

    @Test("I3 I4 a log that was tampered with is not served: the hash chain and the replay show it")
    func damaged() async throws {
        let (workload, _) = try workload()
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [first], owners: [0])
        let old = installation.start(first, snapshotEveryBytes: .max)
        let closing = try await installation.feed(workload, events: 0..<500, closing: true)
        _ = try await installation.answers(closing: closing)
        // Another rule set under the same revision: replaying decides otherwise than was recorded.
        var other = ReferenceRules.ruleSet
        other.rules.removeLast()
        installation.logs.damage(1, of: .configuration) { $0 = other.encoded() }
        installation.snapshots.setAvailable(false)
        try await installation.place(alive: [first], owners: [nil])
        _ = try await installation.awaitCommit(0) { $0.kind == .released }
        try await installation.place(alive: [second], owners: [0])
        installation.snapshots.setAvailable(true)
        let count = try installation.commits(0).count
        let heard = HeartbeatProbe()
        let registration = try await installation.messaging.listen("worker.heartbeat") { _, payload in heard.take(payload) }
        let new = installation.start(second)
        let problem = await heard.problem(of: second)
        #expect(problem.contains("does not come out as it was recorded"))
        #expect(try installation.commits(0).count == count, "nothing is written on a state that is not the one decided on")
        registration.close()
        for worker in [old, new] {
            worker.cancel()
            try await worker.value
        }
    }
}
