internal import Model

/// One customer as the rules have it, in the plainest words: dictionaries and loops, nothing packed, nothing shared with the
/// engine but the values' names. What it decides goes into `decided`.
struct ReferenceCustomer {
    struct Order {
        var state: OrderEvent.Change
        var placed: Instant
        var changed: Instant
        var revenue: Int64
        var wasFulfilled = false
        var credit: ActionID?
        var awaitsWorth: Bool
        var stands: Bool { state != .cancelled && state != .refunded }
    }

    enum Occasion: Equatable {
        case product(String)
        case order(String)
        case lapse
        case offer(String)
        /// Its number, from 1970-01-01.
        case date(Int64)
        case views(String)
        case cart
        case segment(UInt16)
    }

    struct Contact {
        var time: Instant
        var rule: RuleID
        var channel: Channel
    }

    struct Timer {
        var rule: RuleID
        var occasion: Occasion
        var anchor: Instant
        var firstDue: Instant
        var due: Instant
    }

    struct Open {
        var action: ActionID
        var rule: RuleID
        var timer: Timer
        var decided: Instant
        var deadline: Instant
        var grant: AttemptID?
        var failures = 0
    }

    struct Touch {
        var action: ActionID
        var rule: RuleID
        var time: Instant
        var end: Instant
        var sales: Int64 = 0
    }

    let key: CustomerKey
    var orders: [String: Order] = [:]
    var firstOrder: Instant?
    var lastOrder: Instant?
    var orderCount: Int64 = 0
    var orderSum: Int64 = 0
    var bought: [String: Instant] = [:]
    /// Of those, what was known of them then.
    var details: [String: Product] = [:]
    /// In the order in which they were first bought; and orders in the order in which they came.
    var boughtInOrder: [String] = []
    var ordersInOrder: [String] = []
    var lapseDecided: Instant?
    var timers: [Timer] = []
    var open: [Open] = []
    var touches: [Touch] = []
    var traits: [String: String] = [:]
    var consent: Bool?
    var isSuppressed = false
    var browsed: [ReferenceFacts.Done] = []
    /// What stands in each order.
    var lines: [String: [Product]] = [:]
    var engaged: [EngagementSign: Instant] = [:]
    var contacts: [Contact] = []
    /// Segments that rules about coming into them ask for, by number.
    var memberships: Set<UInt16> = []
    /// Nothing happened before this instant that memberships have not been looked at for.
    var lookedAt = Instant.distantPast
    /// What was decided since the caller looked last, without sums.
    var decided: [Effect] = []
    var counts = ReferenceCounts()

    init(key: CustomerKey) { self.key = key }

    // MARK: Time

    /// Everything that is due by `limit`, earliest first.
    mutating func wake(through limit: Instant, _ rules: RuleSet) {
        while true {
            let next = (timers.map(\.due) + open.filter { $0.grant == nil }.map { $0.deadline + 1 }).min()
            if let change = nextChange(rules), change <= limit, change <= next ?? .distantFuture {
                look(at: change, rules)
                continue
            }
            guard let due = next, due <= limit else { return }
            let isDue = timers.indices.filter { timers[$0].due == due }
            func priority(_ place: Int) -> Int { rules.rules.firstIndex { $0.id == timers[place].rule } ?? .max }
            if let place = isDue.min(by: { (priority($0), $0) < (priority($1), $1) }) {
                let timer = timers.remove(at: place)
                counts.armed[timer.rule, default: 0] -= 1
                decide(timer, rules)
                let isPostponed = timers.contains { $0.rule == timer.rule && $0.occasion == timer.occasion }
                if case .date = timer.occasion, !isPostponed { armDates(nil, at: due, rules) }
                if timer.occasion == .lapse && !isPostponed { lapseDecided = max(lapseDecided ?? timer.firstDue, timer.firstDue) }
            } else if let place = open.firstIndex(where: { $0.grant == nil && $0.deadline + 1 == due }) {
                close(open.remove(at: place), .withdrawn, .deadlinePassed, at: due)
            }
        }
    }

    private mutating func decide(_ timer: Timer, _ rules: RuleSet) {
        let now = timer.due
        let action = id(of: timer)
        func decision(_ reason: Reason) -> Decision {
            Decision(customer: key, action: action, rule: timer.rule, due: timer.firstDue, decided: now, reason: reason)
        }
        guard let rule = rules.rules.first(where: { $0.id == timer.rule }) else {
            return decided.append(.suppressed(decision(.ruleGone)))
        }
        if !rule.enabled { return decided.append(.suppressed(decision(.ruleOff))) }
        if let reason = unwanted(timer, at: now, rules) { return decided.append(.suppressed(decision(reason))) }
        if !isIn(rule, rules, at: now) { return decided.append(.suppressed(decision(.notInSegment))) }
        if let hours = rule.hours {
            guard let allowed = Self.firstAllowed(hours, from: now, zone(rules)),
                allowed - timer.firstDue <= rule.postponeMilliseconds
            else {
                return decided.append(.suppressed(decision(.postponedTooLong)))
            }
            if allowed > now { return postpone(timer, decision(.quietHours), until: allowed) }
        }
        if let reason = refusal(rule, rules) { return decided.append(.suppressed(decision(reason))) }
        if isUsedUp(rule, at: now) { return decided.append(.suppressed(decision(.repeatLimit))) }
        if let free = firstRoom(rule, rules, at: now) {
            if free - timer.firstDue > rule.postponeMilliseconds { return decided.append(.suppressed(decision(.contactLimit))) }
            return postpone(timer, decision(.contactLimit), until: free)
        }
        let subject =
            switch timer.occasion {
            case .lapse, .cart: ""
            case .product(let id), .order(let id), .offer(let id), .views(let id): id
            case .date(let day): Self.dateText(day)
            case .segment(let number): rules.segments.first { $0.number == number }?.name ?? ""
            }
        let deadline = now + rule.postponeMilliseconds
        decided.append(
            .actionOpened(
                ActionOpened(
                    customer: key, action: action, rule: rule.id, channel: rule.action.channel, due: timer.firstDue, decided: now,
                    deadline: deadline, subject: subject)))
        guard rule.action != .record else { return contacted(rule.id, .record, at: now, rules) }
        open.append(Open(action: action, rule: rule.id, timer: timer, decided: now, deadline: deadline))
    }

    private mutating func postpone(_ timer: Timer, _ decision: Decision, until: Instant) {
        var later = timer
        later.due = until
        timers.append(later)
        counts.armed[timer.rule, default: 0] += 1
        decided.append(.postponed(decision, until: until))
    }

    func unwanted(_ timer: Timer, at now: Instant, _ rules: RuleSet) -> Reason? {
        switch timer.occasion {
        case .offer(let id):
            guard let order = orders[id] else { return .tooLateForOrder }
            if !order.stands { return .orderCancelled }
            return order.state == .shipped || order.state == .fulfilled ? .tooLateForOrder : nil
        case .date: return nil
        case .views(let id):
            let isBought = facts.done.contains { $0.act == .bought && $0.product.id == id && $0.time >= timer.anchor }
            return isBought ? .noLongerWanted : nil
        case .cart:
            let last = lastOrder ?? .distantPast
            return last < timer.anchor && browsed.contains { $0.act == .addedToCart && $0.time > last } ? nil : .noLongerWanted
        case .segment(let number):
            guard let segment = rules.segments.first(where: { $0.number == number }) else { return .noLongerWanted }
            return facts.holds(segment.condition, at: now, rules) ? nil : .notInSegment
        case .lapse: return lastOrder == timer.anchor || (lastOrder ?? .distantFuture) < timer.anchor ? nil : .noLongerWanted
        case .product(let id): return (bought[id] ?? .distantPast) > timer.anchor ? .noLongerWanted : nil
        case .order(let id): return orders[id]?.stands == false ? .orderCancelled : nil
        }
    }

    func refusal(_ rule: Rule, _ rules: RuleSet) -> Reason? {
        if rule.action == .record { return nil }
        if traits["email"] == nil { return .noAddress }
        if isSuppressed { return .addressSuppressed }
        return consent ?? rules.consentAssumed ? nil : .noConsent
    }

    private func isIn(_ rule: Rule, _ rules: RuleSet, at now: Instant) -> Bool {
        let facts = facts
        func isMember(_ index: UInt16) -> Bool { facts.holds(rules.segments[Int(index)].condition, at: now, rules) }
        return rule.inAll.allSatisfy(isMember) && (rule.inAny.isEmpty || rule.inAny.contains(where: isMember))
            && !rule.inNone.contains(where: isMember)
    }

    var facts: ReferenceFacts {
        var facts = ReferenceFacts()
        facts.orders = orders.values.filter(\.stands).map { ReferenceFacts.Order(placed: $0.placed, revenue: $0.revenue) }
        facts.traits = traits
        if let consent { facts.consents[.email] = consent }
        if isSuppressed { facts.suppressed = [.email] }
        facts.engaged = engaged
        facts.done = browsed
        for (id, products) in lines where orders[id]?.stands == true {
            for product in Set(products) {
                facts.done.append(.init(act: .bought, product: product, time: orders[id]?.placed ?? .distantPast))
            }
        }
        return facts
    }

    /// Tries minute after minute, for two weeks.
    static func firstAllowed(_ hours: AllowedHours, from instant: Instant, _ zone: ZoneTable) -> Instant? {
        var candidate = instant.milliseconds
        while candidate < instant.milliseconds + 14 * Milliseconds.day {
            let minutes = (candidate + offset(zone, at: Instant(milliseconds: candidate))) / Milliseconds.minute
            let minute = minutes % 1440
            var day = minutes / 1440
            let from = Int64(hours.fromMinute)
            let to = Int64(hours.toMinute)
            var isIn = minute >= from && minute < to
            if from == to { isIn = true }
            if from > to {
                isIn = minute >= from || minute < to
                if minute < to { day -= 1 }
            }
            if isIn && hours.weekdays >> UInt8((day + 3) % 7) & 1 == 1 { return Instant(milliseconds: candidate) }
            candidate = (candidate / Milliseconds.minute + 1) * Milliseconds.minute
        }
        return nil
    }

    private func id(of timer: Timer) -> ActionID {
        var writer = ByteWriter(reserving: 64)
        writer.string(key.text)
        writer.fixed(timer.rule.number)
        switch timer.occasion {
        case .lapse:
            writer.byte(0)
            writer.instant(timer.anchor)
        case .product(let id):
            writer.byte(1)
            writer.string(id)
            writer.instant(timer.anchor)
        case .order(let id):
            writer.byte(2)
            writer.string(id)
        case .offer(let id):
            writer.byte(3)
            writer.string(id)
        case .date(let day):
            writer.byte(4)
            writer.signed(day)
        case .views(let id):
            writer.byte(5)
            writer.string(id)
            writer.instant(timer.anchor)
        case .cart:
            writer.byte(6)
            writer.instant(timer.anchor)
        case .segment(let number):
            writer.byte(7)
            writer.fixed(number)
            writer.instant(timer.anchor)
        }
        return ActionID(Hashing.hash128(writer.bytes))
    }

    mutating func close(_ open: Open, _ outcome: Outcome, _ reason: Reason, at now: Instant, detail: String = "") {
        decided.append(
            .actionClosed(
                ActionClosed(
                    customer: key, action: open.action, rule: open.rule, outcome: outcome, reason: reason, time: now,
                    detail: detail)
            ))
    }
}

/// What a shard counts.
struct ReferenceCounts: Equatable {
    var counters: [Counter: Int64] = [:]
    var armed: [RuleID: Int64] = [:]
}
