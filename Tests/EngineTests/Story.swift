import Model

/// The words in which the tests tell what happened to a customer.
enum Story {
    /// 2024-01-01T00:00:00Z, a Monday.
    static let start = Instant(milliseconds: 1_704_067_200_000)
    static let anna = CustomerKey.user("anna")
    static let hour = Milliseconds.hour
    static let days = Milliseconds.day

    static func day(_ day: Int64, _ hour: Int64 = 0, _ minute: Int64 = 0) -> Instant {
        start + day * Milliseconds.day + hour * Milliseconds.hour + minute * Milliseconds.minute
    }

    static func order(
        _ id: String, _ change: OrderEvent.Change = .placed, _ revenue: Int64? = nil, of products: [String] = [],
        at time: Instant, id message: UInt128 = 0, by customer: CustomerKey = anna
    ) -> Event {
        let lines = products.map { OrderLine(product: Product(id: $0), quantity: 1, price: 100) }
        return Event(
            messageID: message, customer: customer, time: time,
            body: .order(OrderEvent(orderID: id, change: change, revenue: revenue, lines: lines)))
    }

    static func identify(
        _ traits: [Trait] = [Trait("email", "anna@example.org")], consent: Bool? = true, at time: Instant = start,
        by customer: CustomerKey = anna
    ) -> Event {
        let consents = consent.map { [Consent(.email, granted: $0)] } ?? []
        return Event(customer: customer, time: time, body: .identify(Identify(traits: traits, consents: consents)))
    }

    static func engagement(_ kind: Engagement.Kind, at time: Instant) -> Event {
        Event(customer: anna, time: time, body: .engagement(Engagement(kind: kind)))
    }

    static func view(at time: Instant, by customer: CustomerKey = anna) -> Event {
        Event(customer: customer, time: time, body: .product(ProductEvent(kind: .viewed, product: Product(id: "p"))))
    }

    static func attempt(_ number: UInt64) -> AttemptID { AttemptID(instance: 7, number: number) }

    static func request(_ action: ActionID, _ number: UInt64 = 1, by customer: CustomerKey = anna) -> Event {
        Event(customer: customer, time: .distantPast, body: .permitRequest(action: action, attempt: attempt(number)))
    }

    static func outcome(
        _ action: ActionID, _ outcome: Outcome, _ number: UInt64 = 1, by customer: CustomerKey = anna
    ) -> Event {
        Event(
            customer: customer, time: .distantPast,
            body: .outcome(action: action, attempt: attempt(number), outcome: outcome, detail: "words"))
    }

    /// Two weeks after the last order, by e-mail.
    static func lapse(
        _ name: String = "lapse", after days: Int64 = 14, hours: AllowedHours? = nil, postpone: Int64 = 3 * days,
        action: ActionKind = .email(template: "t"), window: Int64? = nil
    ) -> Rule {
        Rule(
            name: name, mechanic: .timeSinceLastPurchase(afterMilliseconds: days * Milliseconds.day), hours: hours,
            postponeMilliseconds: postpone, action: action,
            conversion: window.map { Conversion(windowMilliseconds: $0 * Milliseconds.day) })
    }

    static func review(after days: Int64 = 3, action: ActionKind = .email(template: "t"), window: Int64? = nil) -> Rule {
        Rule(
            name: "review", mechanic: .reviewRequest(afterMilliseconds: days * Milliseconds.day), action: action,
            conversion: window.map { Conversion(windowMilliseconds: $0 * Milliseconds.day) })
    }

    static func reorder(after days: Int64 = 10, action: ActionKind = .email(template: "t"), window: Int64? = nil) -> Rule {
        Rule(
            name: "reorder",
            mechanic: .regularConsumption(ConsumptionPeriods(defaultMilliseconds: days * Milliseconds.day), aheadMilliseconds: 0),
            action: action, conversion: window.map { Conversion(windowMilliseconds: $0 * Milliseconds.day) })
    }

    static func rules(
        _ rules: [Rule], revision: UInt64 = 0, segments: [Segment] = [], zone: ZoneTable = .utc, consentAssumed: Bool = false
    ) -> RuleSet {
        RuleSet(revision: revision, consentAssumed: consentAssumed, zone: zone, segments: segments, rules: rules)
    }
}

extension [Effect] {
    var opened: [ActionOpened] {
        compactMap { if case .actionOpened(let opened) = $0 { opened } else { nil } }
    }
    var suppressed: [Decision] {
        compactMap { if case .suppressed(let decision) = $0 { decision } else { nil } }
    }
    var postponed: [(decision: Decision, until: Instant)] {
        compactMap { if case .postponed(let decision, let until) = $0 { (decision, until) } else { nil } }
    }
    var granted: [PermitGrant] {
        compactMap { if case .permitGranted(let grant) = $0 { grant } else { nil } }
    }
    var denied: [Reason] {
        compactMap { if case .permitDenied(_, _, _, let reason) = $0 { reason } else { nil } }
    }
    var closed: [ActionClosed] {
        compactMap { if case .actionClosed(let closed) = $0 { closed } else { nil } }
    }
    var attributed: [Attribution] {
        compactMap { if case .attributed(let attribution) = $0 { attribution } else { nil } }
    }
    var setAside: [String] {
        compactMap { if case .setAside(let event) = $0 { event.reason } else { nil } }
    }

    /// The sum of a counter's changes over all rules.
    func sum(_ counter: Counter) -> Int64 {
        reduce(0) { total, effect in
            guard case .sums(let deltas) = effect else { return total }
            return deltas.filter { $0.counter == counter }.reduce(total) { $0 + $1.amount }
        }
    }
}
