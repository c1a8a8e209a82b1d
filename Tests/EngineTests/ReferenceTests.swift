import Engine
import Model
import Testing
import Workload

@Suite("W1 through the engine")
struct ReferenceTests {
    /// Runs the workload through real shards, `clockEvery` milliseconds of its time a clock record.
    private func run(customers: UInt64, events: UInt64, shards: Int, clockEvery: Int64?) async throws -> (
        ShardHarness, AnswerFold
    ) {
        let workload = try #require(ReferenceWorkload(customers: customers, events: events))
        let harness = try ShardHarness(shards: shards, rules: ReferenceRules.ruleSet)
        var pending: [Event] = []
        var clock = ReferenceWorkload.start
        for index in 0..<events {
            let input = workload.event(at: index).input(seed: 42)
            if let clockEvery, input.time - clock >= clockEvery {
                try await harness.feed(pending)
                pending.removeAll(keepingCapacity: true)
                clock = clock + clockEvery
                try await harness.clock(clock)
            }
            pending.append(input)
            if pending.count == 2000 {
                try await harness.feed(pending)
                pending.removeAll(keepingCapacity: true)
            }
        }
        try await harness.feed(pending)
        try await harness.clock(ReferenceWorkload.closing)
        var fold = AnswerFold()
        for id in harness.installation.shards.all {
            let steps = await harness.steps[id] ?? []
            var hash: UInt128 = 0
            let fence = Commit(kind: .fence, shard: id, epoch: 1, number: 1, previousHash: 0, brain: 1, owner: "test").encoded()
            try fold.add(fence.bytes)
            hash = fence.hash
            for (index, step) in steps.enumerated() {
                let commit = Commit(
                    kind: .steps, shard: id, epoch: 1, number: UInt64(index) + 2, previousHash: hash, brain: 1, owner: "test",
                    steps: [step]
                ).encoded()
                hash = commit.hash
                try fold.add(commit.bytes)
            }
        }
        return (harness, fold)
    }

    @Test("known answers, 1,000 customers and 100,000 events")
    func known() async throws {
        let workload = try #require(ReferenceWorkload(customers: 1000, events: 100_000))
        let (_, fold) = try await run(customers: 1000, events: 100_000, shards: 4, clockEvery: nil)
        #expect(fold.answers == ReferenceAnswers.known(for: workload))
        #expect(fold.unexpected == 0, "\(fold.firstUnexpected ?? "")")
    }

    @Test(
        "I4 any shards and clock records give the interpreter's answers, and the replay is the run",
        arguments: [
            (1, nil), (8, nil), (4, Milliseconds.day), (2, 7 * Milliseconds.hour),
        ])
    func replay(shards: Int, clockEvery: Int64?) async throws {
        let workload = try #require(ReferenceWorkload(customers: 100, events: 6000))
        let (harness, fold) = try await run(customers: 100, events: 6000, shards: shards, clockEvery: clockEvery)
        #expect(fold.answers == ReferenceInterpreter.answers(for: workload))
        #expect(fold.unexpected == 0, "\(fold.firstUnexpected ?? "")")
        #expect(try await harness.replay(ShardID(0)), "replay from nothing")
        #expect(try await harness.replay(ShardID(0), from: 2), "snapshot and tail")
    }
}
