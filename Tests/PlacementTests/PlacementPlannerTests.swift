import Model
import Testing

@testable import Placement

@Suite struct PlacementPlannerTests {
    static func worker(_ number: Int, run: Int = 0) -> WorkerID { WorkerID(name: "w\(number)", instance: "\(run)") }

    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state ^ (state >> 29)) &* 0xbf58_476d_1ce4_e5b9
        }
    }

    static func loads(_ plan: [WorkerID?]) -> [WorkerID: Int] {
        plan.reduce(into: [:]) { loads, owner in if let owner { loads[owner, default: 0] += 1 } }
    }

    static func moved(_ before: [WorkerID?], _ after: [WorkerID?]) -> [Int] {
        before.indices.filter { before[$0] != after[$0] }
    }

    @Test(arguments: [0, 1, 2, 7, 16, 64, 1024], [1, 2, 3, 5, 63, 64, 65, 200])
    func `loads differ by one at most`(shards: Int, count: Int) {
        let workers = (0..<count).map { Self.worker($0) }
        let plan = PlacementPlanner.plan(shards: shards, workers: workers, previous: [])
        #expect(plan.count == shards)
        #expect(plan.allSatisfy { $0 != nil })
        let loads = workers.map { Self.loads(plan)[$0] ?? 0 }
        #expect(loads.allSatisfy { $0 == shards / count || $0 == (shards + count - 1) / count })
    }

    @Test func `without workers nobody owns anything`() {
        let plan = PlacementPlanner.plan(shards: 4, workers: [], previous: [Self.worker(1), nil, Self.worker(1), nil])
        #expect(plan == [nil, nil, nil, nil])
    }

    @Test func `the order of the workers does not matter`() {
        let workers = (0..<9).map { Self.worker($0) }
        let plan = PlacementPlanner.plan(shards: 64, workers: workers, previous: [])
        #expect(PlacementPlanner.plan(shards: 64, workers: workers.reversed() + workers, previous: []) == plan)
        #expect(PlacementPlanner.plan(shards: 64, workers: workers, previous: plan) == plan)
    }

    @Test func `the plan of today is the plan of tomorrow`() {
        let plan = PlacementPlanner.plan(shards: 16, workers: (0..<3).map { Self.worker($0) }, previous: [])
        #expect(plan.map { $0?.name ?? "-" }.joined(separator: " ") == Self.known)
    }

    static let known = "w1 w2 w1 w2 w1 w2 w2 w2 w2 w1 w1 w0 w0 w0 w0 w0"

    @Test(arguments: 0..<200)
    func `F3 over any history a join moves at most its share, a leave exactly what the leaver had`(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 77 &+ 1)
        let shards = [1, 8, 16, 64, 128, 1024].randomElement(using: &random) ?? 64
        var workers: Set<WorkerID> = []
        var plan: [WorkerID?] = Array(repeating: nil, count: shards)
        var next = 0
        for _ in 0..<(shards > 200 ? 12 : 40) {
            let before = plan
            if workers.isEmpty || (workers.count < 20 && Bool.random(using: &random)) {
                let joiner = Self.worker(next, run: next)
                next += 1
                workers.insert(joiner)
                plan = PlacementPlanner.plan(shards: shards, workers: Array(workers), previous: before)
                let moved = Self.moved(before, plan)
                #expect(moved.count <= (shards + workers.count - 1) / workers.count)
                #expect(moved.allSatisfy { plan[$0] == joiner })
            } else {
                let leaver = try #require(workers.sorted().randomElement(using: &random))
                workers.remove(leaver)
                plan = PlacementPlanner.plan(shards: shards, workers: Array(workers), previous: before)
                #expect(Self.moved(before, plan) == before.indices.filter { before[$0] == leaver })
            }
            let bound = workers.isEmpty ? 0 : (shards + workers.count - 1) / workers.count
            #expect(Self.loads(plan).values.allSatisfy { $0 <= bound })
            #expect(plan.allSatisfy { $0.map { workers.contains($0) } ?? workers.isEmpty })
        }
    }

    @Test(arguments: 0..<100)
    func `from any placement whatever, several changes at once end balanced and move no more than they must`(seed: Int) {
        var random = Random(state: UInt64(seed) &+ 99)
        let workers = (0..<Int.random(in: 1...12, using: &random)).map { Self.worker($0) }
        let strangers = (20..<25).map { Self.worker($0) }
        let previous: [WorkerID?] = (0..<64).map { _ in
            Int.random(in: 0..<5, using: &random) == 0 ? nil : (workers.prefix(3) + strangers).randomElement(using: &random)
        }
        let plan = PlacementPlanner.plan(shards: 64, workers: workers, previous: previous)
        let loads = workers.map { Self.loads(plan)[$0] ?? 0 }
        #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1)
        // Nobody who has no more than the least share loses anything.
        for worker in workers {
            let had = previous.indices.filter { previous[$0] == worker }
            if had.count <= 64 / workers.count { #expect(had.allSatisfy { plan[$0] == worker }) }
        }
    }

    @Test func `F4 a worker that was started again keeps what it had`() {
        let workers = (0..<4).map { Self.worker($0) }
        let plan = PlacementPlanner.plan(shards: 64, workers: workers, previous: [])
        let again: [WorkerID] = workers.dropLast() + [Self.worker(3, run: 1)]
        let back = PlacementPlanner.plan(shards: 64, workers: again, previous: plan)
        #expect(back.map { $0?.name } == plan.map { $0?.name })
        #expect(back.allSatisfy { $0 != workers[3] })
    }

    @Test func `a worker that comes back after others had its shards gets back most of what it had`() {
        let workers = (0..<4).map { Self.worker($0) }
        let plan = PlacementPlanner.plan(shards: 64, workers: workers, previous: [])
        let without = PlacementPlanner.plan(shards: 64, workers: Array(workers.dropLast()), previous: plan)
        let back = PlacementPlanner.plan(shards: 64, workers: workers.dropLast() + [Self.worker(3, run: 1)], previous: without)
        let same = plan.indices.filter { plan[$0]?.name == "w3" && back[$0]?.name == "w3" }
        #expect(same.count >= 4)
    }
}
