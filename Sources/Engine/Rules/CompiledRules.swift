package import Model

/// A rule set made ready for the hot loop: indices instead of names, tables instead of lists. Immutable; shared by the
/// shards of a process.
package final class CompiledRules: Sendable {
    package let set: RuleSet
    /// Enabled rules by mechanic, as indices into `set.rules`.
    let consumption: [Int]
    let lapse: [Int]
    let review: [Int]
    private let indexByID: [RuleID: Int]
    private let periods: [Int: [String: Int64]]
    private let goods: [GoodsLookup]

    private struct GoodsLookup: Sendable {
        let products: Set<String>
        let categories: Set<String>
    }

    package init(_ set: RuleSet) {
        self.set = set
        var consumption: [Int] = []
        var lapse: [Int] = []
        var review: [Int] = []
        var periods: [Int: [String: Int64]] = [:]
        for (index, rule) in set.rules.enumerated() where rule.enabled {
            switch rule.mechanic {
            case .regularConsumption(let table, _):
                consumption.append(index)
                periods[index] = Dictionary(table.perProduct.map { ($0.product, $0.milliseconds) }) { first, _ in first }
            case .timeSinceLastPurchase: lapse.append(index)
            case .reviewRequest: review.append(index)
            }
        }
        self.consumption = consumption
        self.lapse = lapse
        self.review = review
        self.periods = periods
        indexByID = Dictionary(set.rules.enumerated().map { ($1.id, $0) }) { first, _ in first }
        goods = set.rules.map { GoodsLookup(products: Set($0.goods.products), categories: Set($0.goods.categories)) }
    }

    func rule(_ id: RuleID) -> Rule? {
        indexByID[id].map { set.rules[$0] }
    }

    /// How long after its purchase a product's reminder is due, by the consumption rule at this index; nil = not its goods.
    func reminderDelay(rule index: Int, product: Product) -> Int64? {
        guard case .regularConsumption(let table, let ahead) = set.rules[index].mechanic else { return nil }
        if let own = periods[index]?[product.id] { return max(own - ahead, 0) }
        guard let period = table.defaultMilliseconds, concerns(rule: index, product: product) else { return nil }
        return max(period - ahead, 0)
    }

    /// Whether the product is among the rule's goods; no goods named = all.
    func concerns(rule index: Int, product: Product) -> Bool {
        let goods = goods[index]
        if goods.products.isEmpty && goods.categories.isEmpty { return true }
        return goods.products.contains(product.id) || goods.categories.contains(product.category)
    }

    /// Whether the rule names goods at all.
    func hasGoods(rule index: Int) -> Bool {
        !goods[index].products.isEmpty || !goods[index].categories.isEmpty
    }
}
