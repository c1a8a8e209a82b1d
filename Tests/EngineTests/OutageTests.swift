import Engine
import Model
import Testing

/// What an outage leaves behind: wake-ups that come late, beside those that are on time.
@Suite("F2 after an outage")
struct OutageTests {
    private static let postponement = 1 * Story.days
    private let rules = Story.rules([Story.lapse(after: 10, postpone: postponement, action: .record)])

    /// Customers whose lapses come due from day 10 on; the shard sleeps from then for two days.
    private struct Plain {
        var due: [String: Instant] = [:]
        /// Decided by the shard, as the plain model says: customer, instant, reason.
        var decided: [(customer: String, at: Instant, reason: Reason)] = []

        mutating func decide(_ customer: String, at now: Instant) {
            guard let due = due.removeValue(forKey: customer) else { return }
            let isTooLate = now > due && now - due > OutageTests.postponement
            decided.append((customer, now, isTooLate ? .postponedTooLong : .none))
        }

        /// One look at the calendar: the on-time ones, then a portion of the late ones.
        mutating func tick(_ now: Instant, portion: Bool) {
            let late = now + -Limits.lateMilliseconds
            let slots = { (name: String) in Int(name) ?? 0 }
            for (name, time) in due.sorted(by: { ($0.value, slots($0.key)) < ($1.value, slots($1.key)) })
            where time > late && time <= now { decide(name, at: time) }
            guard portion else { return }
            let waiting = due.filter { $0.value <= late }
                .sorted { (-$0.value.milliseconds, slots($0.key)) < (-$1.value.milliseconds, slots($1.key)) }
            for (name, _) in waiting.prefix(Limits.latePortion) { decide(name, at: now) }
        }
    }

    private func decisions(_ effects: [Effect]) -> [(customer: String, at: Instant, reason: Reason)] {
        effects.compactMap { effect in
            switch effect {
            case .actionOpened(let opened): (opened.customer.text, opened.decided, .none)
            case .suppressed(let decision): (decision.customer.text, decision.decided, decision.reason)
            default: nil
            }
        }
    }

    private func expectEqual(
        _ effects: [Effect], _ expected: [(customer: String, at: Instant, reason: Reason)], _ note: Comment
    ) {
        let found = decisions(effects)
        #expect(found.map(\.customer) == expected.map { "u:" + $0.customer }, note)
        #expect(found.map(\.at) == expected.map(\.at), note)
        #expect(found.map(\.reason) == expected.map(\.reason), note)
    }

    @Test(
        "F2 I4 I7 late wake-ups run latest first, at their pace, decided as of the clock; on-time ones beside them",
        arguments: 1...6)
    func catchingUp(seed: UInt64) async throws {
        var dice = Dice(seed: seed)
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        var plain = Plain()
        // One batch at a time, in the order of time: slots are numbered so.
        let times = (0..<600).map { _ in dice.below(2 * Story.days + Story.hour) }.sorted()
        for (index, offset) in times.enumerated() {
            let time = Story.start + offset
            try await harness.put(.events([Story.order("o", .placed, 1, at: time, by: .user("\(index)"))]), at: time)
            plain.due["\(index)"] = time + 10 * Story.days
        }
        // Two days later, and then on in ticks.
        var now = Story.day(12)
        var next = now
        while plain.due.values.contains(where: { $0 <= now }) || now < Story.day(12, 0, 2) {
            plain.decided = []
            let isOpen = now >= next
            plain.tick(now, portion: isOpen)
            if isOpen { next = now + Limits.latePortionMilliseconds }
            expectEqual(try await harness.tick(now), plain.decided, "seed \(seed) at \(now)")
            if dice.chance(10), let name = plain.due.keys.sorted().randomElement(using: &dice), let due = plain.due[name],
                due <= now
            {
                // I6: what is due of a customer runs before its own event, at its own time; then the order sets a new timer.
                plain.decided = []
                plain.decide(name, at: due)
                let order = Story.order("again", .placed, 1, at: now, by: .user(name))
                let effects = try await harness.put(.events([order]), at: now)
                #expect(decisions(effects).first?.customer == "u:" + name)
                #expect(decisions(effects).first?.at == due)
                plain.due[name] = now + 10 * Story.days
            }
            now = now + dice.pick([20, 100, 250, 400])
        }
        let count = await harness.steps[ShardID(0)]?.count ?? 0
        #expect(try await harness.replay())
        for from in stride(from: 1, to: count, by: 97) { #expect(try await harness.replay(from: from)) }
    }

    @Test("F2 I7 who bought, left the segment, or whose rule went off meanwhile is asked again and dropped with the reason")
    func askedAgain() async throws {
        let segment = Segment(name: "buyers", condition: .orderCount(.atMost, 1))
        var rule = Story.lapse(after: 10, postpone: 5 * Story.days, action: .record)
        rule.inAll = [0]
        let harness = try ShardHarness(timeMode: .live, rules: Story.rules([rule], segments: [segment]))
        for name in ["a", "b"] {
            try await harness.put(.events([Story.order("o", .placed, 1, at: Story.start, by: .user(name))]), at: Story.start)
        }
        var off = Story.rules([rule], revision: 2, segments: [segment])
        off.rules[0].enabled = false
        try await harness.adopt(off)
        let effects = try await harness.tick(Story.day(12))
        #expect(effects.suppressed.map(\.reason) == [.ruleOff, .ruleOff])
        #expect(effects.suppressed.map(\.decided) == [Story.day(12), Story.day(12)])
        #expect(effects.suppressed.map(\.due) == [Story.day(10), Story.day(10)])
    }

    @Test("F2 a shard that plays a backlog back wakes nobody in passing; what was due comes afterwards, at its pace")
    func backlog() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        let early = (0..<400).map { Story.order("o", .placed, 1, at: Story.start, by: .user("\($0)")) }
        try await harness.put(.events(early), at: Story.start)
        // The gateway went on taking views of others, two days long; the shard reads them all at once, and 12 h after.
        let views = (0..<3).flatMap { _ in
            [InputMessage.events((0..<4000).map { Story.view(at: Story.start, by: .user("other \($0 % 50)")) }).encoded()]
        }
        let times = [Story.day(10), Story.day(10, 1), Story.day(10, 12)]
        let now = Story.day(10, 12) + 1
        let effects = try await harness.put(bytes: views, at: times, now: now)
        #expect(effects.opened.count == Limits.latePortion * 1, "one portion at one instant, however many steps")
        var opened = effects.opened.count
        for portion in 1..<400 / Limits.latePortion {
            opened += try await harness.tick(now + Int64(portion) * Limits.latePortionMilliseconds).opened.count
            #expect(opened == (portion + 1) * Limits.latePortion)
        }
        #expect(try await harness.replay())
        #expect(try await harness.replay(from: 3))
    }

    @Test("F2 in event-time mode nothing is late: a year passes by due time")
    func eventTime() async throws {
        let harness = try ShardHarness(rules: rules)
        for index in 0..<50 {
            let time = Story.start + Int64(index) * Story.hour
            try await harness.put(.events([Story.order("o", .placed, 1, at: time, by: .user("\(index)"))]))
        }
        try await harness.clock(Story.day(365))
        let opened = try await harness.effects().opened
        #expect(opened.map(\.decided) == (0..<50).map { Story.day(10) + Int64($0) * Story.hour })
    }
}
