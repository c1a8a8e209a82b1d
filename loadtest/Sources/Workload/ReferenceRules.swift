package import Model

/// The workload's three mechanics, as numbers and as the rule set that the cluster runs.
package enum ReferenceRules {
    package static let reorder = "reorder"
    package static let lapsed = "lapsed"
    package static let review = "review"

    /// How long a product lasts.
    package static func reorderMilliseconds(product: UInt64) -> Int64 {
        Int64(15 + product % 41) * Milliseconds.day
    }

    package static let lapsedMilliseconds = 60 * Milliseconds.day
    package static let reviewMilliseconds = 3 * Milliseconds.day

    /// Three rules whose actions are decided, committed and counted, and delivered nowhere.
    package static var ruleSet: RuleSet {
        let periods = (0..<ReferenceWorkload.products)
            .map { ProductPeriod(product: "p\($0)", milliseconds: reorderMilliseconds(product: $0)) }
            .sorted { $0.product.utf8.lexicographicallyPrecedes($1.product.utf8) }
        return RuleSet(
            fulfilledOnPlaced: true,
            rules: [
                Rule(
                    name: lapsed, title: "Lapsed buyer", mechanic: .timeSinceLastPurchase(afterMilliseconds: lapsedMilliseconds),
                    action: .record),
                Rule(
                    name: reorder, title: "Reorder reminder",
                    mechanic: .regularConsumption(
                        ConsumptionPeriods(defaultMilliseconds: nil, perProduct: periods), aheadMilliseconds: 0),
                    action: .record),
                Rule(
                    name: review, title: "Review request", mechanic: .reviewRequest(afterMilliseconds: reviewMilliseconds),
                    action: .record),
            ])
    }
}
