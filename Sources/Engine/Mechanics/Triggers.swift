import Model

// What else sets timers: what is ordered, viewed or put into the cart, dates, and coming into a segment.

extension Brain {
    // MARK: Upsell

    /// The order was placed: what completes it is offered, unless it holds that already.
    mutating func armOffers(_ order: Order, _ lines: [OrderLine], at now: Instant, in profile: inout Profile) {
        for index in rules.upsell {
            guard lines.contains(where: { rules.concerns(rule: index, product: $0.product) }),
                !lines.contains(where: { rules.offers(rule: index, product: $0.product) })
            else { continue }
            arm(index, .offer(order.id), anchor: now, due: now + rules.gists[index].afterMilliseconds, in: &profile)
        }
    }

    /// The order holds these now: what it holds is offered no more.
    mutating func dropOffers(of order: String, _ lines: [OrderLine], in profile: inout Profile) {
        for index in rules.upsell where lines.contains(where: { rules.offers(rule: index, product: $0.product) }) {
            let rule = rules.gists[index].id
            disarm(in: &profile) { $0.rule.number == rule.number && $0.occasion == .offer(order) }
        }
    }

    // MARK: Views and carts

    mutating func armViews(_ product: UInt32, at now: Instant, in profile: inout Profile) {
        for index in rules.views {
            guard case .viewedProducts(let times, let within, let after) = rules.set.rules[index].mechanic,
                let known = products[product], rules.concerns(rule: index, product: known)
            else { continue }
            let views = profile.browsed.count { $0.act == .viewed && $0.product == product && now - $0.time < within }
            guard views >= times, !profile.bought.contains(where: { $0.product == product && now - $0.time < within }) else {
                continue
            }
            arm(index, .views(product), anchor: now, due: now + after, in: &profile)
        }
    }

    mutating func armCart(at now: Instant, in profile: inout Profile) {
        for index in rules.carts {
            arm(index, .cart, anchor: now, due: now + rules.gists[index].afterMilliseconds, in: &profile)
        }
    }

    // MARK: Dates

    /// The traits that a date hangs on have changed, or its time has come: each rule's timer stands at its next one after
    /// `now`.
    mutating func armDates(_ traits: [Trait]? = nil, at now: Instant, in profile: inout Profile) {
        for index in rules.dates {
            guard case .personalDate(let trait, _, _) = rules.set.rules[index].mechanic else { continue }
            let isTold = traits?.contains { $0.name == trait || $0.name == Self.zoneTrait } ?? true
            if isTold { armDate(index, at: now, in: &profile) }
        }
    }

    static let zoneTrait = "time_zone"

    private mutating func armDate(_ index: Int, at now: Instant, in profile: inout Profile) {
        let rule = rules.gists[index].id
        if let next = nextDate(rule: index, after: now, profile) {
            let known = profile.timers.first { $0.rule == rule && $0.occasion == .date(next.day) }
            if let known, known.firstDue == next.due || known.due != known.firstDue { return }
            disarm(in: &profile) { $0.rule == rule }
            arm(index, .date(next.day), anchor: now, due: next.due, in: &profile)
        } else {
            disarm(in: &profile) { $0.rule == rule }
        }
    }

    /// The first of the rule's dates after `now`: when it is due and the day that it is about.
    private func nextDate(rule index: Int, after now: Instant, _ profile: Profile) -> (due: Instant, day: Int64)? {
        guard case .personalDate(let trait, let daysBefore, let minute) = rules.set.rules[index].mechanic,
            let value = profile.trait(trait), let yearDay = CivilDays.YearDay(value)
        else { return nil }
        let zone = zone(of: profile)
        let year = CivilDays.year(of: zone.day(at: now))
        for candidate in year - 1...year + 3 {
            let day = yearDay.number(in: candidate)
            let due = zone.instant(day: day - daysBefore, minute: Int64(minute))
            if due > now { return (due, day) }
        }
        return nil
    }

    /// The customer's own zone where the installation knows it, else the installation's.
    func zone(of profile: Profile) -> ZoneTable {
        if rules.set.otherZones.isEmpty { return rules.set.zone }
        guard let name = profile.trait(Self.zoneTrait) else { return rules.set.zone }
        return rules.set.otherZones.first { $0.name.utf8.elementsEqual(name.utf8) } ?? rules.set.zone
    }

    // MARK: Segments

    mutating func enter(_ segment: UInt16, at now: Instant, in profile: inout Profile) {
        for index in rules.entries[segment] ?? [] {
            arm(index, .segment(segment), anchor: now, due: now + rules.gists[index].afterMilliseconds, in: &profile)
        }
    }

    mutating func leave(_ segment: UInt16, in profile: inout Profile) {
        if rules.entries[segment] == nil { return }
        disarm(in: &profile) { $0.occasion == .segment(segment) }
    }

    // MARK: A new configuration

    /// Timers of rules that were switched on at `now`: whatever they would have been set for counts, unless its time was over;
    /// who matched already is left out. And timers of rules whose times were changed: they move, unless the new time was over.
    mutating func bringUpTimers(_ fresh: Set<RuleID>, from now: Instant, in profile: inout Profile) {
        for timer in profile.timers where timer.due == timer.firstDue {
            guard let index = rules.index(of: timer.rule), rules.gists[index].enabled,
                let due = due(of: timer, rule: index, profile), due != timer.due, due > now
            else { continue }
            guard let place = profile.timer(of: timer.rule, timer.occasion) else { continue }
            profile.timers[place].firstDue = due
            profile.timers[place].due = due
        }
        for index in rules.gists.indices where fresh.contains(rules.gists[index].id) && rules.gists[index].enabled {
            armFresh(index, at: now, in: &profile)
        }
        armDates(at: now, in: &profile)
    }

    private mutating func armFresh(_ index: Int, at now: Instant, in profile: inout Profile) {
        func set(_ brain: inout Brain, _ occasion: Occasion, _ anchor: Instant, _ profile: inout Profile) {
            let timer = Timer(rule: brain.rules.gists[index].id, occasion: occasion, anchor: anchor, firstDue: now, due: now)
            guard profile.timer(of: timer.rule, occasion) == nil, let due = brain.due(of: timer, rule: index, profile), due > now
            else { return }
            brain.arm(index, occasion, anchor: anchor, due: due, in: &profile)
        }
        switch rules.set.rules[index].mechanic {
        case .regularConsumption:
            for purchase in profile.products { set(&self, .product(purchase.product), purchase.last, &profile) }
        case .timeSinceLastPurchase:
            if let last = profile.lastOrder { set(&self, .lapse, last, &profile) }
        case .reviewRequest:
            for order in profile.orders where order.state == .fulfilled { set(&self, .order(order.id), order.changed, &profile) }
        case .abandonedCart:
            let cart = profile.browsed.last { $0.act == .addedToCart }
            if let cart, profile.lastOrder.map({ $0 < cart.time }) ?? true { set(&self, .cart, cart.time, &profile) }
        // Dates are set for everybody; offers, views and entries count from what happens after the rule was switched on.
        case .personalDate, .upsell, .viewedProducts, .segmentEntered: break
        }
    }

    /// When the rule, as it is now, wants to act on what the timer was set for; nil = it says nothing about that.
    private mutating func due(of timer: Timer, rule index: Int, _ profile: Profile) -> Instant? {
        switch (rules.set.rules[index].mechanic, timer.occasion) {
        case (.regularConsumption(let table, _), .product(let product)):
            // How many pieces there were is not kept: a rule that counts them leaves its timers as they are.
            if table.isPerPiece { return nil }
            return products[product].flatMap { rules.reminderDelay(rule: index, product: $0) }.map { timer.anchor + $0 }
        case (.timeSinceLastPurchase, .lapse): return timer.anchor + lapseDelay(rule: index, profile)
        case (.reviewRequest, .order), (.upsell, .offer), (.viewedProducts, .views), (.abandonedCart, .cart),
            (.segmentEntered, .segment):
            return timer.anchor + rules.gists[index].afterMilliseconds
        default: return nil
        }
    }
}
