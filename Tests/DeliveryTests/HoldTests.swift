import Model
import Testing

@testable import Delivery

/// One dispatcher, one shard, and the word on whether messages may leave.
@Suite("I11 F8 delivery that is held")
struct HoldTests {
    private struct World {
        var shard = FakeShard()
        var state = DispatcherState(DispatcherSettings(instance: 7))
        var now = Instant(milliseconds: 1_000_000)
        var asked = 0
        var sent: [ActionID] = []
        var outcomes: [Outcome] = []
        /// Requests that the shard has not answered yet.
        var waiting: [Event] = []
        var answers = true

        mutating func open(_ number: Int, due: Int64) {
            let effects = shard.open(ActionID(UInt128(number)), .user("c\(number)"), deadline: Instant(milliseconds: due))
            for effect in effects { perform(state.apply(effect, shard: ShardID(0), configuration: 1, now: now)) }
        }

        mutating func perform(_ commands: [DispatcherCommand]) {
            for command in commands {
                switch command {
                case .ask(let request):
                    asked += 1
                    waiting.append(request.event)
                    if answers { answer() }
                case .report(let report):
                    outcomes.append(report.outcome)
                    tell(report.event)
                    perform(state.written(report, now: now))
                case .send(let granted):
                    sent.append(granted.grant.action)
                    perform(state.finished(granted.grant.action, granted.grant.attempt, .sent("250"), now: now))
                }
            }
        }

        mutating func answer() {
            let events = waiting
            waiting = []
            for event in events { tell(event) }
        }

        private mutating func tell(_ event: Event) {
            for effect in shard.apply(event) {
                perform(state.apply(effect, shard: ShardID(0), configuration: 1, now: now))
            }
        }

        mutating func say(_ word: DeliveryRecord) { perform(state.hold(word, now: now)) }
    }

    @Test func `while it is held nothing is asked for and nothing sent; released, all is, once`() {
        var world = World()
        world.say(.restored(now: world.now, reason: "test"))
        for number in 1...20 { world.open(number, due: Int64(number)) }
        for _ in 0..<100 {
            world.now = world.now + 1000
            world.perform(world.state.tick(now: world.now))
        }
        #expect(world.asked == 0 && world.sent.isEmpty)
        world.say(.released(after: world.state.hold, now: world.now, reason: "test", uncertainDueBefore: nil))
        #expect(world.sent.count == 20 && Set(world.sent).count == 20)
    }

    @Test func `a permit that comes while it is held is given back, and used after the release`() {
        var world = World()
        world.answers = false
        world.open(1, due: 5)
        #expect(world.asked == 1)
        world.say(.held(after: nil, now: world.now, reason: "test"))
        world.answer()
        #expect(world.sent.isEmpty && world.outcomes == [.notTried])
        world.answers = true
        world.say(.released(after: world.state.hold, now: world.now, reason: "test", uncertainDueBefore: nil))
        #expect(world.sent == [ActionID(1)])
    }

    @Test func `what was due before the instant that was named is uncertain and never sent`() {
        var world = World()
        world.say(.restored(now: world.now, reason: "test"))
        for number in 1...10 { world.open(number, due: Int64(number * 100)) }
        let word = DeliveryRecord.released(
            after: world.state.hold, now: world.now, reason: "test", uncertainDueBefore: Instant(milliseconds: 500))
        world.say(word)
        #expect(world.sent.sorted() == (5...10).map { ActionID(UInt128($0)) })
        #expect(world.outcomes.count { $0 == .uncertain } == 4)
        // It stays so when delivery is held and released once more.
        let held = DeliveryRecord.held(after: word, now: world.now, reason: "test")
        world.say(held)
        world.open(11, due: 300)
        world.say(.released(after: held, now: world.now, reason: "test", uncertainDueBefore: nil))
        #expect(!world.sent.contains(ActionID(11)) && world.outcomes.count { $0 == .uncertain } == 5)
    }

    @Test func `a release of a restored installation keeps its word through another hold`() {
        let restored = DeliveryRecord.restored(now: Instant(milliseconds: 1), reason: "test")
        let held = DeliveryRecord.held(after: restored, now: Instant(milliseconds: 2), reason: "again")
        #expect(held.isHeld && held.isRestored, "held by hand as well, it still wants the choice")
        let released = DeliveryRecord.released(
            after: held, now: Instant(milliseconds: 3), reason: "", uncertainDueBefore: Instant(milliseconds: 9))
        let again = DeliveryRecord.released(
            after: released, now: Instant(milliseconds: 4), reason: "", uncertainDueBefore: Instant(milliseconds: 5))
        #expect(again.uncertainDueBeforeMilliseconds == 9 && !again.isRestored)
    }
}
