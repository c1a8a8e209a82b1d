import Model

// An order belongs to the first message whose conversion window it falls into; whatever happens to the order's money
// afterwards happens to that message's figures too (I10).

extension Brain {
    /// Credits a new order to the first touch whose window holds it.
    mutating func creditNew(_ index: Int, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        guard !profile.touchPart.isEmpty else { return }
        forgetTouches(at: now, in: &profile)
        let placed = profile.orders[index].placed
        var first: Int?
        for (place, touch) in profile.touches.enumerated() where touch.time <= placed && placed < touch.windowEnd {
            if let known = first, !touch.precedes(profile.touches[known]) { continue }
            first = place
        }
        guard let first else { return }
        profile.orders[index].credit = profile.touches[first].action
        give(index, to: first, at: now, customer: customer, in: &profile)
    }

    /// Gives a renewed order back to the message that had it.
    mutating func restoreCredit(_ index: Int, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        guard let touch = touch(of: index, in: profile) else { return }
        give(index, to: touch, at: now, customer: customer, in: &profile)
    }

    mutating func changeCredit(_ index: Int, by delta: Int64, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        guard let touch = touch(of: index, in: profile) else { return }
        report(index, touch, .changed, revenue: delta, sales: 0, conversions: 0, at: now, customer: customer, in: profile)
    }

    mutating func reverseCredit(_ index: Int, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        guard let touch = touch(of: index, in: profile) else { return }
        profile.touches[touch].sales -= 1
        report(
            index, touch, .reversed, revenue: -profile.orders[index].revenue, sales: -1,
            conversions: profile.touches[touch].sales == 0 ? -1 : 0, at: now, customer: customer, in: profile)
    }

    private mutating func give(_ index: Int, to touch: Int, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        profile.touches[touch].sales += 1
        report(
            index, touch, .converted, revenue: profile.orders[index].revenue, sales: 1,
            conversions: profile.touches[touch].sales == 1 ? 1 : 0, at: now, customer: customer, in: profile)
    }

    private func touch(of index: Int, in profile: Profile) -> Int? {
        guard let credit = profile.orders[index].credit else { return nil }
        return profile.touches.firstIndex { $0.action == credit }
    }

    private mutating func report(
        _ index: Int, _ touch: Int, _ kind: Attribution.Kind, revenue: Int64, sales: Int64, conversions: Int64, at now: Instant,
        customer: CustomerKey, in profile: Profile
    ) {
        effects.add(
            .attributed(
                Attribution(
                    customer: customer, action: profile.touches[touch].action, rule: profile.touches[touch].rule,
                    orderID: profile.orders[index].id, kind: kind, revenue: revenue, sales: sales, conversions: conversions,
                    time: now)))
    }

    /// Remembers a message that reached the customer.
    mutating func touch(_ action: OpenAction, at now: Instant, in profile: inout Profile) {
        guard let conversion = rules.rule(action.rule)?.conversion else { return }
        forgetTouches(at: now, in: &profile)
        profile.touches.append(
            Touch(action: action.id, rule: action.rule, time: now, windowEnd: now + conversion.windowMilliseconds, sales: 0))
    }

    /// Drops touches that can be credited no more and that no kept order is credited to; beyond the bound the oldest that
    /// no order is credited to.
    private func forgetTouches(at now: Instant, in profile: inout Profile) {
        func isCredited(_ touch: Touch) -> Bool { profile.orders.contains { $0.credit == touch.action } }
        if profile.touches.contains(where: { $0.windowEnd <= now && !isCredited($0) }) {
            let credited = Set(profile.orders.compactMap(\.credit))
            profile.touches.removeAll { $0.windowEnd <= now && !credited.contains($0.action) }
        }
        while profile.touches.count >= Limits.touchesMax, let oldest = profile.touches.firstIndex(where: { !isCredited($0) }) {
            profile.touches.remove(at: oldest)
        }
    }
}

extension Touch {
    /// Earlier, or of the same instant and the lower id.
    fileprivate func precedes(_ other: Touch) -> Bool { (time, action) < (other.time, other.action) }
}
