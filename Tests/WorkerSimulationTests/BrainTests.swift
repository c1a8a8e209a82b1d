import Model
import Ports
import SimulatedPorts
import Testing
import Workload

/// Workers of two brains over one log. They decide alike here: it is about who may take a shard, and from where.
@Suite("Brains over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct BrainTests {
    private let old = WorkerID(name: "a", instance: "1")
    private let new = WorkerID(name: "b", instance: "2")

    private func workload() throws -> (ReferenceWorkload, ReferenceAnswers) {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        return (workload, ReferenceInterpreter.answers(for: workload))
    }

    private func stop(_ workers: [Task<Void, any Error>]) async throws {
        for worker in workers {
            worker.cancel()
            try await worker.value
        }
    }

    /// Stops a worker that can write no snapshot: what it leaves is what a crash leaves, no release point.
    private func stopWithoutPoint(_ worker: Task<Void, any Error>, _ installation: SimulatedInstallation) async throws {
        installation.snapshots.setAvailable(false)
        try await stop([worker])
        installation.snapshots.setAvailable(true)
        #expect(try installation.commits(0).last?.kind == .released)
    }

    /// No commit follows another brain's but a release point, or by trust.
    private func expectReleasePoints(_ commits: [Commit]) {
        for (before, after) in zip(commits, commits.dropFirst()) where before.brain != after.brain {
            #expect(before.kind == .releasePoint || after.kind == .trusted)
        }
    }

    @Test("a planned move to another brain goes through a release point, up and down", arguments: [UInt32(2), 1])
    func move(to brain: UInt32) async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(shards: 2, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [old, new], owners: [0, 0])
        let workers = [installation.start(old, brain: 3 - brain), installation.start(new, brain: brain)]
        _ = try await installation.feed(workload, events: 0..<1500, closing: false)
        _ = try await installation.awaitCommit(1) { !$0.steps.isEmpty }
        try await installation.place(alive: [old, new], owners: [0, 1])
        _ = try await installation.awaitCommit(1) { $0.owner == new.description }
        let closing = try await installation.feed(workload, events: 1500..<3000, closing: true)
        #expect(try await installation.answers(closing: closing).answers == expected)
        let commits = try installation.commits(1)
        expectReleasePoints(commits)
        let point = try #require(commits.first { $0.kind == .releasePoint })
        // It may have made room for newer ones since.
        #expect(installation.snapshots.hasFinished(.shard(ShardID(1)), commit: point.number), "of that very commit")
        #expect(commits.last?.brain == brain)
        try await stop(workers)
    }

    @Test("ended in order, a worker leaves a release point: another brain takes all")
    func ended() async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(shards: 2, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [old], owners: [0, 0])
        let first = installation.start(old, brain: 1)
        _ = try await installation.feed(workload, events: 0..<1500, closing: false)
        for shard in 0..<2 { _ = try await installation.awaitCommit(shard) { !$0.steps.isEmpty } }
        try await stop([first])
        let second = installation.start(new, brain: 2)
        try await installation.place(alive: [new], owners: [0, 0])
        let closing = try await installation.feed(workload, events: 1500..<3000, closing: true)
        #expect(try await installation.answers(closing: closing).answers == expected)
        for shard in 0..<2 { expectReleasePoints(try installation.commits(shard)) }
        try await stop([second])
    }

    @Test("I4 after a crash another brain does not take the shard: it says which one can; the old one then goes on")
    func refused() async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [old], owners: [0])
        let first = installation.start(old, brain: 1)
        _ = try await installation.feed(workload, events: 0..<1500, closing: false)
        _ = try await installation.awaitCommit(0) { !$0.steps.isEmpty }
        try await stopWithoutPoint(first, installation)
        let heard = HeartbeatProbe()
        let registration = try await installation.messaging.listen("worker.heartbeat") { _, payload in heard.take(payload) }
        let second = installation.start(new, brain: 2)
        try await installation.place(alive: [new], owners: [0])
        let problem = await heard.problem(of: new)
        #expect(problem.contains("start a worker with brain 1") && problem.contains("reprise recover --trust-log 0"))
        #expect(try installation.commits(0).allSatisfy { $0.brain == 1 })
        let third = WorkerID(name: "c", instance: "3")
        let last = installation.start(third, brain: 1)
        try await installation.place(alive: [new, third], owners: [1])
        let closing = try await installation.feed(workload, events: 1500..<3000, closing: true)
        #expect(try await installation.answers(closing: closing).answers == expected)
        registration.close()
        try await stop([second, last])
    }

    @Test("a trusted log is taken by another brain, once, up to the commit that was named")
    func trusted() async throws {
        let (workload, expected) = try workload()
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [old], owners: [0])
        let first = installation.start(old, brain: 1)
        _ = try await installation.feed(workload, events: 0..<1500, closing: false)
        _ = try await installation.awaitCommit(0) { !$0.steps.isEmpty }
        try await stopWithoutPoint(first, installation)
        let end = try #require(installation.commits(0).last?.number)
        let second = installation.start(new, brain: 2)
        try await installation.place(alive: [new], owners: [0], trusted: [TrustedEnd(shard: 0, commit: end + 1000)])
        let heard = HeartbeatProbe()
        let registration = try await installation.messaging.listen("worker.heartbeat") { _, payload in heard.take(payload) }
        #expect(await heard.problem(of: new).contains("brain 1"), "another commit was named")
        try await installation.place(alive: [new], owners: [0], trusted: [TrustedEnd(shard: 0, commit: end)])
        let commit = try await installation.awaitCommit(0) { $0.kind == .trusted }
        #expect(commit.number == end + 1 && commit.brain == 2 && commit.owner == new.description)
        #expect(installation.snapshots.commits(of: .shard(ShardID(0))).contains(commit.number))
        #expect(try commit.steps.flatMap { try $0.decodedEffects() } == [], "nothing was decided otherwise here")
        let closing = try await installation.feed(workload, events: 1500..<3000, closing: true)
        #expect(try await installation.answers(closing: closing).answers == expected)
        registration.close()
        try await stop([second])
    }
}
