package import Model

/// What is known of one customer that decisions need: bounded, integers, no clock of its own. The long story is history's.
///
/// Changed by its `CustomerActor` only. Most events ask for little of it: each list stays the bytes that it was until
/// somebody asks for it, and goes back as those bytes when nobody did. The lists keep their memory from one customer to
/// the next.
package struct Profile: Sendable {
    package var orderCount: Int64 = 0
    /// Minor units, of orders that are not cancelled, after refunds.
    package var orderSum: Int64 = 0
    /// Of orders that are not cancelled; nil = none.
    package var firstOrder: Instant?
    package var lastOrder: Instant?
    /// Up to this due time the customer's lapses have come up; none of them may come up again (I5).
    package var lapseDecided: Instant?
    package var views: Int64 = 0
    package var clicks: Int64 = 0
    package var opens: Int64 = 0
    package var consents = ConsentSet()

    /// The customer's bytes, in which the parts stand that nobody has asked for; behind them there may be others. And the
    /// instant to which their times are relative.
    var packed: [UInt8] = []
    var base = Instant.distantPast
    var orderPart = Part<Order>()
    var productPart = Part<Purchase>()
    var timerPart = Part<Timer>()
    var openPart = Part<OpenAction>()
    var touchPart = Part<Touch>()
    var traitPart = Part<Trait>()
    var identityPart = IdentityPart()
    var habits = Habits()
    /// What ``nextWakeUp`` is while timers, open actions and memberships are as they were packed,
    var packedWakeUp = CustomerTable.noWakeUp
    /// and the share of the memberships in it.
    var packedMembershipDue = CustomerTable.noWakeUp

    package init() {}

    /// Newest ``Limits/ordersKeptMax``, in the order they came.
    package var orders: [Order] {
        _read {
            if orderPart.hasValues { yield orderPart.values } else { yield orderPart.read(packed, base) }
        }
        _modify {
            orderPart.beginChange(packed, base)
            yield &orderPart.values
        }
    }

    /// Products bought (fulfilled), in the order they were first bought.
    package var products: [Purchase] {
        _read {
            if productPart.hasValues { yield productPart.values } else { yield productPart.read(packed, base) }
        }
        _modify {
            productPart.beginChange(packed, base)
            yield &productPart.values
        }
    }

    package var timers: [Timer] {
        _read {
            if timerPart.hasValues { yield timerPart.values } else { yield timerPart.read(packed, base) }
        }
        _modify {
            changeTimes()
            yield &timerPart.values
        }
    }

    package var open: [OpenAction] {
        _read {
            if openPart.hasValues { yield openPart.values } else { yield openPart.read(packed, base) }
        }
        _modify {
            changeTimes()
            yield &openPart.values
        }
    }

    package var touches: [Touch] {
        _read {
            if touchPart.hasValues { yield touchPart.values } else { yield touchPart.read(packed, base) }
        }
        _modify {
            touchPart.beginChange(packed, base)
            yield &touchPart.values
        }
    }

    /// By name ascending.
    package var traits: [Trait] {
        _read {
            if traitPart.hasValues { yield traitPart.values } else { yield traitPart.read(packed, base) }
        }
        _modify {
            traitPart.beginChange(packed, base)
            yield &traitPart.values
        }
    }

    /// Nil for most: nothing but the key is known.
    package var identity: Identity? {
        get { identityPart.read(packed) }
        set { identityPart = IdentityPart(newValue) }
    }

    /// The two lists that say when the customer wants to be woken: whoever changes one asks for the other.
    mutating func changeTimes() {
        timerPart.beginChange(packed, base)
        openPart.beginChange(packed, base)
    }

    /// Makes ready what tells whether an occasion is still there.
    mutating func unfold(for occasion: Occasion) {
        switch occasion {
        case .lapse, .date, .segment: break
        case .order, .offer: orderPart.unfold(packed, base)
        case .product: productPart.unfold(packed, base)
        case .views: habits.boughtPart.unfold(packed, base)
        case .cart: habits.browsedPart.unfold(packed, base)
        }
    }

    /// Makes ready every list; false when the bytes are damaged.
    mutating func unfold() -> Bool {
        let areSound = [
            orderPart.unfoldChecked(packed, base), productPart.unfoldChecked(packed, base),
            timerPart.unfoldChecked(packed, base), openPart.unfoldChecked(packed, base),
            touchPart.unfoldChecked(packed, base), traitPart.unfoldChecked(packed, base), identityPart.unfoldChecked(packed),
            habits.unfoldChecked(packed, base),
        ]
        return areSound.allSatisfy { $0 }
    }

    /// From now on nothing is as it was packed.
    mutating func changeAll() {
        orderPart.beginChange(packed, base)
        productPart.beginChange(packed, base)
        changeTimes()
        touchPart.beginChange(packed, base)
        traitPart.beginChange(packed, base)
        habits.changeAll(packed, base)
    }

    /// Back to nothing known, with the lists' memory kept.
    mutating func clear() {
        orderCount = 0
        orderSum = 0
        firstOrder = nil
        lastOrder = nil
        lapseDecided = nil
        views = 0
        clicks = 0
        opens = 0
        consents = ConsentSet()
        orderPart.clear()
        productPart.clear()
        timerPart.clear()
        openPart.clear()
        touchPart.clear()
        traitPart.clear()
        identityPart.clear()
        if !habits.isEmpty { habits.clear() }
        packedMembershipDue = CustomerTable.noWakeUp
    }

    /// Nothing is known but, maybe, an identity.
    var isBlank: Bool {
        orderCount == 0 && orderSum == 0 && firstOrder == nil && lastOrder == nil && lapseDecided == nil && views == 0
            && clicks == 0 && opens == 0 && consents == ConsentSet() && orderPart.isEmpty && productPart.isEmpty
            && timerPart.isEmpty && openPart.isEmpty && touchPart.isEmpty && traitPart.isEmpty && !habits.hasFacts
    }

    /// Leads to another customer and is none itself.
    var isMark: Bool { identityPart.isMark }

    /// When this customer next wants to be woken: its first timer, the first deadline of an action nobody has asked for, or
    /// the next change of a membership. Milliseconds; `CustomerTable.noWakeUp` = never.
    var nextWakeUp: Int64 {
        if timerPart.isUnchanged || openPart.isUnchanged {
            if habits.membershipDue == packedMembershipDue { return packedWakeUp }
            if packedMembershipDue > packedWakeUp { return min(packedWakeUp, habits.membershipDue) }
            // The memberships were first; the lists have not said yet when they want to be.
            var next = habits.membershipDue
            for timer in timers { next = min(next, timer.due.milliseconds) }
            for action in open where action.grant == nil { next = min(next, action.expires.milliseconds) }
            return next
        }
        var next = habits.membershipDue
        for index in timerPart.values.indices { next = min(next, timerPart.values[index].due.milliseconds) }
        for index in openPart.values.indices where openPart.values[index].grant == nil {
            next = min(next, openPart.values[index].expires.milliseconds)
        }
        return next
    }

    // Looking for one of a list goes over the values themselves: a list that is lent out is counted for each look at it.

    /// Place of the first timer due then.
    mutating func timer(due: Instant) -> Int? {
        timerPart.unfold(packed, base)
        for index in timerPart.values.indices where timerPart.values[index].due == due { return index }
        return nil
    }

    /// Place of the rule's timer for this occasion.
    mutating func timer(of rule: RuleID, _ occasion: Occasion) -> Int? {
        timerPart.unfold(packed, base)
        for index in timerPart.values.indices
        where timerPart.values[index].rule.number == rule.number && timerPart.values[index].occasion == occasion { return index }
        return nil
    }

    /// Place of the newest order of this id.
    mutating func order(_ id: String) -> Int? {
        orderPart.unfold(packed, base)
        for index in orderPart.values.indices.reversed() where orderPart.values[index].id.hasBytes(of: id) { return index }
        return nil
    }

    /// Place of the last purchase of this product.
    mutating func purchase(_ product: UInt32) -> Int? {
        productPart.unfold(packed, base)
        for index in productPart.values.indices where productPart.values[index].product == product { return index }
        return nil
    }

    func trait(_ name: String) -> String? {
        traits.first { $0.name == name }?.value
    }
}

extension Profile: Equatable {
    /// Whether they say the same, as bytes or not.
    package static func == (left: Profile, right: Profile) -> Bool {
        left.orderCount == right.orderCount && left.orderSum == right.orderSum && left.firstOrder == right.firstOrder
            && left.lastOrder == right.lastOrder && left.lapseDecided == right.lapseDecided && left.views == right.views
            && left.clicks == right.clicks && left.opens == right.opens && left.consents == right.consents
            && left.orders == right.orders && left.products == right.products && left.timers == right.timers
            && left.open == right.open && left.touches == right.touches && left.traits == right.traits
            && left.identity == right.identity && left.bought == right.bought && left.browsed == right.browsed
            && left.olderOrders == right.olderOrders && left.engaged == right.engaged && left.members == right.members
            && left.habits.membershipDue == right.habits.membershipDue && left.habits.isReachable == right.habits.isReachable
            && left.contacts == right.contacts && left.habits.broughtUp == right.habits.broughtUp
            && left.habits.followedAt == right.habits.followedAt
    }
}
