import Model
import Testing

@testable import Engine

@Suite("I9 I10 a trusted step that merged customers")
struct DecisionSettlementTests {
    private let now = Story.day(9)
    private let rule = RuleID(3)

    private func open(_ number: UInt128, granted: Bool) -> OpenAction {
        OpenAction(
            id: ActionID(number), rule: rule, channel: .email, occasion: .lapse, anchor: now, due: now, decided: now,
            deadline: now + Story.days, grant: granted ? Story.attempt(1) : nil, failures: 0)
    }

    private func order(_ id: String, creditedTo action: UInt128?) -> Order {
        Order(
            id: id, state: .placed, placed: now, changed: now, revenue: 5, wasFulfilled: false,
            credit: action.map { ActionID($0) })
    }

    private func settled(_ past: Profile, _ folded: Profile, own: [Effect]) -> Profile {
        var settlement = DecisionSettlement(
            customer: Story.anna, past: past, profile: folded, rules: CompiledRules(RuleSet()), products: ProductTable(),
            decided: [:], clock: now)
        // Another brain decided against something besides.
        let other = Decision(
            customer: Story.anna, action: ActionID(99), rule: rule, due: now, decided: now, reason: .noConsent)
        settlement.settle(own: own, recorded: own + [.suppressed(other)])
        return settlement.profile
    }

    @Test("I9 I10 permits, touches and credits that came with the other customer stay")
    func came() {
        var past = Profile()
        past.open = [open(1, granted: false)]
        past.orders = [order("old", creditedTo: nil)]
        var folded = past
        folded.open.append(open(2, granted: true))
        folded.touches = [Touch(action: ActionID(5), rule: rule, time: now, windowEnd: now + Story.days, sales: 1)]
        folded.orders.append(order("came", creditedTo: 5))
        let moved = ActionOpened(
            customer: Story.anna, action: ActionID(2), rule: rule, channel: .email, due: now, decided: now,
            deadline: now + Story.days, subject: "")
        // Its order's amount changed in the same step: that is no new credit.
        let change = Attribution(
            customer: Story.anna, action: ActionID(5), rule: rule, orderID: "came", kind: .changed, revenue: 1, sales: 0,
            conversions: 0, time: now)
        let profile = settled(past, folded, own: [.actionMoved(moved), .attributed(change)])
        #expect(profile.open == folded.open && profile.touches == folded.touches && profile.orders == folded.orders)
    }

    @Test("I9 what departed in the step is not put back onto the mark")
    func departed() {
        var past = Profile()
        past.open = [open(1, granted: true)]
        var mark = Profile()
        var identity = Identity()
        identity.leadsTo = .user("other")
        mark.identity = identity
        let profile = settled(past, mark, own: [])
        #expect(profile.open.isEmpty && profile.isMark)
    }
}
