package import Model

/// A rule set made ready for the hot loop: indices instead of names, tables instead of lists. Immutable; shared by the
/// shards of a process.
package final class CompiledRules: Sendable {
    package let set: RuleSet
    /// Enabled rules by mechanic, as indices into `set.rules`.
    let consumption: [Int]
    let lapse: [Int]
    let review: [Int]
    let upsell: [Int]
    let dates: [Int]
    let views: [Int]
    let carts: [Int]
    /// Rules about customers that come into the segment of this number.
    let entries: [UInt16: [Int]]
    /// By index into `set.rules`.
    let gists: [Gist]
    /// By open addressing over the id, which is a hash: the rule's index plus one; 0 = free.
    private let places: [UInt16]
    private let periods: [Int: [String: Int64]]
    private let goods: [GoodsSet]
    /// Of upsell rules, what they offer; else all.
    private let offers: [GoodsSet]
    let segments: SegmentProgram
    /// Whether events and wake-ups may change a customer's bytes where they stand: nothing in the set asks for more than
    /// counters, orders, purchases and the timers of the three mechanics that follow from these.
    let changesInPlace: Bool
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
        let isTransactional: Bool
        let hasRepeatLimit: Bool
        let postponeMilliseconds: Int64
        /// Of the mechanics that count from an occasion: how long after it; of the others 0.
        let afterMilliseconds: Int64
        /// Decides by the occasion alone, for an action that is only recorded: for it nobody needs to be bound.
        let decidesInPlace: Bool
        /// Of lapses: in hundredths of the customer's own interval.
        let rhythmPercent: Int64?

        init(_ rule: Rule) {
            id = rule.id
            enabled = rule.enabled
            channel = rule.action.channel
            hasSegments = !rule.inAll.isEmpty || !rule.inAny.isEmpty || !rule.inNone.isEmpty
            hasHours = rule.hours != nil
            isTransactional = rule.isTransactional
            hasRepeatLimit = rule.repeatLimit != nil
            if case .record = rule.action.channel {
                decidesInPlace = enabled && !hasSegments && !hasHours && !hasRepeatLimit
            } else {
                decidesInPlace = false
            }
            postponeMilliseconds = rule.postponeMilliseconds
            afterMilliseconds =
                switch rule.mechanic {
                case .regularConsumption, .personalDate: 0
                case .timeSinceLastPurchase(let after, _), .reviewRequest(let after), .upsell(let after, _),
                    .viewedProducts(_, _, let after), .abandonedCart(let after), .segmentEntered(_, let after):
                    after
                }
            if case .timeSinceLastPurchase(_, let percent) = rule.mechanic {
                rhythmPercent = percent
            } else {
                rhythmPercent = nil
            }
        }
    }

    package init(_ set: RuleSet) {
        self.set = set
        var consumption: [Int] = []
        var lapse: [Int] = []
        var review: [Int] = []
        var upsell: [Int] = []
        var dates: [Int] = []
        var views: [Int] = []
        var carts: [Int] = []
        var entries: [UInt16: [Int]] = [:]
        var periods: [Int: [String: Int64]] = [:]
        for (index, rule) in set.rules.enumerated() where rule.enabled {
            switch rule.mechanic {
            case .regularConsumption(let table, _):
                consumption.append(index)
                periods[index] = Dictionary(table.perProduct.map { ($0.product, $0.milliseconds) }) { first, _ in first }
            case .timeSinceLastPurchase: lapse.append(index)
            case .reviewRequest: review.append(index)
            case .upsell: upsell.append(index)
            case .personalDate: dates.append(index)
            case .viewedProducts: views.append(index)
            case .abandonedCart: carts.append(index)
            case .segmentEntered(let segment, _): entries[set.segments[Int(segment)].number, default: []].append(index)
            }
        }
        self.consumption = consumption
        self.lapse = lapse
        self.review = review
        self.upsell = upsell
        self.dates = dates
        self.views = views
        self.carts = carts
        self.entries = entries
        offers = set.rules.map { rule in
            if case .upsell(_, let offers) = rule.mechanic { GoodsSet(offers) } else { GoodsSet(Goods()) }
        }
        self.periods = periods
        gists = set.rules.map(Gist.init)
        places = Self.places(gists)
        goods = set.rules.map { GoodsSet($0.goods) }
        segments = SegmentProgram(set)
        changesInPlace = set.changesInPlace
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

    func isEnabled(_ id: RuleID) -> Bool { index(of: id).map { gists[$0].enabled } ?? false }

    func rule(_ id: RuleID) -> Rule? { index(of: id).map { set.rules[$0] } }

    /// How long after its purchase a product's reminder is due, by the consumption rule at this index; nil = not its goods.
    func reminderDelay(rule index: Int, product: Product) -> Int64? {
        guard case .regularConsumption(_, let ahead) = set.rules[index].mechanic else { return nil }
        return period(rule: index, product: product).map { max($0 - ahead, 0) }
    }

    /// How long one piece of the product lasts by that rule; nil = not its goods.
    private func period(rule index: Int, product: Product) -> Int64? {
        guard case .regularConsumption(let table, _) = set.rules[index].mechanic else { return nil }
        if let own = periods[index]?[product.id] { return own }
        guard let period = table.defaultMilliseconds, concerns(rule: index, product: product) else { return nil }
        return period
    }

    /// The same for so many pieces, by a rule that counts them; nil = it does not, or they are not its goods.
    func reminderDelay(rule index: Int, product: Product, pieces: Int64) -> Int64? {
        guard case .regularConsumption(let table, let ahead) = set.rules[index].mechanic, table.isPerPiece,
            let period = period(rule: index, product: product)
        else { return nil }
        return max(min(period * max(min(pieces, Limits.piecesCountedMax), 1), Limits.lastingMillisecondsMax) - ahead, 0)
    }

    /// Whether the upsell rule's offers hold the product; a rule that names none offers nothing in particular.
    func offers(rule index: Int, product: Product) -> Bool { !offers[index].isAll && offers[index].contains(product) }

    /// Whether the product is among the rule's goods; no goods named = all.
    func concerns(rule index: Int, product: Product) -> Bool { goods[index].contains(product) }

    /// Whether the rule names goods at all.
    func hasGoods(rule index: Int) -> Bool { !goods[index].isAll }
}
