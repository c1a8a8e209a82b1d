import Model
import Testing

@testable import Delivery

/// One dispatcher, one shard and a provider that is away for a while.
@Suite("E5 a provider that is away")
struct ProviderAwayTests {
    private struct World {
        var shard = FakeShard()
        var state: DispatcherState
        var now = Instant(milliseconds: 1_000_000)
        var isAway = true
        /// This one drives the provider away whenever it is tried.
        var poison: ActionID?
        var tries: [(at: Instant, action: ActionID)] = []
        var outcomes: [Outcome] = []
        var sent: Set<ActionID> = []

        init(instance: UInt64) {
            var settings = DispatcherSettings(instance: instance)
            settings.connections = 2
            settings.permitsMax = 8
            state = DispatcherState(settings)
        }

        mutating func open(_ count: Int) {
            for number in 1...count {
                let effects = shard.open(
                    ActionID(UInt128(number)), .user("c\(number)"), deadline: now + Milliseconds.day + Int64(number))
                for effect in effects { perform(state.apply(effect, shard: ShardID(0), configuration: 1, now: now)) }
            }
        }

        mutating func perform(_ commands: [DispatcherCommand]) {
            for command in commands {
                switch command {
                case .ask(let request): tell(request.event)
                case .report(let report):
                    outcomes.append(report.outcome)
                    tell(report.event)
                    perform(state.written(report, now: now))
                case .send(let granted):
                    let action = granted.grant.action
                    tries.append((now, action))
                    let fails = isAway || action == poison
                    if !fails { sent.insert(action) }
                    let result: DeliveryResult = fails ? .failed("no connection", provider: true) : .sent("250")
                    perform(state.finished(action, granted.grant.attempt, result, now: now))
                }
            }
        }

        private mutating func tell(_ event: Event) {
            for effect in shard.apply(event) { perform(state.apply(effect, shard: ShardID(0), configuration: 1, now: now)) }
        }

        mutating func pass(_ milliseconds: Int64) {
            let end = now + milliseconds
            while now < end {
                now = now + 100
                perform(state.tick(now: now))
            }
        }
    }

    @Test(
        "E5 an hour without the provider costs it a try a minute, and no message one of its attempts",
        arguments: 1...5 as ClosedRange<UInt64>)
    func away(instance: UInt64) {
        var world = World(instance: instance)
        world.open(100)
        world.pass(Milliseconds.hour)
        #expect((40...90).contains(world.tries.count), "\(world.tries.count) tries")
        let pauses = zip(world.tries, world.tries.dropFirst()).map { $1.at - $0.at }
        #expect(pauses.dropFirst(8).allSatisfy { (45_000...75_200).contains($0) })
        #expect(Set(pauses.dropFirst(8)).count > 10, "they drift")
        #expect(world.outcomes.allSatisfy { $0 == .notTried })
        world.isAway = false
        world.pass(2 * Milliseconds.minute)
        #expect(world.sent.count == 100, "all of them leave when it is back")
    }

    @Test("E5 a message whose content drives the provider away holds up no other")
    func poison() {
        var world = World(instance: 1)
        world.isAway = false
        world.poison = ActionID(1)
        world.open(100)
        world.pass(5 * Milliseconds.minute)
        #expect(world.sent.count == 99)
        #expect(world.tries.filter { $0.action == ActionID(1) }.count < 40)
    }
}
