import Engine
import Model
import Testing

@Suite("I7 nothing vanishes")
struct ReasonTests {
    /// How a decision two weeks after an order is kept from being an action.
    struct Case: Sendable, CustomTestStringConvertible {
        let reason: Reason
        var rule = Story.lapse()
        var segments: [Segment] = []
        var who: Event? = Story.identify()
        var more: [Event] = []
        var later: [Rule]?
        var testDescription: String { "\(reason)" }
    }

    private static let many = Segment(name: "many", condition: .orderCount(.atLeast, 5))
    private static let some = Segment(name: "some", condition: .orderCount(.atLeast, 1))

    private static func rule(all: [UInt16] = [], any: [UInt16] = [], none: [UInt16] = []) -> Rule {
        var rule = Story.lapse()
        rule.inAll = all
        rule.inAny = any
        rule.inNone = none
        return rule
    }

    private static func off() -> Rule {
        var rule = Story.lapse()
        rule.enabled = false
        return rule
    }

    static let cases: [Case] = [
        Case(reason: .noConsent, who: Story.identify(consent: nil)),
        Case(reason: .noConsent, who: Story.identify(consent: false)),
        Case(reason: .noConsent, more: [Story.engagement(.unsubscribed, at: Story.day(1))]),
        Case(reason: .noAddress, who: nil),
        Case(reason: .noAddress, more: [Story.identify([Trait("email", "")], at: Story.day(1))]),
        Case(reason: .addressSuppressed, more: [Story.engagement(.bounced, at: Story.day(1))]),
        Case(reason: .addressSuppressed, more: [Story.engagement(.markedAsSpam, at: Story.day(1))]),
        Case(reason: .notInSegment, rule: rule(all: [1, 0]), segments: [many, some]),
        Case(reason: .notInSegment, rule: rule(any: [0]), segments: [many, some]),
        Case(reason: .notInSegment, rule: rule(none: [1]), segments: [many, some]),
        Case(reason: .ruleOff, later: [off()]),
        Case(reason: .ruleGone, later: []),
        Case(
            reason: .postponedTooLong,
            rule: Story.lapse(hours: AllowedHours(fromMinute: 600, toMinute: 660), postpone: 9 * Story.hour)),
    ]

    @Test("I7 what keeps a decision from being an action is told", arguments: cases)
    func suppressed(_ one: Case) async throws {
        let harness = try ShardHarness(rules: Story.rules([one.rule], segments: one.segments))
        try await harness.put(.events([one.who, Story.order("a", .placed, 1, at: Story.day(0))].compactMap(\.self) + one.more))
        if let later = one.later { try await harness.adopt(Story.rules(later, revision: 2)) }
        let effects = try await harness.put(.clock(Story.day(14)))
        let decision = try #require(effects.suppressed.first)
        #expect(effects.suppressed.count == 1 && effects.opened.isEmpty)
        #expect(decision.reason == one.reason && decision.due == Story.day(14) && decision.decided == Story.day(14))
        #expect(decision.rule == one.rule.id && decision.customer == Story.anna)
        #expect(try await harness.replay(from: 1))
    }

    @Test("I7 segments that hold let the action through")
    func admitted() async throws {
        var rule = Self.rule(all: [1], any: [0, 1], none: [0])
        rule.action = .record
        let harness = try ShardHarness(rules: Story.rules([rule], segments: [Self.many, Self.some]))
        try await harness.put(.events([Story.order("a", .placed, 1, at: Story.day(0))]))
        #expect(try await harness.put(.clock(Story.day(14))).opened.count == 1)
    }

    @Test("I7 a decision in quiet hours is postponed, and told so")
    func postponed() async throws {
        let hours = AllowedHours(fromMinute: 600, toMinute: 660)
        let harness = try ShardHarness(rules: Story.rules([Story.lapse(hours: hours, postpone: 10 * Story.hour)]))
        try await harness.put(.events([Story.identify(), Story.order("a", .placed, 1, at: Story.day(0))]))
        let first = try await harness.put(.clock(Story.day(14)))
        let postponed = try #require(first.postponed.first)
        #expect(postponed.decision.reason == .quietHours && postponed.until == Story.day(14, 10) && first.opened.isEmpty)
        let opened = try #require(try await harness.put(.clock(Story.day(14, 10))).opened.first)
        #expect(opened.action == postponed.decision.action && opened.due == Story.day(14) && opened.decided == Story.day(14, 10))
        #expect(try await harness.replay(from: 2))
    }

    @Test("I7 bought since: a postponed lapse is let go, and told so")
    func boughtSince() async throws {
        let hours = AllowedHours(fromMinute: 600, toMinute: 660)
        let harness = try ShardHarness(rules: Story.rules([Story.lapse(hours: hours)]))
        try await harness.put(.events([Story.identify(), Story.order("a", .placed, 1, at: Story.day(0))]))
        try await harness.put(.clock(Story.day(14)))
        // The rule is gone when the new order comes, so that nothing replaces the timer.
        try await harness.adopt(Story.rules([], revision: 2))
        try await harness.put(.events([Story.order("b", .placed, 1, at: Story.day(14, 1))]))
        try await harness.adopt(Story.rules([Story.lapse(hours: hours)], revision: 3))
        let effects = try await harness.put(.clock(Story.day(15)))
        #expect(effects.suppressed.map(\.reason) == [.noLongerWanted])
        #expect(try await harness.replay(from: 3))
    }

    @Test("I7 more open actions than are kept are told")
    func tooMany() async throws {
        let harness = try ShardHarness(rules: Story.rules([Story.review()]))
        let orders = (0..<Limits.openActionsMax + 2).map { Story.order("o\($0)", .fulfilled, 1, at: Story.day(0)) }
        try await harness.put(.events([Story.identify()] + orders))
        let effects = try await harness.put(.clock(Story.day(3)))
        #expect(effects.opened.count == Limits.openActionsMax)
        #expect(effects.suppressed.map(\.reason) == [.tooManyOpen, .tooManyOpen])
    }

    @Test("I7 an action that nobody sends is withdrawn behind its deadline")
    func deadline() async throws {
        let harness = try ShardHarness(rules: Story.rules([Story.lapse()]))
        try await harness.put(.events([Story.identify(), Story.order("a", .placed, 1, at: Story.day(0))]))
        try await harness.put(.clock(Story.day(14)))
        #expect(try await harness.put(.clock(Story.day(17))).closed.isEmpty)
        let closed = try await harness.put(.clock(Story.day(18))).closed
        #expect(closed.map(\.reason) == [.deadlinePassed] && closed.map(\.outcome) == [.withdrawn])
        #expect(closed.map(\.time) == [Story.day(17) + 1])
    }
}
