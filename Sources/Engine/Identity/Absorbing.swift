import Model

// Two profiles become one. What each says of orders, consent, timers and messages is joined so that it does not matter
// which of several merges came first; nothing is counted twice, and no occasion is decided again.

extension Brain {
    /// `other` is all that was known under `key`; the survivor is `customer`. Wake-ups due by `now` have run.
    mutating func absorb(
        _ other: Profile, of key: CustomerKey, at now: Instant, customer: CustomerKey, into profile: inout Profile
    ) {
        effects.add(.merged(key, into: customer, time: now))
        let before = (profile.orders, profile.products)
        joinPurchases(other, into: &profile)
        joinTouches(other, into: &profile)
        joinOrders(other, at: now, customer: customer, into: &profile)
        profile.lapseDecided = [profile.lapseDecided, other.lapseDecided].compactMap { $0 }.max()
        profile.views += other.views
        profile.clicks += other.clicks
        profile.opens += other.opens
        profile.consents.tighten(by: other.consents)
        joinProducts(other, into: &profile)
        joinTimers(other, orders: before.0, products: before.1, into: &profile)
        joinOpen(other, at: now, customer: customer, into: &profile)
        // What the survivor says of itself stands.
        for trait in other.traits where profile.trait(trait.name) == nil && profile.traits.count < Limits.traitsMax {
            let place = profile.traits.firstIndex { $0.name > trait.name } ?? profile.traits.count
            profile.traits.insert(trait, at: place)
        }
        joinHabits(other, into: &profile)
        joinIdentity(other, of: key, customer: customer, into: &profile)
        follow(.all, at: now, isCustomer: profile.isCustomer, in: &profile)
    }

    // MARK: Habits

    /// What both sides know of one order is one purchase, at the time that stays the order's. Asked before orders are joined.
    private func joinPurchases(_ other: Profile, into profile: inout Profile) {
        if profile.habits.boughtPart.isEmpty && other.habits.boughtPart.isEmpty { return }
        var theirs = other.bought
        for order in other.orders {
            guard let mine = profile.orders.last(where: { $0.id == order.id }) else { continue }
            let placed = min(mine.placed, order.placed)
            let tag = order.tag
            for index in theirs.indices where theirs[index].time == order.placed && theirs[index].order == tag {
                theirs[index].time = placed
            }
            for index in profile.bought.indices
            where profile.bought[index].time == mine.placed && profile.bought[index].order == tag {
                profile.bought[index].time = placed
            }
        }
        for act in theirs where !profile.bought.contains(act) { profile.bought.append(act) }
        profile.bought.sort(by: PastAct.precedes)
        profile.bought.removeFirst(max(profile.bought.count - Limits.purchasesKeptMax, 0))
    }

    private func joinHabits(_ other: Profile, into profile: inout Profile) {
        if !other.habits.browsedPart.isEmpty {
            profile.browsed += other.browsed
            profile.browsed.sort(by: PastAct.precedes)
            profile.browsed.removeFirst(max(profile.browsed.count - Limits.browsingKeptMax, 0))
        }
        if !other.habits.olderPart.isEmpty { profile.olderOrders += other.olderOrders }
        if !profile.habits.olderPart.isEmpty {
            profile.olderOrders.sort { ($0.placed, $0.revenue) < ($1.placed, $1.revenue) }
            profile.olderOrders.removeFirst(max(profile.olderOrders.count - Limits.olderOrdersKeptMax, 0))
        }
        if !other.habits.contactPart.isEmpty {
            profile.contacts += other.contacts
            profile.contacts.sort {
                ($0.time, $0.rule.number, $0.channel.rawValue) < ($1.time, $1.rule.number, $1.channel.rawValue)
            }
            profile.contacts.removeFirst(max(profile.contacts.count - Limits.contactsKeptMax, 0))
        }
        for engaged in other.engaged { profile.engage(engaged.sign, at: engaged.last) }
    }

    private mutating func joinIdentity(
        _ other: Profile, of key: CustomerKey, customer: CustomerKey, into profile: inout Profile
    ) {
        var identity = profile.identity ?? Identity()
        for merged in (other.identity?.merged ?? []) + [key] where !identity.merged.contains(merged) {
            identity.merged.append(merged)
        }
        identity.merged.removeFirst(max(identity.merged.count - Limits.mergedKeysMax, 0))
        profile.identity = identity
        for identifier in other.identity?.identifiers ?? [] {
            note(identifier, former: key, customer: customer, in: &profile)
        }
    }

    // MARK: Orders and their credit

    private func joinTouches(_ other: Profile, into profile: inout Profile) {
        profile.touches += other.touches
        profile.touches.sort { ($0.time, $0.action) < ($1.time, $1.action) }
        let credited = Set((profile.orders + other.orders).compactMap(\.credit))
        while profile.touches.count > Limits.touchesMax,
            let oldest = profile.touches.firstIndex(where: { !credited.contains($0.action) })
        {
            profile.touches.remove(at: oldest)
        }
    }

    private mutating func joinOrders(
        _ other: Profile, at now: Instant, customer: CustomerKey, into profile: inout Profile
    ) {
        profile.orderCount += other.orderCount
        profile.orderSum += other.orderSum
        for order in other.orders {
            if let index = profile.orders.lastIndex(where: { $0.id.hasBytes(of: order.id) }) {
                unite(index, with: order, at: now, customer: customer, in: &profile)
            } else {
                profile.orders.append(order)
            }
        }
        profile.orders.sort { ($0.placed, $0.id) < ($1.placed, $1.id) }
        while profile.orders.count > Limits.ordersKeptMax { profile.letGo(profile.orders.removeFirst()) }
        let kept = Set(profile.orders.compactMap(\.credit))
        while profile.touches.count > Limits.touchesMax,
            let oldest = profile.touches.firstIndex(where: { !kept.contains($0.action) })
        {
            profile.touches.remove(at: oldest)
        }
        guard profile.orderCount > 0 else {
            profile.firstOrder = nil
            profile.lastOrder = nil
            return
        }
        profile.firstOrder = [profile.firstOrder, other.firstOrder].compactMap { $0 }.min()
        profile.lastOrder =
            profile.orders.filter(\.state.stands).map(\.placed).max()
            ?? [profile.lastOrder, other.lastOrder].compactMap { $0 }.max()
    }

    /// One order under both keys: it counts once, as it was last heard of, and the earlier message keeps its credit.
    private mutating func unite(
        _ index: Int, with order: Order, at now: Instant, customer: CustomerKey, in profile: inout Profile
    ) {
        let known = profile.orders[index]
        let isNewer = (order.changed, order.state.rawValue, order.revenue) > (known.changed, known.state.rawValue, known.revenue)
        var (stays, goes) = isNewer ? (order, known) : (known, order)
        for version in [stays, goes] where version.state.stands && version.credit != nil {
            profile.orders[index] = version
            reverseCredit(index, at: now, customer: customer, in: &profile)
        }
        if goes.state.stands {
            profile.orderCount -= 1
            profile.orderSum -= goes.revenue
            effects.add(.orders, -1)
            effects.add(.revenue, -goes.revenue)
        }
        let credits = [stays.credit, goes.credit].compactMap { $0 }
        stays.credit = profile.touches.first { credits.contains($0.action) }?.action ?? credits.first
        stays.placed = min(stays.placed, goes.placed)
        stays.wasFulfilled = stays.wasFulfilled || goes.wasFulfilled
        profile.orders[index] = stays
        if stays.state.stands && stays.credit != nil { restoreCredit(index, at: now, customer: customer, in: &profile) }
    }

    private func joinProducts(_ other: Profile, into profile: inout Profile) {
        for purchase in other.products {
            if let index = profile.products.firstIndex(where: { $0.product == purchase.product }) {
                profile.products[index].last = max(profile.products[index].last, purchase.last)
            } else {
                profile.products.append(purchase)
            }
        }
        while profile.products.count > Limits.productsKeptMax,
            let oldest = profile.products.indices.min(by: { profile.products[$0].last < profile.products[$1].last })
        {
            profile.products.remove(at: oldest)
        }
    }

    // MARK: Timers

    /// A timer stays when what it counts from still counts, and when the other side, knowing the same order or a later
    /// purchase, has not had that occasion already.
    private mutating func joinTimers(
        _ other: Profile, orders: [Order], products: [Purchase], into profile: inout Profile
    ) {
        let mine = profile.timers
        var joined: [Timer] = []
        func knows(_ orders: [Order], _ products: [Purchase], _ timer: Timer) -> Bool {
            switch timer.occasion {
            case .order(let id): orders.contains { $0.id.hasBytes(of: id) && $0.wasFulfilled }
            case .product(let product): products.contains { $0.product == product && $0.last >= timer.anchor }
            case .lapse: orders.contains { $0.state.stands && $0.placed >= timer.anchor }
            case .offer(let id): orders.contains { $0.id == id }
            // What the other side has of these it has a timer for.
            case .date, .views, .cart, .segment: false
            }
        }
        /// Of two timers for one occasion: an order's first fulfilment counts, a product's and the customer's last purchase.
        func precedes(_ left: Timer, _ right: Timer) -> Bool {
            switch left.occasion {
            case .order, .offer, .date, .segment: return left.anchor < right.anchor
            case .product, .lapse, .views, .cart: return left.anchor > right.anchor
            }
        }
        func twin(of timer: Timer, in timers: [Timer]) -> Timer? {
            timers.first { $0.rule == timer.rule && $0.occasion == timer.occasion }
        }
        for timer in mine {
            if let twin = twin(of: timer, in: other.timers) {
                if !precedes(twin, timer) { joined.append(timer) }
            } else if !knows(other.orders, other.products, timer) {
                joined.append(timer)
            }
        }
        for timer in other.timers {
            if let twin = twin(of: timer, in: mine) {
                if precedes(timer, twin) { joined.append(timer) }
            } else if !knows(orders, products, timer) {
                joined.append(timer)
            }
        }
        joined.sort { ($0.due, $0.rule, $0.anchor) < ($1.due, $1.rule, $1.anchor) }
        joined.removeLast(max(joined.count - Limits.timersMax, 0))
        for timer in mine { effects.addArmed(timer.rule, -1) }
        for timer in joined { effects.addArmed(timer.rule, 1) }
        profile.timers = joined
    }

    // MARK: Open actions

    /// The other's actions go on here. Of two about the same the one that may have left stays, else the earlier.
    private mutating func joinOpen(_ other: Profile, at now: Instant, customer: CustomerKey, into profile: inout Profile) {
        var joined: [OpenAction] = []
        let all = profile.open.map { ($0, false) } + other.open.map { ($0, true) }
        let order = all.sorted { left, right in
            if (left.0.grant != nil) != (right.0.grant != nil) { return left.0.grant != nil }
            return (left.0.decided, left.0.id) < (right.0.decided, right.0.id)
        }
        var moved: Set<ActionID> = []
        for (action, isOthers) in order {
            let isRepeat = action.grant == nil && joined.contains { $0.rule == action.rule && $0.occasion == action.occasion }
            if isRepeat || joined.count >= Limits.openActionsMax {
                close(action, .withdrawn, isRepeat ? .alreadyDecided : .tooManyOpen, at: now, customer: customer)
            } else {
                joined.append(action)
                if isOthers { moved.insert(action.id) }
            }
        }
        joined.sort { ($0.decided, $0.id) < ($1.decided, $1.id) }
        for action in joined where moved.contains(action.id) {
            effects.add(
                .actionMoved(
                    ActionOpened(
                        customer: customer, action: action.id, rule: action.rule,
                        channel: action.channel, due: action.due, decided: action.decided,
                        deadline: action.deadline, subject: subject(of: action.occasion))))
        }
        profile.open = joined
    }
}

extension ConsentSet {
    /// The stricter word of two: withheld before granted before none; an address given up by either stays so.
    mutating func tighten(by other: ConsentSet) {
        for channel in Channel.allCases {
            if self[channel] == false || other[channel] == false {
                self[channel] = false
            } else if other[channel] == true {
                self[channel] = true
            }
        }
        suppressed |= other.suppressed
    }
}
