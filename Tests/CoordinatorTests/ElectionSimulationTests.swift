import Model
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

/// Several candidates over one log, with delays, losses and cut-off candidates by seed.
@Suite struct ElectionSimulationTests {
    private enum Event {
        case tick(Int)
        case heartbeat(CoordinatorHeartbeat, to: Int)
        case read(Int)
        case append(Int, CoordinatorRecord, expecting: UInt64)
        case lastRead(Int, Result<Election.Known, LogError>)
        case appended(Int, Result<UInt64, LogError>)
    }

    private struct World {
        var random: SplitMix
        var now: Int64 = 0
        var candidates: [Election]
        var log: [CoordinatorRecord] = []
        var queue: [(at: Int64, order: Int, event: Event)] = []
        var order = 0
        var cutOff: Set<Int> = []
        var faulty = true
        var leadersByEpoch: [UInt64: Set<String>] = [:]
        var elections = 0

        mutating func after(_ delay: Int64, _ event: Event) {
            order += 1
            queue.append((now + delay, order, event))
        }

        mutating func delay() -> Int64 { Int64(1 + random.next() % (faulty ? 400 : 20)) }

        mutating func run(until end: Int64) {
            while let index = queue.indices.min(by: { (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order) }),
                queue[index].at <= end
            {
                let (at, _, event) = queue.remove(at: index)
                now = at
                handle(event)
            }
            now = end
        }

        mutating func handle(_ event: Event) {
            let time = Instant(milliseconds: 1_000_000 + now)
            switch event {
            case .tick(let who):
                after(500, .tick(who))
                perform(candidates[who].tick(now: time), of: who)
            case .heartbeat(let heartbeat, let who):
                if !cutOff.contains(who) { perform(candidates[who].heard(heartbeat, now: time), of: who) }
            case .read(let who):
                let isLost = cutOff.contains(who) || (faulty && random.chance(perMille: 100))
                let last = Election.Known(sequence: UInt64(log.count), record: log.last)
                after(delay(), .lastRead(who, isLost ? .failure(LogError(.unavailable, "")) : .success(last)))
            case .append(let who, let record, let expecting):
                let isLost = cutOff.contains(who) || (faulty && random.chance(perMille: 150))
                var result: Result<UInt64, LogError> = .failure(LogError(.ambiguous, ""))
                if !isLost {
                    if expecting == UInt64(log.count) {
                        log.append(record)
                        result = .success(expecting + 1)
                    } else {
                        result = .failure(LogError(.refused, ""))
                    }
                    if faulty && random.chance(perMille: 150) { result = .failure(LogError(.ambiguous, "")) }
                }
                after(delay(), .appended(who, result))
            case .lastRead(let who, let result): perform(candidates[who].lastRead(result, now: time), of: who)
            case .appended(let who, let result): perform(candidates[who].appended(result, now: time), of: who)
            }
            propose(time)
        }

        mutating func propose(_ time: Instant) {
            guard random.chance(perMille: 20) else { return }
            for who in candidates.indices where candidates[who].leadingEpoch != nil {
                let placement = PlacementRecord(alive: [WorkerID(name: "\(now)", instance: "")], owners: [0])
                perform(candidates[who].propose(placement), of: who)
            }
        }

        mutating func perform(_ actions: [Election.Action], of who: Int) {
            for action in actions {
                switch action {
                case .readLast: after(delay(), .read(who))
                case .append(let record, let expecting): after(delay(), .append(who, record, expecting: expecting))
                case .publish(let heartbeat):
                    guard !cutOff.contains(who) else { continue }
                    for other in candidates.indices where !(faulty && random.chance(perMille: 100)) {
                        after(delay(), .heartbeat(heartbeat, to: other))
                    }
                case .lead(let epoch):
                    elections += 1
                    leadersByEpoch[epoch, default: []].insert(candidates[who].me)
                case .stepDown: break
                case .alarm(let text): Issue.record("alarm: \(text)")
                }
            }
        }
    }

    @Test(arguments: 0..<60)
    func `I2 F5 each epoch has one leader, records never go back, and in the end one leads`(seed: Int) throws {
        let start = Instant(milliseconds: 1_000_000)
        var world = World(
            random: SplitMix(seed: UInt64(seed)),
            candidates: (0..<3).map { Election(name: "c\($0)", instance: "1", shards: 1, now: start) })
        for who in 0..<3 { world.after(Int64(world.random.next() % 500), .tick(who)) }
        for _ in 0..<30 {
            world.cutOff = world.random.chance(perMille: 500) ? [Int(world.random.next() % 3)] : []
            world.run(until: world.now + Int64(world.random.next() % 10_000))
        }
        world.faulty = false
        world.cutOff = []
        world.run(until: world.now + 20_000)
        #expect(world.leadersByEpoch.values.allSatisfy { $0.count == 1 })
        for (earlier, later) in zip(world.log, world.log.dropFirst()) {
            #expect(later.epoch == earlier.epoch ? later.coordinator == earlier.coordinator : later.epoch == earlier.epoch + 1)
        }
        let leaders = world.candidates.filter { $0.leadingEpoch != nil }
        #expect(leaders.count == 1)
        #expect(leaders.first?.leadingEpoch == world.log.last?.epoch)
        #expect(leaders.first?.me == world.log.last?.coordinator)
        #expect(world.elections >= 1 && world.log.count >= world.elections)
    }
}
