import Model

extension RuleSet {
    /// Whether events and wake-ups may change a customer's bytes where they stand: nothing in the set asks for more than
    /// counters, orders, purchases and the timers of the three mechanics that follow from these alone.
    var changesInPlace: Bool {
        segments.isEmpty && memory == .none
            && rules.allSatisfy { rule in
                switch rule.mechanic {
                case .timeSinceLastPurchase(_, let percent): percent == nil
                case .regularConsumption(let periods, _): !periods.isPerPiece
                case .reviewRequest: rule.goods.isEmpty
                case .upsell, .personalDate, .viewedProducts, .abandonedCart, .segmentEntered: false
                }
            }
    }
}
