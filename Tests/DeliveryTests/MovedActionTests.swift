import Model
import Testing

@testable import Delivery

@Suite("I7 an action whose customer was merged")
struct MovedActionTests {
    private let action = ActionID(1)
    private let now = Instant(milliseconds: 1_000_000)

    private func opened(by customer: CustomerKey) -> ActionOpened {
        ActionOpened(
            customer: customer, action: action, rule: RuleID(1), channel: .email, due: now, decided: now,
            deadline: now + Milliseconds.day, subject: "")
    }

    /// Requests among the commands: by whom they are to be answered, and under which attempt.
    private func asked(_ commands: [DispatcherCommand]) -> [(customer: CustomerKey, attempt: AttemptID)] {
        commands.compactMap { command in
            guard case .ask(let request) = command, case .permitRequest(_, let attempt) = request.event.body else { return nil }
            return (request.event.customer, attempt)
        }
    }

    @Test(
        "I7 I11 who does not know it is not who has it: it is asked for where it went, until that one says",
        arguments: [false, true])
    func movedOn(knowsFirst: Bool) throws {
        let (address, bearer, other) = (CustomerKey("email:a@example.com"), CustomerKey.user("a"), CustomerKey.user("b"))
        var state = DispatcherState(DispatcherSettings(instance: 7))
        func apply(_ effect: Effect, _ shard: UInt16) -> [DispatcherCommand] {
            state.apply(effect, shard: ShardID(shard), configuration: 1, now: now)
        }
        let first = try #require(asked(apply(.actionOpened(opened(by: address)), 0)).first)
        #expect(first.customer == address)
        // Its address was claimed by one, whom it went to, and verified by another, whom the request is led to.
        if knowsFirst { _ = apply(.actionMoved(opened(by: bearer)), 1) }
        _ = apply(.permitDenied(customer: other, action: action, attempt: first.attempt, reason: .unknownAction), 2)
        if !knowsFirst { _ = apply(.actionMoved(opened(by: bearer)), 1) }
        let again = try #require(asked(state.tick(now: now + Milliseconds.minute)).first)
        #expect(again.customer == bearer && again.attempt != first.attempt)
        _ = apply(.permitDenied(customer: bearer, action: action, attempt: again.attempt, reason: .unknownAction), 1)
        #expect(asked(state.tick(now: now + Milliseconds.hour)).isEmpty, "its own customer knows it no more")
    }
}
