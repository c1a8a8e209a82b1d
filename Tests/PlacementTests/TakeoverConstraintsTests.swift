import Model
import Placement
import Testing

@Suite struct TakeoverConstraintsTests {
    private let old = [WorkerID(name: "a", instance: "1"), WorkerID(name: "b", instance: "1")]
    private let new = [WorkerID(name: "c", instance: "1"), WorkerID(name: "d", instance: "1")]

    private func roster(_ workers: [WorkerID]) -> Roster { Roster(alive: workers.sorted(), placeable: workers.sorted()) }

    private func beat(_ worker: WorkerID, _ brain: UInt32, _ shards: [ShardStatus] = []) -> WorkerHeartbeat {
        WorkerHeartbeat(worker: worker, brain: brain, draining: false, shards: shards, residentBytes: 0)
    }

    private func served(_ shard: Int, commit: UInt64) -> ShardStatus {
        ShardStatus(shard: shard, phase: .serving, commit: commit)
    }

    private func refused(_ shard: Int, commit: UInt64, needing brain: UInt32) -> ShardStatus {
        var status = ShardStatus(shard: shard, phase: .following, commit: commit)
        status.neededBrain = brain
        return status
    }

    private func constraints() -> TakeoverConstraints {
        var constraints = TakeoverConstraints()
        for worker in old { constraints.hear(beat(worker, 1)) }
        for worker in new { constraints.hear(beat(worker, 2)) }
        return constraints
    }

    @Test func `a served shard may move to any brain, one whose owner has gone goes to its like first`() {
        var constraints = constraints()
        constraints.hear(beat(old[0], 1, [served(0, commit: 9)]))
        let all = roster(old + new)
        #expect(constraints.eligible(roster: all, previous: [old[0]], trusted: []).isEmpty)
        let without = roster([old[1]] + new)
        #expect(constraints.eligible(roster: without, previous: [old[0]], trusted: []) == [0: [old[1]]])
        // Nobody is like it: whoever gets it looks at the log, which may end with a release point.
        #expect(constraints.eligible(roster: roster(new), previous: [old[0]], trusted: []).isEmpty)
    }

    @Test func `who cannot take a shard says so, and only the brain it needs gets it`() {
        var constraints = constraints()
        constraints.hear(beat(new[0], 2, [refused(0, commit: 9, needing: 1)]))
        #expect(constraints.eligible(roster: roster(old + new), previous: [new[0]], trusted: []) == [0: Set(old)])
        #expect(constraints.eligible(roster: roster(new), previous: [new[0]], trusted: []) == [0: []])
        #expect(constraints.problems(roster: roster(old + new), trusted: []).isEmpty)
        let problem = constraints.problems(roster: roster(new), trusted: []).first ?? ""
        #expect(problem.contains("shard 0 waits for a worker with brain 1"))
        #expect(problem.contains("reprise recover --trust-log 0"))
        // Somebody took it, with a later commit; an older heartbeat that comes late changes nothing.
        constraints.hear(beat(old[1], 1, [served(0, commit: 8)]))
        #expect(constraints.needs[0]?.brain == 1)
        constraints.hear(beat(old[1], 1, [served(0, commit: 10)]))
        #expect(constraints.needs.isEmpty)
    }

    @Test func `who serves a shard keeps it from a commit that ends its build, who has ended at it does not`() {
        let constraints = constraints()
        let all = roster(old + new)
        var trap = ReplayTrap(shard: 0, commit: 9, build: "unnamed", place: nil, workers: ["x#1", "y#1"])
        #expect(constraints.eligible(roster: all, previous: [old[0]], trusted: [], traps: [trap]) == [0: [old[0]]])
        trap.workers = ["x#1", old[0].description]
        #expect(constraints.eligible(roster: all, previous: [old[0]], trusted: [], traps: [trap]) == [0: []])
        let trusted = [TrustedEnd(shard: 0, commit: 12)]
        #expect(constraints.eligible(roster: all, previous: [nil], trusted: trusted, traps: [trap]).isEmpty)
        trap.build = "another"
        #expect(constraints.eligible(roster: all, previous: [nil], trusted: [], traps: [trap]).isEmpty)
        trap.build = "unnamed"
        trap.workers = ["x#1"]
        #expect(constraints.eligible(roster: all, previous: [nil], trusted: [], traps: [trap]).isEmpty, "one is none")
    }

    @Test func `a trusted log may be taken by anybody, up to the very commit that was trusted`() {
        var constraints = constraints()
        constraints.hear(beat(new[0], 2, [refused(0, commit: 9, needing: 1)]))
        let trusted = [TrustedEnd(shard: 0, commit: 9)]
        #expect(constraints.eligible(roster: roster(new), previous: [nil], trusted: trusted).isEmpty)
        #expect(constraints.problems(roster: roster(new), trusted: trusted).isEmpty)
        constraints.hear(beat(new[0], 2, [refused(0, commit: 11, needing: 1)]))
        #expect(constraints.eligible(roster: roster(new), previous: [nil], trusted: trusted) == [0: []])
    }

    @Test(arguments: 0..<200)
    func `with any constraints everybody eligible is used, nobody else, and the rest stays balanced`(seed: Int) {
        var random = PlacementPlannerTests.Random(state: UInt64(seed) &* 91 &+ 5)
        let shards = [8, 16, 64].randomElement(using: &random) ?? 8
        let workers = (0..<Int.random(in: 1...6, using: &random)).map { PlacementPlannerTests.worker($0) }
        var previous: [WorkerID?] = (0..<shards).map { _ in workers.randomElement(using: &random) }
        for shard in 0..<shards where Int.random(in: 0..<5, using: &random) == 0 { previous[shard] = nil }
        var eligible: [Int: Set<WorkerID>] = [:]
        for shard in 0..<shards where Int.random(in: 0..<4, using: &random) == 0 {
            eligible[shard] = Set(workers.filter { _ in Bool.random(using: &random) })
        }
        let plan = PlacementPlanner.plan(shards: shards, workers: workers, previous: previous, eligible: eligible)
        for shard in 0..<shards {
            guard let allowed = eligible[shard] else {
                #expect(plan[shard] != nil)
                continue
            }
            if allowed.isEmpty { #expect(plan[shard] == nil) } else { #expect(plan[shard].map { allowed.contains($0) } == true) }
            if let before = previous[shard], allowed.contains(before) { #expect(plan[shard] == before, "no need to move") }
        }
        let again = PlacementPlanner.plan(shards: shards, workers: workers, previous: plan, eligible: eligible)
        #expect(again == plan, "nothing moves twice")
        // Whoever has more than the others has it because nobody else can.
        let loads = PlacementPlannerTests.loads(plan)
        let free = PlacementPlannerTests.loads(plan.indices.map { eligible[$0] == nil ? plan[$0] : nil })
        let most = (shards + workers.count - 1) / workers.count
        for (worker, load) in loads where load > most { #expect(free[worker] == nil, "\(load) of \(most)") }
    }
}
