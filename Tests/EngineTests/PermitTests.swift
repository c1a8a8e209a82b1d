import Engine
import Model
import Testing

@Suite("I9 I11 permits")
struct PermitTests {
    private let rules = Story.rules([Story.lapse(hours: AllowedHours(fromMinute: 0, toMinute: 1200), window: 5)])

    /// A live shard with one open action, decided on day 14.
    private func opened() async throws -> (ShardHarness, ActionID) {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        try await harness.put(
            .events([Story.identify(), Story.order("a", .placed, 1, at: Story.day(0))]), at: Story.day(0))
        let action = try #require(try await harness.tick(Story.day(14)).opened.first).action
        return (harness, action)
    }

    private func tell(_ harness: ShardHarness, _ event: Event, _ day: Int64 = 14, _ hour: Int64 = 1) async throws -> [Effect] {
        try await harness.put(.events([event]), at: Story.day(day, hour))
    }

    @Test("I11 one attempt has the permit, and the same answer whenever it asks")
    func oneAttempt() async throws {
        let (harness, action) = try await opened()
        let grant = try #require(try await tell(harness, Story.request(action)).granted.first)
        #expect(grant.address == "anna@example.org" && grant.deadline == Story.day(17) && grant.attempt == Story.attempt(1))
        #expect(grant.fields.map(\.name) == grant.fields.map(\.name).sorted())
        #expect(try await tell(harness, Story.request(action, 2)).denied == [.grantedToAnother])
        #expect(try await tell(harness, Story.request(action)).granted == [grant])
        // The message may have left: whatever comes now, the answer stays and nothing is withdrawn.
        _ = try await tell(harness, Story.engagement(.unsubscribed, at: .distantPast))
        _ = try await tell(harness, Story.order("b", .placed, 5, at: .distantPast))
        let again = try await tell(harness, Story.request(action), 40)
        #expect(again.granted == [grant] && again.closed.isEmpty)
        #expect(try await tell(harness, Story.outcome(action, .sent), 40).closed.map(\.outcome) == [.sent])
        #expect(try await tell(harness, Story.request(action), 40).denied == [.unknownAction])
        #expect(try await harness.replay(from: 3))
    }

    @Test(
        "I9 what changed since the decision withdraws the action",
        arguments: [
            (Story.engagement(.unsubscribed, at: .distantPast), Reason.noConsent),
            (Story.engagement(.bounced, at: .distantPast), .addressSuppressed),
            (Story.identify([Trait("email", "")], at: .distantPast), .noAddress),
            (Story.order("b", .placed, 1, at: .distantPast), .noLongerWanted),
            (Story.order("a", .cancelled, at: .distantPast), .noLongerWanted),
        ])
    func withdrawn(event: Event, reason: Reason) async throws {
        let (harness, action) = try await opened()
        _ = try await tell(harness, event)
        let effects = try await tell(harness, Story.request(action))
        #expect(effects.denied == [reason] && effects.closed.map(\.reason) == [reason] && effects.granted.isEmpty)
        #expect(await harness.openActions().isEmpty)
        #expect(try await tell(harness, Story.request(action)).denied == [.unknownAction])
    }

    @Test("I9 a review whose order is cancelled is withdrawn")
    func orderCancelled() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: Story.rules([Story.review()]))
        try await harness.put(
            .events([Story.identify(), Story.order("a", .fulfilled, 1, at: Story.day(0))]), at: Story.day(0))
        let action = try #require(try await harness.tick(Story.day(3)).opened.first).action
        _ = try await tell(harness, Story.order("a", .cancelled, at: .distantPast), 4)
        #expect(try await tell(harness, Story.request(action), 4).closed.map(\.reason) == [.orderCancelled])
    }

    @Test("I9 rules that are off or gone withdraw, quiet hours only deny")
    func rulesAndHours() async throws {
        for (later, reason) in [([Rule](), Reason.ruleGone), ([Self.off], .ruleOff)] {
            let (harness, action) = try await opened()
            try await harness.adopt(Story.rules(later, revision: 2))
            #expect(try await tell(harness, Story.request(action)).closed.map(\.reason) == [reason])
        }
        let (harness, action) = try await opened()
        let quiet = try await tell(harness, Story.request(action), 14, 21)
        #expect(quiet.denied == [.quietHours] && quiet.closed.isEmpty)
        #expect(try await tell(harness, Story.request(action), 15).granted.count == 1)
    }

    private static let off: Rule = {
        var rule = Story.lapse()
        rule.enabled = false
        return rule
    }()

    @Test("I9 the deadline holds: at it the permit is given, behind it never")
    func deadline() async throws {
        let (first, action) = try await opened()
        #expect(try await first.put(.events([Story.request(action)]), at: Story.day(17)).granted.count == 1)
        let (second, same) = try await opened()
        let late = try await second.put(.events([Story.request(same)]), at: Story.day(17) + 1)
        #expect(late.granted.isEmpty && late.closed.map(\.reason) == [.deadlinePassed] && late.denied == [.unknownAction])
    }

    @Test(
        "I11 each outcome closes the action, or leaves it open, once",
        arguments: [
            (Outcome.sent, Outcome.sent, Reason.none), (.recorded, .sent, .none),
            (.undeliverable, .undeliverable, .refusedByProvider),
            (.uncertain, .uncertain, .none), (.withdrawn, .withdrawn, .none),
        ])
    func outcomes(told: Outcome, closed: Outcome, reason: Reason) async throws {
        let (harness, action) = try await opened()
        #expect(try await tell(harness, Story.outcome(action, told)).closed.isEmpty, "without a permit it says nothing")
        _ = try await tell(harness, Story.request(action))
        #expect(try await tell(harness, Story.outcome(action, told, 2)).closed.isEmpty, "another attempt's")
        let effects = try await tell(harness, Story.outcome(action, told))
        #expect(effects.closed.map(\.outcome) == [closed] && effects.closed.map(\.reason) == [reason])
        #expect(effects.closed.first?.detail == "words")
        let state = await harness.view(Story.anna)
        for late in Outcome.allCases {
            let repeated = try await tell(harness, Story.outcome(action, late))
            #expect(repeated.closed.isEmpty && repeated.sum(.repeats) == 1)
        }
        #expect(await harness.view(Story.anna) == state)
    }

    @Test("I11 failures for now leave it open until the last attempt")
    func failures() async throws {
        let (harness, action) = try await opened()
        for number in 1...UInt64(Limits.attemptsMax) {
            #expect(try await tell(harness, Story.request(action, number)).granted.count == 1)
            let closed = try await tell(harness, Story.outcome(action, .failedForNow, number)).closed
            #expect(closed.map(\.reason) == (number == UInt64(Limits.attemptsMax) ? [.attemptsExhausted] : []))
        }
        #expect(try await tell(harness, Story.request(action, 99)).denied == [.unknownAction])
        #expect(try await harness.replay(from: 5))
    }

    @Test("E5 an attempt that found the provider away is not counted, and the deadline holds on")
    func notTried() async throws {
        let (harness, action) = try await opened()
        for number in 1...3 * UInt64(Limits.attemptsMax) {
            #expect(try await tell(harness, Story.request(action, number)).granted.count == 1)
            #expect(try await tell(harness, Story.outcome(action, .notTried, number)).closed.isEmpty)
        }
        #expect(try await harness.tick(Story.day(17) + 1).closed.map(\.reason) == [.deadlinePassed])
        #expect(try await harness.replay(from: 5))
    }

    @Test("I11 a permit outlasts its deadline until its outcome is known; then an action left open is withdrawn")
    func heldBeyond() async throws {
        let (harness, action) = try await opened()
        _ = try await tell(harness, Story.request(action))
        #expect(try await harness.tick(Story.day(30)).closed.isEmpty)
        let failed = try await tell(harness, Story.outcome(action, .failedForNow), 30, 2)
        #expect(failed.closed.map(\.reason) == [.deadlinePassed])
    }
}
