import Model

@testable import Delivery

/// A shard as far as dispatchers see it: the actions of its customers and who may send them. One rule as in the real
/// one: a permit is held by one attempt at a time, and its outcome counts only while it is.
struct FakeShard: Sendable {
    enum State: Equatable, Sendable {
        case open
        case granted(AttemptID)
        case closed(Outcome)
    }

    struct Action: Equatable, Sendable {
        var customer: CustomerKey
        var deadline: Instant
        var state = State.open
        var ended: Set<AttemptID> = []
    }

    var actions: [ActionID: Action] = [:]
    /// It does not remember attempts that are over, and may grant one again.
    var isForgetful = false
    var address: @Sendable (CustomerKey) -> String = { String($0.text.dropFirst(2)) + "@example.org" }
    var fields: [Trait] = []
    static let rule = RuleID(name: "test")

    mutating func open(_ action: ActionID, _ customer: CustomerKey, deadline: Instant) -> [Effect] {
        actions[action] = Action(customer: customer, deadline: deadline)
        return [
            .actionOpened(
                ActionOpened(
                    customer: customer, action: action, rule: Self.rule, channel: .email, due: deadline, decided: deadline,
                    deadline: deadline, subject: ""))
        ]
    }

    mutating func apply(_ event: Event) -> [Effect] {
        switch event.body {
        case .permitRequest(let action, let attempt): return request(event.customer, action, attempt)
        case .outcome(let action, let attempt, let outcome, let detail):
            guard var known = actions[action], known.state == .granted(attempt) else { return [] }
            known.ended.insert(attempt)
            let staysOpen = outcome == .failedForNow || outcome == .notTried
            known.state = staysOpen ? .open : .closed(outcome)
            actions[action] = known
            if staysOpen { return [] }
            return [
                .actionClosed(
                    ActionClosed(
                        customer: event.customer, action: action, rule: Self.rule, outcome: outcome, time: event.time,
                        detail: detail))
            ]
        default: return []
        }
    }

    private mutating func request(_ customer: CustomerKey, _ action: ActionID, _ attempt: AttemptID) -> [Effect] {
        func denied(_ reason: Reason) -> [Effect] {
            [.permitDenied(customer: customer, action: action, attempt: attempt, reason: reason)]
        }
        guard let known = actions[action] else { return denied(.unknownAction) }
        switch known.state {
        case .closed: return denied(.alreadyClosed)
        case .granted(let holder) where holder != attempt: return denied(.grantedToAnother)
        case .open where !isForgetful && known.ended.contains(attempt): return denied(.grantedToAnother)
        case .open, .granted: break
        }
        actions[action]?.state = .granted(attempt)
        return [
            .permitGranted(
                PermitGrant(
                    customer: customer, action: action, attempt: attempt, rule: Self.rule, channel: .email,
                    address: address(customer), template: "hello", fields: fields, deadline: known.deadline))
        ]
    }

    var listed: [OpenAction] {
        actions.sorted { $0.key < $1.key }.compactMap { action, known in
            let holder: AttemptID?
            switch known.state {
            case .open: holder = nil
            case .granted(let attempt): holder = attempt
            case .closed: return nil
            }
            return OpenAction(
                action: action, customer: known.customer, rule: Self.rule, channel: .email,
                due: known.deadline, deadline: known.deadline, holder: holder)
        }
    }
}
