import Model
import SimulatedPorts
import Testing

@testable import Delivery

/// Several dispatchers, shards and a mail provider in one thread, every step drawn from the seed: messages are late,
/// repeated and overtaken, dispatchers crash, freeze and come anew, the provider fails in all its ways.
private struct DeliveryWorld {
    final class Node {
        var state: DispatcherState
        var positions: [Int]
        var sending: [GrantedAction] = []
        /// Written and not yet told.
        var acknowledged: [OutcomeReport] = []
        var frozenSteps = 0

        init(_ state: DispatcherState, positions: [Int]) {
            self.state = state
            self.positions = positions
        }
    }

    var random: SplitMix
    var now = Instant(milliseconds: 1_000_000)
    var shards: [FakeShard]
    var logs: [[Effect]]
    var nodes: [Node] = []
    /// On their way into IN, in no order.
    var arriving: [(shard: Int, event: Event)] = []
    var left: [ActionID: Int] = [:]
    var instances: UInt64 = 0
    var isCalm = false
    /// Rare branches that the seeds together must reach.
    var reached: Set<String> = []

    init(seed: UInt64, shards: Int, nodes: Int) {
        random = SplitMix(seed: seed)
        self.shards = Array(repeating: FakeShard(), count: shards)
        for index in 0..<shards { self.shards[index].isForgetful = random.chance(perMille: 500) }
        logs = Array(repeating: [], count: shards)
        for _ in 0..<nodes { start() }
    }

    mutating func start() {
        instances += 1
        var settings = DispatcherSettings(instance: instances)
        settings.connections = 2
        settings.permitsMax = 6
        settings.actionsMax = random.chance(perMille: 300) ? 10 : 1000
        let node = Node(DispatcherState(settings), positions: logs.map(\.count))
        nodes.append(node)
        for index in shards.indices { load(node, index) }
    }

    mutating func load(_ node: Node, _ index: Int) {
        // In two pages, the second some time later; the log is followed from behind the first.
        node.positions[index] = logs[index].count
        let middle = ActionID(UInt128(random.below(60)))
        let page = shards[index].listed.filter { $0.action < middle }
        for _ in 0..<random.below(4) { arrive() }
        let open = page + shards[index].listed.filter { $0.action >= middle }
        perform(node.state.loaded(ShardID(index: index), open, now: now), node)
    }

    mutating func perform(_ commands: [DispatcherCommand], _ node: Node) {
        for command in commands {
            switch command {
            case .send(let granted): node.sending.append(granted)
            case .ask(let request): write(Int(request.shard.number), request.event)
            case .report(let report):
                write(Int(report.shard.number), report.event)
                node.acknowledged.append(report)
            }
        }
    }

    /// An append whose answer was lost is written again under the same id; after the log's window it stands there twice.
    mutating func write(_ shard: Int, _ event: Event) {
        arriving.append((shard, event))
        if !isCalm, random.chance(perMille: 150) { arriving.append((shard, event)) }
    }

    mutating func arrive() {
        guard !arriving.isEmpty else { return }
        let item = arriving.remove(at: isCalm ? 0 : random.below(arriving.count))
        logs[item.shard] += shards[item.shard].apply(item.event)
    }

    mutating func read(_ node: Node) {
        let index = random.below(shards.count)
        guard node.positions[index] < logs[index].count else { return }
        let effect = logs[index][node.positions[index]]
        node.positions[index] += 1
        let times = !isCalm && random.chance(perMille: 100) ? 2 : 1
        for _ in 0..<times {
            perform(node.state.apply(effect, shard: ShardID(index: index), configuration: 1, now: now), node)
        }
    }

    mutating func finishSend(_ node: Node) {
        guard !node.sending.isEmpty else { return }
        let granted = node.sending.remove(at: random.below(node.sending.count))
        let action = granted.grant.action
        let draw = isCalm ? 0 : random.below(100)
        let result: DeliveryResult
        switch draw {
        case 0..<50:
            left[action, default: 0] += 1
            result = .sent("250")
        case 50..<65: result = .failed("451", provider: false)
        case 65..<80: result = .failed("no connection", provider: true)
        case 80..<90: result = .undeliverable("550")
        default:
            if random.chance(perMille: 500) { left[action, default: 0] += 1 }
            result = .uncertain("lost")
        }
        perform(node.state.finished(action, granted.grant.attempt, result, now: now), node)
    }

    mutating func acknowledge(_ node: Node) {
        guard !node.acknowledged.isEmpty else { return }
        // The log has it: what is still on its way counts as arrived before.
        let report = node.acknowledged.remove(at: random.below(node.acknowledged.count))
        while let index = arriving.firstIndex(where: { $0.event == report.event }) {
            let item = arriving.remove(at: index)
            logs[item.shard] += shards[item.shard].apply(item.event)
            if random.chance(perMille: 500) { break }
        }
        perform(node.state.written(report, now: now), node)
    }

    mutating func pass(_ milliseconds: Int64) {
        now = now + milliseconds
        for node in nodes where node.frozenSteps == 0 {
            for other in nodes where other.frozenSteps == 0 { other.state.heard(node.state.settings.instance, now: now) }
        }
        for node in nodes where node.frozenSteps == 0 {
            perform(node.state.tick(now: now), node)
            guard node.state.hasRoom else { continue }
            for shard in node.state.overflowed.sorted() {
                reached.insert("loaded again")
                load(node, Int(shard.number))
            }
        }
    }

    /// What was being sent left or not, and nobody will say.
    mutating func crash() {
        guard let index = nodes.indices.randomElement(using: &random) else { return }
        let node = nodes.remove(at: index)
        for granted in node.sending where random.chance(perMille: 500) { left[granted.grant.action, default: 0] += 1 }
        if !node.sending.isEmpty { reached.insert("crashed while sending") }
        start()
    }

    mutating func step() {
        for node in nodes where node.frozenSteps > 0 { node.frozenSteps -= 1 }
        let awake = nodes.filter { $0.frozenSteps == 0 }
        let node = awake.randomElement(using: &random)
        switch random.below(100) {
        case 0..<30: arrive()
        case 30..<60: if let node { read(node) }
        case 60..<75: if let node { finishSend(node) }
        case 75..<85: if let node { acknowledge(node) }
        case 85..<97: pass(Int64(random.below(isCalm ? 1900 : 900)))
        case 97: if !isCalm, random.chance(perMille: 300) { crash() }
        case 98: if !isCalm, random.chance(perMille: 100) { node?.frozenSteps = 400 }
        default: break
        }
    }
}

extension SplitMix {
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

@Suite struct DispatcherPropertyTests {
    @Test(
        "I11 I7 whatever is late, repeated, overtaken or crashes: no message leaves twice, and every action ends",
        arguments: 0..<60)
    func neverTwice(_ seed: Int) throws {
        var world = DeliveryWorld(seed: UInt64(seed), shards: 3, nodes: 1 + seed % 3)
        var opened = 0
        for round in 0..<6000 {
            if opened < 60, world.random.chance(perMille: 30) {
                let shard = world.random.below(world.shards.count)
                opened += 1
                world.logs[shard] += world.shards[shard].open(
                    ActionID(UInt128(opened)), .user("c\(opened)"), deadline: world.now + Int64(world.random.below(100_000)))
            }
            world.step()
            for node in world.nodes {
                let state = node.state
                try #require(state.permitsInFlight <= Limits.permitsInFlightMax && state.lane.sending <= 2)
                try #require(state.queuedCount >= 0 && state.inFlightCount >= 0 && node.sending.count == state.lane.sending)
            }
            if let twice = world.left.first(where: { $0.value > 1 }) {
                Issue.record("seed \(seed), round \(round): action \(twice.key) left twice")
                return
            }
        }
        world.isCalm = true
        for node in world.nodes { node.frozenSteps = 0 }
        var rounds = 0
        while world.shards.contains(where: { !$0.listed.isEmpty }), rounds < 200_000 {
            world.step()
            rounds += 1
        }
        for (action, known) in world.shards.flatMap({ $0.actions }) {
            let left = world.left[action] ?? 0
            switch known.state {
            case .closed(.sent): #expect(left == 1)
            case .closed(.undeliverable): #expect(left == 0)
            case .closed(.uncertain): #expect(left <= 1)
            default: Issue.record("seed \(seed): action \(action) did not end: \(known.state)")
            }
        }
    }
}
