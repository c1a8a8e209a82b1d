package import Model

/// A rule set made ready for the hot loop: indices instead of names, tables instead of lists. Immutable; shared by the
/// shards of a process.
package final class CompiledRules: Sendable {
    package let set: RuleSet
    /// Enabled rules by mechanic, as indices into `set.rules`.
    let consumption: [Int]
    let lapse: [Int]
    let review: [Int]
    /// By index into `set.rules`.
    let gists: [Gist]
    /// By open addressing over the id, which is a hash: the rule's index plus one; 0 = free.
    private let places: [UInt16]
    private let periods: [Int: [String: Int64]]
    private let goods: [GoodsLookup]
    /// Whether a new order can be applied where the customer's bytes stand: no rule asks for more of its lines than which
    /// products they name.
    let placesInPlace: Bool
    /// The set's currency.
    let currency: [UInt8]

    /// What most decisions ask of a rule, without its texts and lists.
    struct Gist: Sendable {
        let id: RuleID
        let enabled: Bool
        let channel: Channel
        /// Only for customers of certain segments; only at certain hours.
        let hasSegments: Bool
        let hasHours: Bool
        let postponeMilliseconds: Int64
        /// Of the mechanics that count from an occasion: how long after it; of the others 0.
        let afterMilliseconds: Int64
        /// Decides by the occasion alone, for an action that is only recorded: for it nobody needs to be bound.
        let decidesInPlace: Bool

        init(_ rule: Rule) {
            id = rule.id
            enabled = rule.enabled
            channel = rule.action.channel
            hasSegments = !rule.inAll.isEmpty || !rule.inAny.isEmpty || !rule.inNone.isEmpty
            hasHours = rule.hours != nil
            if case .record = rule.action.channel {
                decidesInPlace = enabled && !hasSegments && !hasHours
            } else {
                decidesInPlace = false
            }
            postponeMilliseconds = rule.postponeMilliseconds
            afterMilliseconds =
                switch rule.mechanic {
                case .regularConsumption: 0
                case .timeSinceLastPurchase(let after), .reviewRequest(let after): after
                }
        }
    }

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
        gists = set.rules.map(Gist.init)
        places = Self.places(gists)
        goods = set.rules.map { GoodsLookup(products: Set($0.goods.products), categories: Set($0.goods.categories)) }
        let named = goods
        placesInPlace = review.allSatisfy { named[$0].products.isEmpty && named[$0].categories.isEmpty }
        currency = Array(set.currency.utf8)
    }

    /// The first rule of each id by its place.
    private static func places(_ gists: [Gist]) -> [UInt16] {
        var size = 8
        while size < 2 * gists.count + 1 { size *= 2 }
        var places = [UInt16](repeating: 0, count: size)
        for (index, gist) in gists.enumerated() {
            var place = Int(gist.id.number) & (size - 1)
            while places[place] != 0 && gists[Int(places[place]) - 1].id != gist.id { place = (place + 1) & (size - 1) }
            if places[place] == 0 { places[place] = UInt16(index + 1) }
        }
        return places
    }

    /// Index of the rule, nil when there is none of this id.
    func index(of id: RuleID) -> Int? {
        var place = Int(id.number) & (places.count - 1)
        while places[place] != 0 {
            let index = Int(places[place]) - 1
            if gists[index].id.number == id.number { return index }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    func rule(_ id: RuleID) -> Rule? { index(of: id).map { set.rules[$0] } }

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
