internal import Model

// What sets timers besides orders, and how often a customer may be written to: by trying out, day by day and fact by fact.

extension ReferenceCustomer {
    // MARK: Orders

    /// Lines that are told are what stands in the order.
    mutating func hold(_ event: OrderEvent, _ rules: RuleSet) {
        if rules.memory.purchasesMilliseconds > 0 && !event.lines.isEmpty { lines[event.orderID] = event.lines.map(\.product) }
    }

    mutating func armOffers(_ event: OrderEvent, at now: Instant, _ rules: RuleSet) {
        for rule in rules.rules where rule.enabled {
            guard case .upsell(let after, let offers) = rule.mechanic else { continue }
            let concerns = event.lines.contains { Self.isGoods(rule, $0.product) }
            if concerns && !event.lines.contains(where: { Self.isNamed($0.product, offers) }) {
                arm(rule.id, .offer(event.orderID), anchor: now, due: now + after)
            }
        }
    }

    mutating func dropOffers(_ event: OrderEvent, _ rules: RuleSet) {
        for rule in rules.rules where rule.enabled {
            guard case .upsell(_, let offers) = rule.mechanic,
                event.lines.contains(where: { Self.isNamed($0.product, offers) })
            else { continue }
            drop { $0.rule == rule.id && $0.occasion == .offer(event.orderID) }
        }
    }

    static func isNamed(_ product: Product, _ goods: Goods) -> Bool {
        goods.products.contains(product.id) || goods.categories.contains(product.category) || goods.brands.contains(product.brand)
    }

    func lapseDelay(_ rule: Rule) -> Int64? {
        guard case .timeSinceLastPurchase(let after, let rhythm) = rule.mechanic else { return nil }
        let times = orders.values.filter(\.stands).map(\.placed).sorted()
        guard let rhythm, times.count >= 3, let first = times.first, let last = times.last, last > first else { return after }
        return max(min(rhythm * (last - first) / (100 * Int64(times.count - 1)), 3650 * Milliseconds.day), 1)
    }

    private mutating func drop(where gone: (Timer) -> Bool) {
        for timer in timers where gone(timer) { counts.armed[timer.rule, default: 0] -= 1 }
        timers.removeAll(where: gone)
    }

    // MARK: Products

    mutating func apply(_ event: ProductEvent, at now: Instant, _ rules: RuleSet) {
        guard rules.memory.browsingMilliseconds > 0 else { return }
        switch event.kind {
        case .viewed, .clicked:
            browse(.viewed, event.product, at: now, rules)
            for rule in rules.rules where rule.enabled {
                guard case .viewedProducts(let times, let within, let after) = rule.mechanic,
                    Self.isGoods(rule, event.product)
                else { continue }
                let lately = facts.done.filter { $0.product.id == event.product.id && now - $0.time < within }
                guard lately.count(where: { $0.act == .viewed }) >= times, !lately.contains(where: { $0.act == .bought }) else {
                    continue
                }
                arm(rule.id, .views(event.product.id), anchor: now, due: now + after)
            }
        case .addedToCart:
            browse(.addedToCart, event.product, at: now, rules)
            for rule in rules.rules where rule.enabled {
                guard case .abandonedCart(let after) = rule.mechanic else { continue }
                arm(rule.id, .cart, anchor: now, due: now + after)
            }
        case .removedFromCart:
            if let place = browsed.lastIndex(where: { $0.act == .addedToCart && $0.product.id == event.product.id }) {
                browsed.remove(at: place)
            }
        case .addedToWishlist, .removedFromWishlist, .reviewed, .shared: break
        }
    }

    /// Notes what was done; what is older by then than is remembered is forgotten.
    private mutating func browse(_ act: Act, _ product: Product, at now: Instant, _ rules: RuleSet) {
        browsed.append(.init(act: act, product: product, time: now))
        let newest = browsed.map(\.time).max() ?? now
        browsed.removeAll { newest - $0.time >= rules.memory.browsingMilliseconds }
    }

    // MARK: Dates

    func zone(_ rules: RuleSet) -> ZoneTable {
        rules.otherZones.first { $0.name == traits["time_zone"] } ?? rules.zone
    }

    /// Milliseconds east of UTC.
    static func offset(_ zone: ZoneTable, at instant: Instant) -> Int64 {
        Int64(zone.transitions.last { $0.at <= instant }?.offsetSeconds ?? zone.initialOffsetSeconds) * 1000
    }

    /// `changed`: traits that were told; nil = a date has passed.
    mutating func armDates(_ changed: [String]?, at now: Instant, _ rules: RuleSet) {
        for rule in rules.rules where rule.enabled {
            guard case .personalDate(let trait, _, _) = rule.mechanic else { continue }
            if let changed, !changed.contains(trait), !changed.contains("time_zone") { continue }
            armDate(rule, at: now, rules)
        }
    }

    private mutating func armDate(_ rule: Rule, at now: Instant, _ rules: RuleSet) {
        guard let next = nextDate(rule, after: now, rules) else { return drop { $0.rule == rule.id } }
        if let known = timers.first(where: { $0.rule == rule.id && $0.occasion == .date(next.day) }),
            known.firstDue == next.due || known.due != known.firstDue
        {
            return
        }
        drop { $0.rule == rule.id }
        arm(rule.id, .date(next.day), anchor: now, due: next.due)
    }

    private func nextDate(_ rule: Rule, after now: Instant, _ rules: RuleSet) -> (due: Instant, day: Int64)? {
        guard case .personalDate(let trait, let before, let minute) = rule.mechanic, let text = traits[trait] else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).suffix(2).map { Int64($0) }
        guard parts.count == 2, let month = parts[0], let dayOfMonth = parts[1] else { return nil }
        let today = now.milliseconds / Milliseconds.day
        for day in today - 400...today + 1200 where ReferenceFacts.isYearly(day, month: month, day: dayOfMonth) {
            let due = Self.instant(zone(rules), local: (day - before) * Milliseconds.day + Int64(minute) * Milliseconds.minute)
            if due > now { return (due, day) }
        }
        return nil
    }

    /// The first instant at which the local clock shows that, or passes over it.
    private static func instant(_ zone: ZoneTable, local: Int64) -> Instant {
        let offsets = [zone.initialOffsetSeconds] + zone.transitions.map(\.offsetSeconds)
        let exact = offsets.map { Instant(milliseconds: local - Int64($0) * 1000) }
            .filter { $0.milliseconds + offset(zone, at: $0) == local }
        let passed = zone.transitions.map(\.at).filter {
            $0.milliseconds + offset(zone, at: $0) >= local && $0.milliseconds - 1 + offset(zone, at: $0 + -1) < local
        }
        return (exact + passed).min() ?? Instant(milliseconds: local)
    }

    static func dateText(_ day: Int64) -> String {
        let (year, month, dayOfMonth) = ReferenceFacts.civil(day)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(dayOfMonth))"
    }

    // MARK: Segments

    /// Numbers of the segments that rules wait for somebody to come into.
    private func awaited(_ rules: RuleSet) -> [(segment: Segment, rules: [(rule: Rule, after: Int64)])] {
        var awaited: [(segment: Segment, rules: [(rule: Rule, after: Int64)])] = []
        for (index, segment) in rules.segments.enumerated() {
            var waiting: [(rule: Rule, after: Int64)] = []
            for rule in rules.rules where rule.enabled {
                guard case .segmentEntered(let place, let after) = rule.mechanic, Int(place) == index else { continue }
                waiting.append((rule, after))
            }
            if !waiting.isEmpty { awaited.append((segment, waiting)) }
        }
        return awaited
    }

    /// The next instant at which one of those memberships is another one: tried at everything that happened, put off by
    /// every length of time that conditions name, and at every midnight.
    func nextChange(_ rules: RuleSet) -> Instant? {
        let awaited = awaited(rules)
        if awaited.isEmpty { return nil }
        let facts = facts
        var times = facts.orders.map(\.placed) + facts.done.map(\.time)
        times += facts.engaged.values
        let lengths = Set(awaited.flatMap { $0.segment.condition.lengths } + [Int64.max])
        var candidates: Set<Instant> = []
        for time in times {
            for length in lengths where length < .max {
                for more in [0, 1] as [Int64] where time + (length + more) > lookedAt {
                    candidates.insert(time + (length + more))
                }
            }
        }
        return candidates.sorted().first { candidate in
            awaited.contains {
                facts.holds($0.segment.condition, at: candidate, rules) != memberships.contains($0.segment.number)
            }
        }
    }

    /// Looks who is in at an instant; rules hear of it unless `isQuiet`.
    mutating func look(at now: Instant, _ rules: RuleSet, isQuiet: Bool = false) {
        let now = max(lookedAt, now)
        lookedAt = now
        for (segment, waiting) in awaited(rules) {
            let isIn = facts.holds(segment.condition, at: now, rules)
            if isIn == memberships.contains(segment.number) { continue }
            if isIn {
                memberships.insert(segment.number)
                if isQuiet { continue }
                for (rule, after) in waiting { arm(rule.id, .segment(segment.number), anchor: now, due: now + after) }
            } else {
                memberships.remove(segment.number)
                drop { $0.occasion == .segment(segment.number) }
            }
        }
    }

    // MARK: Contacts

    private func isContact(_ rule: RuleID, _ channel: Channel, _ limit: ContactLimit, _ rules: RuleSet) -> Bool {
        let isTransactional = rules.rules.first { $0.id == rule }?.isTransactional ?? false
        return channel != .record && limit.channel ?? channel == channel && !isTransactional
    }

    /// The rule has acted for the customer as often as it may.
    func isUsedUp(_ rule: Rule, at now: Instant) -> Bool {
        guard let limit = rule.repeatLimit else { return false }
        let done = contacts.count { $0.rule == rule.id && now - $0.time < limit.windowMilliseconds }
        return Int64(done + open.count { $0.rule == rule.id }) >= limit.count
    }

    /// When a limit of contact may have room; nil = now.
    func firstRoom(_ rule: Rule, _ rules: RuleSet, at now: Instant) -> Instant? {
        if rule.isTransactional || rule.action == .record { return nil }
        var latest: Instant?
        for limit in rules.contactLimits where limit.channel ?? rule.action.channel == rule.action.channel {
            let counted = open.count { isContact($0.rule, .email, limit, rules) }
            let times = contacts.filter {
                isContact($0.rule, $0.channel, limit, rules) && now - $0.time < limit.rate.windowMilliseconds
            }
            .map(\.time).sorted()
            guard times.count + counted >= limit.rate.count else { continue }
            // So many of those that were sent must leave the window before there is room.
            let leaving = times.count + counted - Int(limit.rate.count) + 1
            var rooms = open.filter { $0.grant == nil }.map { $0.deadline + 1 }
            if leaving <= times.count { rooms.append(times[leaving - 1] + limit.rate.windowMilliseconds) }
            let room = max(rooms.min() ?? now + Milliseconds.hour, now + 1)
            latest = max(latest ?? room, room)
        }
        return latest
    }

    mutating func contacted(_ rule: RuleID, _ channel: Channel, at now: Instant, _ rules: RuleSet) {
        let limit = rules.rules.first { $0.id == rule }?.repeatLimit
        if limit != nil || channel != .record && !rules.contactLimits.isEmpty {
            contacts.append(Contact(time: now, rule: rule, channel: channel))
        }
    }

    // MARK: A new configuration

    /// What rules that were switched on at `now` would have waited for counts, unless its time was over.
    mutating func bringUp(_ rules: RuleSet, fresh: Set<RuleID>, from now: Instant) {
        for place in timers.indices where timers[place].due == timers[place].firstDue {
            guard let rule = rules.rules.first(where: { $0.id == timers[place].rule }), rule.enabled,
                let delay = delay(rule, timers[place]), timers[place].anchor + delay > now
            else { continue }
            timers[place].firstDue = timers[place].anchor + delay
            timers[place].due = timers[place].firstDue
        }
        for rule in rules.rules where rule.enabled && fresh.contains(rule.id) {
            func set(_ customer: inout ReferenceCustomer, _ occasion: Occasion, _ anchor: Instant) {
                let timer = Timer(rule: rule.id, occasion: occasion, anchor: anchor, firstDue: now, due: now)
                let isThere = customer.timers.contains { $0.rule == rule.id && $0.occasion == occasion }
                guard !isThere, let delay = customer.delay(rule, timer), anchor + delay > now else { return }
                customer.arm(rule.id, occasion, anchor: anchor, due: anchor + delay)
            }
            switch rule.mechanic {
            case .regularConsumption:
                for id in boughtInOrder { if let time = bought[id] { set(&self, .product(id), time) } }
            case .timeSinceLastPurchase: if let lastOrder { set(&self, .lapse, lastOrder) }
            case .reviewRequest:
                for id in ordersInOrder {
                    if let order = orders[id], order.state == .fulfilled { set(&self, .order(id), order.changed) }
                }
            case .abandonedCart:
                let last = browsed.last { $0.act == .addedToCart }?.time
                if let last, lastOrder.map({ $0 < last }) ?? true { set(&self, .cart, last) }
            case .personalDate, .upsell, .viewedProducts, .segmentEntered: break
            }
        }
        armDates(nil, at: now, rules)
        look(at: now, rules, isQuiet: true)
    }

    private func delay(_ rule: Rule, _ timer: Timer) -> Int64? {
        switch (rule.mechanic, timer.occasion) {
        case (.regularConsumption(let periods, let ahead), .product(let id)):
            if periods.isPerPiece { return nil }
            var period = periods.perProduct.first { $0.product == id }?.milliseconds
            if period == nil && Self.isGoods(rule, details[id] ?? Product(id: id)) { period = periods.defaultMilliseconds }
            return period.map { max($0 - ahead, 0) }
        case (.timeSinceLastPurchase, .lapse): return lapseDelay(rule)
        case (.reviewRequest(let after), .order), (.upsell(let after, _), .offer), (.viewedProducts(_, _, let after), .views),
            (.abandonedCart(let after), .cart), (.segmentEntered(_, let after), .segment):
            return after
        default: return nil
        }
    }
}

extension Condition {
    /// Every length of time in it.
    var lengths: [Int64] {
        switch self {
        case .all(let parts), .any(let parts): parts.flatMap(\.lengths)
        case .not(let part): part.lengths
        case .orders(_, let within, _, _): [within].compactMap { $0 }
        case .sinceLastOrder(_, let length), .sinceFirstOrder(_, let length), .sinceEngagement(_, _, let length): [length]
        case .acts(_, _, let within, _, _): [within].compactMap { $0 }
        case .sinceAct(_, _, _, let length): [length]
        case .rhythm, .pace, .trait, .anniversary, .consent, .reachable, .interest: []
        }
    }
}
