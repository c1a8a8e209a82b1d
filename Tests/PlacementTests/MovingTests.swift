import Model
import Placement
import Testing

/// Placements as COORD gets them: a step towards the plan each, a few moves at once.
@Suite struct MovingTests {
    /// A cluster in which every move takes some rounds.
    private struct World {
        var random: PlacementPlannerTests.Random
        let shards: Int
        var placement: PlacementRecord
        var workers: [WorkerID] = []
        var draining: Set<WorkerID> = []
        /// By shard, who serves it.
        var serving: [WorkerID?]
        let movesAtOnceMax = 4
        let standbys: Int

        init(seed: Int) {
            random = PlacementPlannerTests.Random(state: UInt64(seed) &* 31 &+ 5)
            shards = [8, 16, 64].randomElement(using: &random) ?? 8
            standbys = Int.random(in: 0...2, using: &random)
            placement = .empty(shards: shards)
            serving = Array(repeating: nil, count: shards)
        }

        mutating func join(_ name: String, run: Int = 0) -> WorkerID {
            let worker = WorkerID(name: name, instance: "\(run)")
            workers.append(worker)
            return worker
        }

        var basis: PlacementBasis {
            let alive = workers.sorted()
            let moving = Set(
                serving.indices.filter { shard in
                    guard let owner = placement.ownersByShard[shard], workers.contains(owner) else { return false }
                    return serving[shard] != owner
                })
            return PlacementBasis(
                roster: Roster(alive: alive, placeable: alive.filter { !draining.contains($0) }), standbys: standbys,
                moving: moving, movesAtOnceMax: movesAtOnceMax)
        }

        /// Until nothing moves any more; every shard that was placed elsewhere on the way, and where.
        mutating func settle() throws -> [(shard: Int, to: WorkerID)] {
            var moves: [(shard: Int, to: WorkerID)] = []
            for _ in 0..<1000 {
                let before = placement
                placement = before.next(shards: shards, basis: basis)
                let owners = placement.ownersByShard
                for shard in owners.indices where owners[shard] != before.ownersByShard[shard] {
                    if let owner = owners[shard] { moves.append((shard, owner)) }
                }
                #expect(basis.moving.filter { serving[$0].map { workers.contains($0) } ?? false }.count <= movesAtOnceMax)
                if basis.moving.isEmpty && placement == before { return moves }
                for shard in owners.indices where Bool.random(using: &random) { serving[shard] = owners[shard] }
            }
            throw Unsettled()
        }
    }

    private struct Unsettled: Error {}

    @Test(arguments: 0..<60)
    func `F3 step by step too a join moves at most its share, and a drain what the worker had`(seed: Int) throws {
        var world = World(seed: seed)
        for number in 0..<Int.random(in: 1...4, using: &world.random) { _ = world.join("w\(number)") }
        _ = try world.settle()
        let joiner = world.join("joiner")
        let joined = try world.settle()
        let share = (world.shards + world.workers.count - 1) / world.workers.count
        #expect(joined.count <= share && joined.allSatisfy { $0.to == joiner })
        #expect(Set(joined.map(\.shard)).count == joined.count, "no shard moves twice")
        let had = world.placement.ownersByShard.indices.filter { world.placement.ownersByShard[$0] == world.workers[0] }
        world.draining = [world.workers[0]]
        let drained = try world.settle()
        #expect(drained.map(\.shard).sorted() == had)
        world.draining = []
        let back = try world.settle()
        #expect(back.count <= share && back.allSatisfy { $0.to == world.workers[0] })
    }

    @Test(arguments: 0..<40)
    func `F4 the shards of a worker that dies go to its standbys, all at once`(seed: Int) throws {
        var world = World(seed: seed)
        for number in 0..<Int.random(in: 2...5, using: &world.random) { _ = world.join("w\(number)") }
        _ = try world.settle()
        let before = world.placement
        let dead = try #require(world.workers.randomElement(using: &world.random))
        world.workers.removeAll { $0 == dead }
        let after = before.next(shards: world.shards, basis: world.basis)
        for shard in 0..<world.shards {
            if before.ownersByShard[shard] == dead {
                #expect(after.ownersByShard[shard] != nil)
                guard world.standbys > 0 else { continue }
                let first = try #require(before.standbys[shard].first)
                #expect(after.ownersByShard[shard] == before.alive[first])
            } else {
                #expect(after.ownersByShard[shard] == before.ownersByShard[shard])
            }
        }
    }

    @Test(arguments: 0..<40)
    func `standbys live, are no owners, and there are as many as wanted where there are enough workers`(seed: Int) throws {
        var world = World(seed: seed)
        let count = Int.random(in: 1...5, using: &world.random)
        for number in 0..<count { _ = world.join("w\(number)") }
        _ = try world.settle()
        let wanted = min(world.standbys, count - 1)
        for (shard, standbys) in world.placement.standbys.enumerated() {
            #expect(Set(standbys).count == standbys.count && standbys.count == wanted)
            let owner = try #require(world.placement.owners[shard])
            #expect(!standbys.contains(owner))
        }
        #expect(world.placement.standbys.isEmpty == (wanted == 0))
    }

    @Test func `F4 a worker that was started again gets its shards back without a move`() throws {
        var world = World(seed: 3)
        for number in 0..<3 { _ = world.join("w\(number)") }
        _ = try world.settle()
        let before = world.placement.ownersByShard
        world.workers[1].instance = "1"
        let after = world.placement.next(shards: world.shards, basis: world.basis).ownersByShard
        #expect(after.map { $0?.name } == before.map { $0?.name })
        #expect(after.allSatisfy { $0?.name != "w1" || $0?.instance == "1" })
    }

    @Test func `when all are draining nobody owns anything, whatever is under way`() throws {
        var world = World(seed: 4)
        for number in 0..<2 { _ = world.join("w\(number)") }
        _ = try world.settle()
        world.draining = Set(world.workers)
        let after = world.placement.next(shards: world.shards, basis: world.basis)
        #expect(after.owners.allSatisfy { $0 == nil })
    }
}
