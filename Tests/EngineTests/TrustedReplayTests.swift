import Model
import Testing

@testable import Engine

/// What another brain recorded is taken as the truth. The other brain is played by another rule set under the same revision.
@Suite struct TrustedReplayTests {
    private static let customers = (0..<6).map { CustomerKey.user("c\($0)") }

    private static func rules(_ kind: Int) -> RuleSet {
        var rules = [
            Story.lapse(window: 20), Story.review(window: 9), Story.reorder(window: 12),
            Story.lapse("told", after: 5, action: .record),
        ]
        switch kind {
        case 1: rules = [Story.lapse(after: 9, window: 20), Story.review(after: 6, window: 3), rules[2], rules[3]]
        case 2: rules[0].enabled = false
        case 3: rules = [rules[2], Story.lapse(postpone: 9 * Story.days, window: 1)]
        case 4:
            rules[1].hours = AllowedHours(fromMinute: 540, toMinute: 660)
            rules[2].hours = AllowedHours(fromMinute: 540, toMinute: 660)
        default: break
        }
        return Story.rules(rules)
    }

    /// Days of orders, cancellations, permits and outcomes, told live to a shard under rule set 0.
    private func story(seed: UInt64, days: Range<Int64>, in harness: ShardHarness) async throws {
        var dice = Dice(seed: seed)
        for day in days {
            for customer in Self.customers where dice.below(3) == 0 {
                let order = "o\(dice.below(12))\(customer.text)"
                let change = [OrderEvent.Change.placed, .fulfilled, .placed, .cancelled, .refunded][dice.below(5)]
                let event = Story.order(
                    order, change, Int64(100 + dice.below(900)), of: ["p\(dice.below(3))"], at: Story.day(day), by: customer)
                try await harness.put(.events([event]), at: Story.day(day, Int64(dice.below(12))))
            }
            try await harness.tick(Story.day(day, 13))
            for action in await harness.openActions() where dice.below(2) == 0 {
                let id = try #require(ActionID(text: action.action))
                let customer = CustomerKey(action.customer)
                let outcome = [Outcome.sent, .sent, .failedForNow, .undeliverable, .uncertain][dice.below(5)]
                let attempt = UInt64(day) * 100 + UInt64(dice.below(50))
                var events = [Story.request(id, attempt, by: customer)]
                if dice.below(3) > 0 { events.append(Story.outcome(id, outcome, attempt, by: customer)) }
                try await harness.put(.events(events), at: Story.day(day, 14))
            }
        }
    }

    private func begin() async throws -> ShardHarness {
        let harness = try ShardHarness(timeMode: .live, rules: Self.rules(0))
        let known = Self.customers.map {
            Story.identify([Trait("email", $0.text.dropFirst(2) + "@example.org")], at: Story.start, by: $0)
        }
        try await harness.put(.events(known), at: Story.start)
        return harness
    }

    @Test func `the same brain finds no difference and leaves the same state`() async throws {
        let harness = try await begin()
        try await story(seed: 1, days: 0..<60, in: harness)
        let before = await harness.encoded()
        let differences = try await harness.trust(Self.rules(0))
        #expect(differences.isEmpty, "\(differences.first as Any)")
        #expect(await harness.encoded() == before)
        #expect(try await harness.steps[ShardID(0)]?.last?.decodedEffects() == [])
    }

    @Test(arguments: [1, 2, 3, 4], [UInt64(1), 2, 3, 4, 5, 6])
    func `I5 I10 I11 what is open, permitted and credited is what was recorded, and the sums are the state`(
        kind: Int, seed: UInt64
    ) async throws {
        let harness = try await begin()
        try await story(seed: seed, days: 0..<40, in: harness)
        let open = await harness.openActions()
        let recorded = try await harness.effects()
        let differences = try await harness.trust(Self.rules(kind))
        #expect(!differences.isEmpty)
        func key(_ action: OpenActions.Action) -> String { "\(action.customer) \(action.action) \(action.deadlineMilliseconds)" }
        #expect(Set(await harness.openActions().map(key)) == Set(open.map(key)))
        // Nobody may send what another attempt may have sent.
        let permits = Dictionary(uniqueKeysWithValues: await harness.openActions().map { ($0.action, $0.grantedNumber) })
        for action in open where action.grantedNumber != nil { #expect(permits[action.action] == action.grantedNumber) }
        try await expectSumsAreTheState(harness)

        try await story(seed: seed + 100, days: 40..<80, in: harness)
        try await expectSumsAreTheState(harness)
        let all = try await harness.effects()
        #expect(all.opened.count > recorded.opened.count)
        #expect(Set(all.opened.map(\.action)).count == all.opened.count, "decided twice")
        let suppressed = Set(recorded.suppressed.map(\.action))
        #expect(all.dropFirst(recorded.count).filter { $0.isOpening(ofAny: suppressed) }.isEmpty, "decided against, then for")
        for (action, sales) in Dictionary(grouping: all.attributed, by: \.action) {
            let sold = sales.reduce(0) { $0 + $1.sales }
            let conversions = sales.reduce(0) { $0 + $1.conversions }
            #expect(sold >= 0 && conversions == (sold > 0 ? 1 : 0), "action \(action): \(sold) sales, \(conversions) conversions")
            for (order, parts) in Dictionary(grouping: sales, by: \.orderID) {
                #expect((0...1).contains(parts.reduce(0) { $0 + $1.sales }), "order \(order)")
            }
        }
    }

    private func expectSumsAreTheState(_ harness: ShardHarness) async throws {
        let effects = try await harness.effects()
        var (orders, revenue, timers) = (Int64(0), Int64(0), Int64(0))
        for customer in Self.customers {
            let view = await harness.view(customer)
            orders += view.orderCount
            revenue += view.orderSum
            timers += Int64(view.timers.count)
        }
        #expect(effects.sum(.customers) == Int64(await harness.customers()))
        #expect(effects.sum(.orders) == orders)
        #expect(effects.sum(.revenue) == revenue)
        #expect(effects.sum(.timersArmed) == timers)
    }
}

extension Effect {
    fileprivate func isOpening(ofAny actions: Set<ActionID>) -> Bool {
        if case .actionOpened(let opened) = self { actions.contains(opened.action) } else { false }
    }
}
