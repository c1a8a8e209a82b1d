import Model

/// Makes one customer's profile, as this brain's fold of a step left it, say what the step recorded: actions, permits,
/// touches and credits are those before the step changed by the recorded effects; a timer that is recorded as decided is
/// gone. Pure.
struct DecisionSettlement {
    let customer: CustomerKey
    /// Before the step.
    let past: Profile
    private(set) var profile: Profile
    let rules: CompiledRules
    let products: ProductTable
    /// Timers that this brain decided upon in the step.
    let decided: [ActionID: Timer]
    let clock: Instant
    /// Decisions that are recorded, and those of this brain that are not.
    private(set) var recorded: Set<ActionID> = []
    private(set) var unrecorded: [ActionID: Timer] = [:]

    init(
        customer: CustomerKey, past: Profile, profile: Profile, rules: CompiledRules, products: ProductTable,
        decided: [ActionID: Timer], clock: Instant
    ) {
        self.customer = customer
        self.past = past
        self.profile = profile
        self.rules = rules
        self.products = products
        self.decided = decided
        self.clock = clock
    }

    mutating func settle(own: [Effect], recorded effects: [Effect]) {
        let folded = profile
        // It became part of another customer, where all that it had is settled.
        if folded.isMark {
            recorded = Set(effects.compactMap(\.decidedAction))
            return
        }
        beginWithPast(folded, own)
        for effect in effects { apply(effect) }
        // A failed attempt leaves no effect: where both say the same of an action, it is as this brain's fold left it.
        for index in profile.open.indices {
            let id = profile.open[index].id
            guard own.filter({ $0.action == id }) == effects.filter({ $0.action == id }) else { continue }
            if let same = folded.open.first(where: { $0.id == id }) { profile.open[index] = same }
        }
        boundTouches()
        for effect in own {
            guard let action = effect.decidedAction, !recorded.contains(action), let timer = decided[action] else { continue }
            if case .postponed = effect { continue }
            unrecorded[action] = timer
        }
    }

    /// As before the step, and with what came in it with merged customers: the fold of their profiles is no decision.
    private mutating func beginWithPast(_ folded: Profile, _ own: [Effect]) {
        var moved: Set<ActionID> = []
        var sent: Set<ActionID> = []
        var converted: Set<String> = []
        for effect in own {
            switch effect {
            case .actionMoved(let opened): moved.insert(opened.action)
            case .actionClosed(let closed): sent.insert(closed.action)
            case .attributed(let attribution) where attribution.kind == .converted: converted.insert(attribution.orderID)
            default: break
            }
        }
        let (open, touches) = (Set(past.open.map(\.id)), Set(past.touches.map(\.action)))
        profile.open = past.open + folded.open.filter { moved.contains($0.id) && !open.contains($0.id) }
        profile.touches =
            past.touches + folded.touches.filter { !touches.contains($0.action) && !sent.contains($0.action) }
        for index in profile.orders.indices {
            let id = profile.orders[index].id
            if let before = past.orders.last(where: { $0.id.hasBytes(of: id) }) {
                profile.orders[index].credit = before.credit
            } else if converted.contains(id) {
                profile.orders[index].credit = nil
            }
        }
    }

    private mutating func apply(_ effect: Effect) {
        switch effect {
        case .actionOpened(let opened):
            let timer = timer(of: opened)
            decide(opened.action, timer)
            guard opened.channel != .record, !profile.open.contains(where: { $0.id == opened.action }) else { return }
            profile.open.append(
                OpenAction(
                    id: opened.action, rule: opened.rule, channel: opened.channel, occasion: timer.occasion, anchor: timer.anchor,
                    due: opened.due, decided: opened.decided, deadline: opened.deadline, grant: nil, failures: 0))
        case .suppressed(let decision): decide(decision.action, known(decision.action))
        case .postponed(let decision, let until):
            recorded.insert(decision.action)
            if let index = profile.timers.firstIndex(where: { id(of: $0) == decision.action }) {
                profile.timers[index].due = until
            } else if var timer = decided[decision.action], profile.timers.count < Limits.timersMax {
                timer.due = until
                profile.timers.append(timer)
            }
        case .permitGranted(let grant):
            if let index = profile.open.firstIndex(where: { $0.id == grant.action }) { profile.open[index].grant = grant.attempt }
        case .actionClosed(let closed): close(closed)
        case .attributed(let attribution): credit(attribution)
        // An action that came with a merged customer is there from the beginning.
        case .actionMoved, .merged, .duplicateOffered: break
        case .messageSent, .messagesDelivered, .messageApplied: break
        case .permitDenied, .setAside, .replayed, .sums: break
        }
    }

    /// Decided, and never again.
    private mutating func decide(_ action: ActionID, _ timer: Timer?) {
        recorded.insert(action)
        profile.timers = profile.timers.filter { id(of: $0) != action }
        if let timer, timer.occasion == .lapse {
            profile.lapseDecided = max(profile.lapseDecided ?? timer.firstDue, timer.firstDue)
        }
    }

    private mutating func close(_ closed: ActionClosed) {
        profile.open.removeAll { $0.id == closed.action }
        guard closed.outcome == .sent, !profile.touches.contains(where: { $0.action == closed.action }),
            let conversion = rules.rule(closed.rule)?.conversion
        else { return }
        profile.touches.append(
            Touch(
                action: closed.action, rule: closed.rule, time: closed.time,
                windowEnd: closed.time + conversion.windowMilliseconds, sales: 0))
    }

    private mutating func credit(_ attribution: Attribution) {
        if let touch = profile.touches.firstIndex(where: { $0.action == attribution.action }) {
            profile.touches[touch].sales += attribution.sales
        }
        guard attribution.kind == .converted,
            let order = profile.orders.lastIndex(where: { $0.id.hasBytes(of: attribution.orderID) })
        else { return }
        profile.orders[order].credit = attribution.action
    }

    /// As when a message is sent: what can be credited no more is forgotten, beyond the bound the oldest first.
    private mutating func boundTouches() {
        let credited = Set(profile.orders.compactMap(\.credit))
        profile.touches.removeAll { $0.windowEnd <= clock && !credited.contains($0.action) }
        while profile.touches.count > Limits.touchesMax,
            let oldest = profile.touches.firstIndex(where: { !credited.contains($0.action) })
        {
            profile.touches.remove(at: oldest)
        }
    }

    private func id(of timer: Timer) -> ActionID { ActionID(timer, customer: customer, products: products) }

    /// The timer that came to this decision, where this brain has or had it too.
    private func known(_ action: ActionID) -> Timer? {
        decided[action] ?? (past.timers + profile.timers).first { id(of: $0) == action }
    }

    /// The timer that opened the action. Where this brain never had it, it is found by its id among what the customer did;
    /// failing that, the occasion counts from the decision, so that only what happens later makes it unwanted.
    private func timer(of opened: ActionOpened) -> Timer {
        if let timer = known(opened.action) { return timer }
        func timer(_ occasion: Occasion, _ anchor: Instant) -> Timer {
            Timer(rule: opened.rule, occasion: occasion, anchor: anchor, firstDue: opened.due, due: opened.decided)
        }
        let candidates = candidates(for: opened)
        for (occasion, anchors) in candidates {
            for anchor in anchors where id(of: timer(occasion, anchor)) == opened.action { return timer(occasion, anchor) }
        }
        return timer(candidates[0].occasion, opened.decided)
    }

    /// What the action may be about, the likely first; never empty.
    private func candidates(for opened: ActionOpened) -> [(occasion: Occasion, anchors: [Instant])] {
        let orders = (past.orders + profile.orders).filter { $0.id == opened.subject }.flatMap { [$0.changed, $0.placed] }
        let lapses = [past.lastOrder, profile.lastOrder].compactMap { $0 } + (past.orders + profile.orders).map(\.placed)
        let order = (occasion: Occasion.order(opened.subject), anchors: orders)
        let lapse = (occasion: Occasion.lapse, anchors: lapses)
        let bought = (past.products + profile.products).filter { products[$0.product]?.id == opened.subject }
        let product = bought.first.map { (occasion: Occasion.product($0.product), anchors: bought.map(\.last)) }
        switch rules.rule(opened.rule)?.mechanic {
        case .regularConsumption: return [product, order].compactMap { $0 }
        case .reviewRequest: return [order]
        case .timeSinceLastPurchase: return [lapse]
        case .upsell: return [(occasion: .offer(opened.subject), anchors: orders)]
        case .personalDate:
            let day = CivilDays.number(ofText: opened.subject) ?? 0
            return [(occasion: .date(day), anchors: [opened.due])]
        case .viewedProducts:
            let viewed = (past.browsed + profile.browsed).filter { products[$0.product]?.id == opened.subject }
            return [viewed.first.map { (occasion: Occasion.views($0.product), anchors: viewed.map(\.time)) } ?? lapse]
        case .abandonedCart:
            return [(occasion: .cart, anchors: (past.browsed + profile.browsed).filter { $0.act == .addedToCart }.map(\.time))]
        case .segmentEntered(let segment, let after):
            return [(occasion: .segment(rules.set.segments[Int(segment)].number), anchors: [opened.due + -after])]
        case nil: return opened.subject.isEmpty ? [lapse] : [product, order].compactMap { $0 }
        }
    }
}

extension Effect {
    /// The action that a rule decided for or against, or put off.
    fileprivate var decidedAction: ActionID? {
        switch self {
        case .actionOpened(let opened): opened.action
        case .suppressed(let decision), .postponed(let decision, _): decision.action
        default: nil
        }
    }

    /// The action it is about.
    fileprivate var action: ActionID? {
        switch self {
        case .permitGranted(let grant): grant.action
        case .permitDenied(_, let action, _, _): action
        case .actionClosed(let closed): closed.action
        case .attributed(let attribution): attribution.action
        default: decidedAction
        }
    }
}
