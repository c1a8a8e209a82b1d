import Engine
import Model
import Testing

@Suite("I6 order")
struct OrderOfWakeUpsTests {
    private let rules = Story.rules([Story.lapse(after: 10, action: .record), Story.lapse("later", after: 20, action: .record)])

    @Test(
        "I6 what is due runs before an event of its customer, at the due instant too",
        arguments: [
            Installation.TimeMode.live, .eventTime,
        ])
    func before(mode: Installation.TimeMode) async throws {
        for (wait, decisions) in [(10 * Story.days - 1, 0), (10 * Story.days, 1), (20 * Story.days, 2), (30 * Story.days, 2)] {
            let harness = try ShardHarness(timeMode: mode, rules: rules)
            try await harness.put(.events([Story.order("a", .placed, 1, at: Story.start)]), at: Story.start)
            let then = Story.start + wait
            let effects = try await harness.put(.events([Story.order("b", .placed, 1, at: then)]), at: then)
            #expect(effects.opened.count == decisions)
            #expect(effects.opened.map(\.decided) == Array([Story.day(10), Story.day(20)].prefix(decisions)))
            #expect(try await harness.replay())
        }
    }

    @Test(
        "I6 events are applied in the order of the log, over messages and within them",
        arguments: [
            Installation.TimeMode.live, .eventTime,
        ])
    func order(mode: Installation.TimeMode) async throws {
        let harness = try ShardHarness(timeMode: mode, rules: rules)
        let names = ["a", "b", "c", "d", "e"]
        let messages = [names.prefix(3), names.suffix(2)].map { part in
            InputMessage.events(part.map { Story.identify([Trait("name", $0)], at: Story.day(1)) }).encoded()
        }
        try await harness.put(bytes: messages, at: Story.day(1))
        #expect(await harness.view(Story.anna).traits["name"] == "e")
        try await harness.put(
            .events([
                Story.identify([Trait("name", "f")], at: Story.day(2)), Story.identify([Trait("name", "")], at: Story.day(2)),
            ]),
            at: Story.day(2))
        #expect(await harness.view(Story.anna).traits["name"] == nil)
    }

    @Test("I6 wake-ups of many customers run by due time, each at its own")
    func many() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        var dice = Dice(seed: 1)
        for index in 0..<50 {
            let time = Story.start + Int64(index / 10) * Milliseconds.hour + Int64(index % 10) * Milliseconds.second
            try await harness.put(
                .events([Story.order("o", .placed, 1, at: time, by: .user("\(dice.below(20))"))]), at: time)
        }
        var effects: [Effect] = []
        for hour in 9 * 24...22 * 24 { effects += try await harness.tick(Story.day(0, Int64(hour)) + 59 * Milliseconds.second) }
        let times = effects.opened.map(\.decided)
        #expect(times == times.sorted() && times.count == Set(effects.opened.map(\.customer)).count * 2)
        #expect(times.count >= 30)
        #expect(effects.opened.allSatisfy { $0.due == $0.decided })
        #expect(try await harness.replay())
    }
}
