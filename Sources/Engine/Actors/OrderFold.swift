import Model

// Orders fold by their id: a repeat of a change changes nothing, and changes that arrive in another order than they
// happened end in the same state.

extension Brain {
    /// The gateway keeps these; a profile that outgrew its bounds would stop its shard.
    private func check(_ event: OrderEvent) throws(EventFault) {
        var longest = event.orderID.utf8.count
        for line in event.lines { longest = max(longest, line.product.id.utf8.count) }
        guard longest <= Limits.identifierBytesMax else {
            throw EventFault("an id of more than \(Limits.identifierBytesMax) bytes")
        }
        guard (event.revenue ?? 0).magnitude <= UInt64(Limits.moneyMax) else {
            throw EventFault("an amount beyond \(Limits.moneyMax) minor units")
        }
    }

    mutating func apply(_ event: OrderEvent, at now: Instant, customer: CustomerKey, to profile: inout Profile) throws(EventFault)
    {
        if !event.currency.isEmpty && event.currency != rules.set.currency {
            throw EventFault("currency \(event.currency), the installation's is \(rules.set.currency)")
        }
        try check(event)
        for line in event.lines where products.index(of: line.product) == nil {
            throw EventFault("more than \(Limits.productsPerShardMax) products in one shard")
        }
        guard let index = profile.order(event.orderID) else {
            open(event, at: now, customer: customer, in: &profile)
            return
        }
        switch event.change {
        case .placed: renew(index, event, at: now, customer: customer, in: &profile)
        case .updated:
            if profile.orders[index].state.stands {
                if let revenue = event.revenue { change(index, revenueTo: revenue, at: now, customer: customer, in: &profile) }
                remember(event.lines, of: index, in: &profile)
                if !rules.upsell.isEmpty { dropOffers(of: event.orderID, event.lines, in: &profile) }
            } else {
                renew(index, event, at: now, customer: customer, in: &profile)
            }
        case .paid: advance(index, to: .paid, at: now, in: &profile)
        case .shipped: advance(index, to: .shipped, at: now, in: &profile)
        case .fulfilled: fulfil(index, event.lines, at: now, in: &profile)
        case .cancelled: withdraw(index, as: .cancelled, at: now, customer: customer, in: &profile)
        case .refunded:
            let order = profile.orders[index]
            if let amount = event.revenue, amount < order.revenue {
                if order.state.stands {
                    change(index, revenueTo: order.revenue - amount, at: now, customer: customer, in: &profile)
                }
            } else {
                withdraw(index, as: .refunded, at: now, customer: customer, in: &profile)
            }
        }
    }

    /// An order seen for the first time, whatever change it is seen by.
    private mutating func open(_ event: OrderEvent, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        if profile.orders.count >= Limits.ordersKeptMax { profile.letGo(profile.orders.removeFirst()) }
        let state: Order.State =
            switch event.change {
            case .placed, .updated: .placed
            case .paid: .paid
            case .shipped: .shipped
            case .fulfilled: .placed
            case .cancelled: .cancelled
            case .refunded: .refunded
            }
        let revenue = state.stands ? event.revenue ?? event.linesTotal : 0
        profile.orders.append(
            Order(
                id: event.orderID, state: state, placed: now, changed: now, revenue: revenue, wasFulfilled: false, credit: nil,
                awaitsWorth: event.awaitsWorth))
        guard state.stands else { return }
        let index = profile.orders.count - 1
        let known = profile.lastOrder
        count(index, sign: 1, in: &profile)
        remember(event.lines, of: index, in: &profile)
        if !rules.upsell.isEmpty { armOffers(profile.orders[index], event.lines, at: now, in: &profile) }
        creditNew(index, at: now, customer: customer, in: &profile)
        // A late one says nothing about the last; of two at one instant the first has set the timer.
        if known != now && profile.lastOrder == now { armLapse(anchor: now, in: &profile) }
        if event.change == .fulfilled || rules.set.fulfilledOnPlaced { fulfil(index, event.lines, at: now, in: &profile) }
    }

    /// Adds the order to the sums or takes it out; first and last order follow.
    private mutating func count(_ index: Int, sign: Int64, in profile: inout Profile) {
        let (placed, revenue) = (profile.orders[index].placed, profile.orders[index].revenue)
        profile.orderCount += sign
        profile.orderSum += sign * revenue
        effects.add(.orders, sign)
        effects.add(.revenue, sign * revenue)
        if sign > 0 {
            profile.firstOrder = min(profile.firstOrder ?? placed, placed)
            profile.lastOrder = max(profile.lastOrder ?? placed, placed)
        } else if profile.orderCount == 0 {
            profile.firstOrder = nil
            profile.lastOrder = nil
        } else if let last = profile.orders.filter(\.state.stands).map(\.placed).max() {
            // Orders beyond those kept are older: the first one stays as it was unless it was this one.
            profile.lastOrder = last
            if profile.firstOrder == placed && profile.orderCount <= Int64(profile.orders.count) {
                profile.firstOrder = profile.orders.filter(\.state.stands).map(\.placed).min()
            }
        }
    }

    /// What was bought with the order is what these lines say; none say nothing about it.
    private mutating func remember(_ lines: [OrderLine], of index: Int, in profile: inout Profile) {
        let memory = rules.set.memory.purchasesMilliseconds
        guard memory > 0, !lines.isEmpty else { return }
        let order = profile.orders[index]
        profile.forgetPurchases(of: order)
        var known: Set<UInt32> = []
        for line in lines {
            guard let product = products.index(of: line.product), known.insert(product).inserted else { continue }
            profile.remember(
                PastAct(act: .bought, product: product, time: order.placed, order: order.tag), memory: memory)
        }
    }

    private func advance(_ index: Int, to state: Order.State, at now: Instant, in profile: inout Profile) {
        guard profile.orders[index].state.rawValue < state.rawValue else { return }
        profile.orders[index].state = state
        profile.orders[index].changed = now
    }

    private mutating func fulfil(_ index: Int, _ lines: [OrderLine], at now: Instant, in profile: inout Profile) {
        guard profile.orders[index].state.stands, !profile.orders[index].wasFulfilled else { return }
        advance(index, to: .fulfilled, at: now, in: &profile)
        profile.orders[index].wasFulfilled = true
        for line in lines {
            guard let product = products.index(of: line.product) else { continue }
            var pieces = line.quantity
            if lines.count > 1 {
                pieces = lines.reduce(0) { $1.product.id.utf8.elementsEqual(line.product.id.utf8) ? $0 + $1.quantity : $0 }
            }
            buy(product, pieces: pieces, at: now, in: &profile)
        }
        armReview(order: profile.orders[index].id, lines, at: now, in: &profile)
    }

    /// A cancelled order that comes back, or one that was seen first by a change that did not say what it is worth; a
    /// repeat of a placed one is nothing.
    private mutating func renew(
        _ index: Int, _ event: OrderEvent, at now: Instant, customer: CustomerKey, in profile: inout Profile
    ) {
        if profile.orders[index].state.stands && profile.orders[index].awaitsWorth && !event.awaitsWorth {
            remember(event.lines, of: index, in: &profile)
            return change(index, revenueTo: event.revenue ?? event.linesTotal, at: now, customer: customer, in: &profile)
        }
        guard !profile.orders[index].state.stands, now > profile.orders[index].changed else {
            effects.add(.repeats, 1)
            return
        }
        profile.orders[index].state = .placed
        profile.orders[index].changed = now
        profile.orders[index].revenue = event.revenue ?? event.linesTotal
        profile.orders[index].awaitsWorth = event.awaitsWorth
        remember(event.lines, of: index, in: &profile)
        let known = profile.lastOrder
        count(index, sign: 1, in: &profile)
        if profile.orders[index].credit == nil {
            creditNew(index, at: now, customer: customer, in: &profile)
        } else {
            restoreCredit(index, at: now, customer: customer, in: &profile)
        }
        if let last = profile.lastOrder, last != known { rearmLapse(anchor: last, at: now, in: &profile) }
        if rules.set.fulfilledOnPlaced { fulfil(index, event.lines, at: now, in: &profile) }
    }

    private mutating func change(
        _ index: Int, revenueTo revenue: Int64, at now: Instant, customer: CustomerKey, in profile: inout Profile
    ) {
        profile.orders[index].awaitsWorth = false
        let delta = revenue - profile.orders[index].revenue
        guard delta != 0 else { return }
        profile.orders[index].revenue = revenue
        profile.orderSum += delta
        effects.add(.revenue, delta)
        changeCredit(index, by: delta, at: now, customer: customer, in: &profile)
    }

    private mutating func withdraw(
        _ index: Int, as state: Order.State, at now: Instant, customer: CustomerKey, in profile: inout Profile
    ) {
        let order = profile.orders[index]
        guard order.state.stands else { return }
        reverseCredit(index, at: now, customer: customer, in: &profile)
        profile.orders[index].state = state
        profile.orders[index].changed = now
        count(index, sign: -1, in: &profile)
        profile.forgetPurchases(of: order)
        profile.orders[index].revenue = 0
        let last = profile.lastOrder
        disarm(in: &profile) { timer in
            switch timer.occasion {
            case .order(let id), .offer(let id): id.hasBytes(of: order.id)
            case .date, .views, .cart, .segment: false
            case .product: order.wasFulfilled && timer.anchor == order.changed
            case .lapse: last.map { timer.anchor > $0 } ?? true
            }
        }
        if let last, last < order.placed { rearmLapse(anchor: last, at: now, in: &profile) }
    }
}

extension OrderEvent {
    /// Speaks of an order without saying what it is worth.
    var awaitsWorth: Bool { revenue == nil && linesTotal == 0 }

    /// What the lines cost; what an order is worth that does not say it.
    var linesTotal: Int64 {
        lines.reduce(0) { sum, line in
            let (cost, overflow) = line.price.multipliedReportingOverflow(by: line.quantity)
            let (total, overflow2) = sum.addingReportingOverflow(cost)
            return overflow || overflow2 ? Limits.moneyMax : max(min(total, Limits.moneyMax), -Limits.moneyMax)
        }
    }
}
