import Model
import Placement
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

/// Election and placement together, told the time and the answers by hand.
@Suite struct DrainTests {
    private struct World {
        var core: CoordinatorCore
        var now = Instant(milliseconds: 1_000_000)
        var log: [CoordinatorRecord] = []
        /// Shards that their new owner does not serve yet.
        var unserved: Set<Int> = []
        let shards: Int

        init(shards: Int, log: [CoordinatorRecord] = [], name: String = "c") {
            self.shards = shards
            self.log = log
            core = CoordinatorCore(name: name, instance: "1", shards: shards, now: now)
        }

        mutating func take(_ input: CoordinatorCore.Input) {
            var actions = core.take(input, now: now)
            while !actions.isEmpty {
                switch actions.removeFirst() {
                case .readLast:
                    let last = Election.Known(sequence: UInt64(log.count), record: log.last)
                    actions += core.take(.lastRead(.success(last)), now: now)
                case .append(let record, let expecting):
                    #expect(expecting == UInt64(log.count))
                    log.append(record)
                    actions += core.take(.appended(.success(UInt64(log.count))), now: now)
                case .publish, .lead, .stepDown, .alarm: break
                }
            }
        }

        /// Time passes while these workers are heard; each serves what it is given but for `unserved`.
        mutating func live(_ milliseconds: Int64, hearing names: [String]) {
            let end = now + milliseconds
            while now < end {
                now = now + Limits.placementTickMilliseconds
                take(.tick)
                for name in names {
                    let worker = WorkerID(name: name, instance: "1")
                    let own = placement.ownersByShard.indices.filter { placement.ownersByShard[$0] == worker }
                    take(
                        .workerHeartbeat(
                            WorkerHeartbeat(
                                worker: worker, brain: 1, draining: false,
                                shards: own.filter { !unserved.contains($0) }.map { ShardStatus(shard: $0, phase: .serving) },
                                residentBytes: 1)))
                }
            }
        }

        var placement: PlacementRecord { core.election.placement }

        func owned(by name: String) -> [Int] {
            placement.ownersByShard.indices.filter { placement.ownersByShard[$0]?.name == name }
        }
    }

    @Test func `F3 a drained worker owns nothing, also after a new coordinator, until it is undrained`() {
        var world = World(shards: 8)
        world.live(4000, hearing: ["a", "b", "d"])
        #expect(!world.owned(by: "a").isEmpty)
        world.take(.drain(name: "a", isDrained: true))
        #expect(world.placement.drained == ["a"])
        world.live(1000, hearing: ["a", "b", "d"])
        #expect(world.owned(by: "a").isEmpty && world.placement.alive.count == 3)

        var successor = World(shards: 8, log: world.log, name: "e")
        successor.live(6000, hearing: ["a", "b", "d"])
        #expect(successor.placement.drained == ["a"] && successor.owned(by: "a").isEmpty)
        successor.take(.drain(name: "a", isDrained: false))
        successor.live(1000, hearing: ["a", "b", "d"])
        #expect(successor.placement.drained.isEmpty && successor.owned(by: "a").count == 2)
    }

    @Test func `F3 drained workers serve when nobody else is left, and let go when somebody is back`() {
        var world = World(shards: 8)
        world.live(4000, hearing: ["a", "b"])
        world.take(.drain(name: "a", isDrained: true))
        world.live(1000, hearing: ["a", "b"])
        #expect(world.owned(by: "b").count == 8)
        world.live(Limits.workerTimeoutMilliseconds + 1000, hearing: ["a"])
        #expect(world.owned(by: "a").count == 8 && world.placement.drained == ["a"])
        world.live(4000, hearing: ["a", "b"])
        #expect(world.owned(by: "b").count == 8)
    }

    @Test func `F3 at most so many shards move at once, and one that hangs holds the others up for a while only`() {
        var world = World(shards: 64)
        world.live(4000, hearing: ["a", "b"])
        let had = world.owned(by: "a")
        world.unserved = Set(had)
        world.take(.drain(name: "a", isDrained: true))
        world.live(5000, hearing: ["a", "b"])
        #expect(world.owned(by: "a").count == had.count - Limits.movesAtOnceMax)
        world.live(Limits.moveMilliseconds, hearing: ["a", "b"])
        #expect(world.owned(by: "a").count == had.count - 2 * Limits.movesAtOnceMax)
        world.unserved = []
        world.live(5000, hearing: ["a", "b"])
        #expect(world.owned(by: "a").isEmpty)
    }

    @Test func `F4 a silent worker's shards are placed within the time-out and a tick, all of them`() {
        var world = World(shards: 64)
        world.live(4000, hearing: ["a", "b"])
        let silent = world.now
        while !world.owned(by: "b").isEmpty { world.live(Limits.placementTickMilliseconds, hearing: ["a"]) }
        #expect(world.now - silent <= Limits.workerTimeoutMilliseconds + Limits.placementTickMilliseconds)
        #expect(world.owned(by: "a").count == 64)
    }
}
