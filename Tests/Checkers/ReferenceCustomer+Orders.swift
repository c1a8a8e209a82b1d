internal import Model

// What an order does to a customer, change by change.

extension ReferenceCustomer {
    mutating func apply(_ event: OrderEvent, at now: Instant, _ rules: RuleSet, _ products: inout [String: Product]) {
        for line in event.lines { Self.learn(line.product, &products) }
        guard let order = orders[event.orderID] else { return first(event, at: now, rules, &products) }
        switch event.change {
        case .placed: renew(event, at: now, rules, &products)
        case .updated:
            if !order.stands { return renew(event, at: now, rules, &products) }
            if let revenue = event.revenue { change(event.orderID, to: revenue, at: now) }
            hold(event, rules)
            dropOffers(event, rules)
        case .paid, .shipped: advance(event.orderID, to: event.change, at: now)
        case .fulfilled: fulfil(event, at: now, rules, &products)
        case .cancelled: withdraw(event.orderID, as: .cancelled, at: now, rules)
        case .refunded:
            if let amount = event.revenue, amount < order.revenue {
                if order.stands { change(event.orderID, to: order.revenue - amount, at: now) }
            } else {
                withdraw(event.orderID, as: .refunded, at: now, rules)
            }
        }
    }

    private func worth(_ event: OrderEvent) -> Int64 {
        event.revenue ?? event.lines.reduce(0) { $0 + $1.price * $1.quantity }
    }

    private func saysNoWorth(_ event: OrderEvent) -> Bool {
        event.revenue == nil && event.lines.allSatisfy { $0.price * $0.quantity == 0 }
    }

    private mutating func first(_ event: OrderEvent, at now: Instant, _ rules: RuleSet, _ products: inout [String: Product]) {
        let state: OrderEvent.Change = event.change == .updated || event.change == .fulfilled ? .placed : event.change
        var order = Order(state: state, placed: now, changed: now, revenue: 0, awaitsWorth: saysNoWorth(event))
        if order.stands { order.revenue = worth(event) }
        orders[event.orderID] = order
        ordersInOrder.append(event.orderID)
        guard order.stands else { return }
        let known = lastOrder
        count(event.orderID, 1)
        hold(event, rules)
        armOffers(event, at: now, rules)
        credit(event.orderID, at: now)
        if known != now && lastOrder == now { armLapse(anchor: now, rules) }
        if event.change == .fulfilled || rules.fulfilledOnPlaced { fulfil(event, at: now, rules, &products) }
    }

    private mutating func count(_ id: String, _ sign: Int64) {
        guard let order = orders[id] else { return }
        orderCount += sign
        orderSum += sign * order.revenue
        counts.counters[.orders, default: 0] += sign
        counts.counters[.revenue, default: 0] += sign * order.revenue
        let standing = orders.values.filter(\.stands).map(\.placed)
        let before = firstOrder
        lastOrder = standing.max()
        if sign > 0 { firstOrder = min(before ?? order.placed, order.placed) }
        if sign < 0 && (before == order.placed || standing.isEmpty) { firstOrder = standing.min() }
    }

    private mutating func advance(_ id: String, to state: OrderEvent.Change, at now: Instant) {
        let ladder: [OrderEvent.Change] = [.placed, .paid, .shipped, .fulfilled, .cancelled, .refunded]
        guard let order = orders[id], let own = ladder.firstIndex(of: order.state), let new = ladder.firstIndex(of: state),
            own < new
        else { return }
        orders[id]?.state = state
        orders[id]?.changed = now
    }

    private mutating func fulfil(_ event: OrderEvent, at now: Instant, _ rules: RuleSet, _ products: inout [String: Product]) {
        guard let order = orders[event.orderID], order.stands, !order.wasFulfilled else { return }
        advance(event.orderID, to: .fulfilled, at: now)
        orders[event.orderID]?.wasFulfilled = true
        for line in event.lines {
            Self.learn(line.product, &products)
            let pieces = event.lines.filter { $0.product.id == line.product.id }.reduce(0) { $0 + $1.quantity }
            buy(products[line.product.id] ?? line.product, pieces, at: now, rules)
        }
        for rule in rules.rules where rule.enabled {
            guard case .reviewRequest(let after) = rule.mechanic else { continue }
            let concerns = event.lines.contains { Self.isGoods(rule, $0.product) }
            if rule.goods.isEmpty || concerns { arm(rule.id, .order(event.orderID), anchor: now, due: now + after) }
        }
    }

    static func isGoods(_ rule: Rule, _ product: Product) -> Bool { rule.goods.isEmpty || isNamed(product, rule.goods) }

    /// What an event says of a product replaces what was known; what it leaves out does not.
    private static func learn(_ product: Product, _ products: inout [String: Product]) {
        var all = products[product.id] ?? Product(id: product.id)
        if !product.category.isEmpty { all.category = product.category }
        if !product.brand.isEmpty { all.brand = product.brand }
        products[product.id] = all
    }

    private mutating func buy(_ product: Product, _ pieces: Int64, at now: Instant, _ rules: RuleSet) {
        if let last = bought[product.id], last >= now { return }
        if bought[product.id] == nil { boughtInOrder.append(product.id) }
        bought[product.id] = now
        details[product.id] = product
        for rule in rules.rules where rule.enabled {
            guard case .regularConsumption(let periods, let ahead) = rule.mechanic else { continue }
            var period = periods.perProduct.first { $0.product == product.id }?.milliseconds
            if period == nil && Self.isGoods(rule, product) { period = periods.defaultMilliseconds }
            if periods.isPerPiece && pieces > 1 { period = period.map { min($0 * min(pieces, 1000), 3650 * Milliseconds.day) } }
            if let period { arm(rule.id, .product(product.id), anchor: now, due: now + max(period - ahead, 0)) }
        }
    }

    private mutating func renew(_ event: OrderEvent, at now: Instant, _ rules: RuleSet, _ products: inout [String: Product]) {
        guard let order = orders[event.orderID] else { return }
        if order.stands && order.awaitsWorth && !saysNoWorth(event) {
            hold(event, rules)
            return change(event.orderID, to: worth(event), at: now)
        }
        guard !order.stands, now > order.changed else {
            counts.counters[.repeats, default: 0] += 1
            return
        }
        orders[event.orderID]?.state = .placed
        orders[event.orderID]?.changed = now
        let (revenue, awaitsWorth) = (worth(event), saysNoWorth(event))
        orders[event.orderID]?.revenue = revenue
        orders[event.orderID]?.awaitsWorth = awaitsWorth
        hold(event, rules)
        let known = lastOrder
        count(event.orderID, 1)
        if order.credit == nil { credit(event.orderID, at: now) } else { give(event.orderID, at: now) }
        if let last = lastOrder, last != known { rearmLapse(anchor: last, at: now, rules) }
        if rules.fulfilledOnPlaced { fulfil(event, at: now, rules, &products) }
    }

    private mutating func change(_ id: String, to revenue: Int64, at now: Instant) {
        guard let order = orders[id] else { return }
        orders[id]?.awaitsWorth = false
        let delta = revenue - order.revenue
        guard delta != 0 else { return }
        orders[id]?.revenue = revenue
        orderSum += delta
        counts.counters[.revenue, default: 0] += delta
        report(id, .changed, revenue: delta, sales: 0, at: now)
    }

    private mutating func withdraw(_ id: String, as state: OrderEvent.Change, at now: Instant, _ rules: RuleSet) {
        guard let order = orders[id], order.stands else { return }
        report(id, .reversed, revenue: -order.revenue, sales: -1, at: now)
        orders[id]?.state = state
        orders[id]?.changed = now
        count(id, -1)
        lines[id] = nil
        orders[id]?.revenue = 0
        let last = lastOrder
        let gone = timers.filter { timer in
            switch timer.occasion {
            case .order(let of), .offer(let of): of == id
            case .date, .views, .cart, .segment: false
            case .product: order.wasFulfilled && timer.anchor == order.changed
            case .lapse: last.map { timer.anchor > $0 } ?? true
            }
        }
        for timer in gone {
            counts.armed[timer.rule, default: 0] -= 1
            timers.removeAll { $0.rule == timer.rule && $0.occasion == timer.occasion }
        }
        if let last, last < order.placed { rearmLapse(anchor: last, at: now, rules) }
    }

    // MARK: Timers

    mutating func arm(_ rule: RuleID, _ occasion: Occasion, anchor: Instant, due: Instant) {
        let timer = Timer(rule: rule, occasion: occasion, anchor: anchor, firstDue: due, due: due)
        if let place = timers.firstIndex(where: { $0.rule == rule && $0.occasion == occasion }) {
            timers[place] = timer
        } else {
            timers.append(timer)
            counts.armed[rule, default: 0] += 1
        }
    }

    private mutating func armLapse(anchor: Instant, _ rules: RuleSet) {
        for rule in rules.rules where rule.enabled {
            guard let after = lapseDelay(rule) else { continue }
            arm(rule.id, .lapse, anchor: anchor, due: anchor + after)
        }
    }

    private mutating func rearmLapse(anchor: Instant, at now: Instant, _ rules: RuleSet) {
        for rule in rules.rules where rule.enabled {
            guard let after = lapseDelay(rule) else { continue }
            if let lapseDecided, anchor + after <= lapseDecided { continue }
            arm(rule.id, .lapse, anchor: anchor, due: max(anchor + after, now))
        }
    }

    // MARK: Credit

    private mutating func credit(_ id: String, at now: Instant) {
        guard let order = orders[id] else { return }
        forgetTouches(at: now)
        let fitting = touches.filter { $0.time <= order.placed && order.placed < $0.end }
        guard let first = fitting.min(by: { ($0.time, $0.action) < ($1.time, $1.action) }) else { return }
        orders[id]?.credit = first.action
        give(id, at: now)
    }

    private mutating func give(_ id: String, at now: Instant) {
        report(id, .converted, revenue: orders[id]?.revenue ?? 0, sales: 1, at: now)
    }

    private mutating func report(_ id: String, _ kind: Attribution.Kind, revenue: Int64, sales: Int64, at now: Instant) {
        guard let credit = orders[id]?.credit, let place = touches.firstIndex(where: { $0.action == credit }) else { return }
        touches[place].sales += sales
        let after = touches[place].sales
        let conversions: Int64 = sales == 1 && after == 1 ? 1 : sales == -1 && after == 0 ? -1 : 0
        decided.append(
            .attributed(
                Attribution(
                    customer: key, action: credit, rule: touches[place].rule, orderID: id, kind: kind, revenue: revenue,
                    sales: sales, conversions: conversions, time: now)))
    }

    mutating func forgetTouches(at now: Instant) {
        let credited = Set(orders.values.compactMap(\.credit))
        touches.removeAll { $0.end <= now && !credited.contains($0.action) }
    }
}
