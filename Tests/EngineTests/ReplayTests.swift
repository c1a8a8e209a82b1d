import Engine
import Model
import Testing

@Suite("I4 replay is the run")
struct ReplayTests {
    private let rules = Story.rules(
        [
            Story.lapse(after: 9, hours: AllowedHours(fromMinute: 540, toMinute: 1200), window: 8), Story.review(window: 5),
            Story.reorder(action: .record),
        ],
        consentAssumed: true)

    private func event(_ dice: inout Dice, _ now: Instant) -> Event {
        let customer = CustomerKey.user("\(dice.below(25))")
        let message = dice.chance(30) ? UInt128(1 + dice.below(60)) : 0
        switch dice.below(6) {
        case 0: return Story.view(at: now, by: customer)
        case 1: return Story.identify([Trait("email", dice.pick(["a@b.c", "d@e.f", ""]))], consent: nil, at: now, by: customer)
        default:
            return Story.order(
                "o\(dice.below(4))", dice.pick(OrderEvent.Change.allCases), dice.below(Int64(900)), of: ["p\(dice.below(9))"],
                at: now,
                id: message, by: customer)
        }
    }

    @Test(
        "I4 mixed inputs, from nothing and from snapshots at many steps", arguments: 0..<3 as Range<UInt64>,
        [
            Installation.TimeMode.live, .eventTime,
        ])
    func mixed(seed: UInt64, mode: Installation.TimeMode) async throws {
        var dice = Dice(seed: seed)
        let harness = try ShardHarness(shards: 2, timeMode: mode, rules: rules)
        var now = Story.start
        for round in 0..<50 {
            now = now + dice.below(Story.days)
            try await harness.feed((0..<dice.below(8)).map { _ in event(&dice, now) }, at: now)
            if dice.chance(30) { try await harness.put(bytes: [[1, 2, 3]], at: now) }
            if mode == .eventTime { try await harness.clock(now) }
            for id in harness.installation.shards.all {
                if mode == .live { try await harness.tick(now, id) }
                for action in await harness.openActions(id) where dice.chance(50) {
                    let actionID = try #require(ActionID(text: action.action))
                    let who = CustomerKey(action.customer)
                    let told = [Story.request(actionID, by: who), Story.outcome(actionID, dice.pick(Outcome.allCases), by: who)]
                    try await harness.put(.events(told), at: now, to: id)
                }
            }
            if round == 25 {
                var next = rules
                next.revision = 9
                next.rules.removeLast()
                try await harness.adopt(next)
            }
        }
        for id in harness.installation.shards.all {
            let count = await harness.steps[id]?.count ?? 0
            #expect(count > 20)
            for from in stride(from: 0, to: count, by: max(count / 6, 1)) { #expect(try await harness.replay(id, from: from)) }
        }
    }

    @Test(
        "I4 steps that reach their bounds, of events and of wake-ups",
        arguments: [
            Installation.TimeMode.live, .eventTime,
        ])
    func bounds(mode: Installation.TimeMode) async throws {
        let harness = try ShardHarness(timeMode: mode, rules: Story.rules([Story.lapse(action: .record)]))
        let customers = Limits.stepWakeUpsMax + 300
        let events = (0..<customers).map { Story.order("o", .placed, 1, at: Story.start, by: .user("\($0)")) }
        let messages = [events.prefix(2500), events.dropFirst(2500)].map { InputMessage.events(Array($0)).encoded() }
        try await harness.put(bytes: messages, at: Story.start)
        if mode == .live { try await harness.tick(Story.day(14)) } else { try await harness.clock(Story.day(14)) }
        let steps = await harness.steps[ShardID(0)] ?? []
        #expect(steps.count >= 4 && steps.allSatisfy { $0.effects.count <= Limits.stepEffectBytesMax })
        #expect(steps.reduce(0) { $0 + Int($1.wakeUps) } == customers)
        #expect(try await harness.effects().opened.count == customers)
        #expect(try await harness.replay(from: 1))
        #expect(try await harness.replay(from: steps.count - 1))
    }
}
