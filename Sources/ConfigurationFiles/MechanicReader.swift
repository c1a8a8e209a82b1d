internal import Model

/// What makes a rule act, and the fields that belong to it.
struct MechanicReader {
    let fields: Fields
    let report: Report
    let goods: Goods
    let segments: SegmentNames
    let remembered: Remembered
    let table: (Value, String) -> Source?

    private enum Kind {
        case regularConsumption, timeSinceLastPurchase, reviewRequest, upsell, personalDate, viewedProducts, abandonedCart
        case segmentEntered
    }

    private static let kinds: KeyValuePairs<String, Kind> = [
        "regular_consumption": .regularConsumption, "time_since_last_purchase": .timeSinceLastPurchase,
        "review_request": .reviewRequest, "upsell": .upsell, "personal_date": .personalDate,
        "viewed_products": .viewedProducts, "abandoned_cart": .abandonedCart, "segment_entered": .segmentEntered,
    ]

    static let names = kinds.map(\.key)

    /// Every field that belongs to some mechanic and not to all.
    static let fields = [
        "period", "periods", "periods_file", "ahead", "per_piece", "after", "rhythm", "offers", "trait", "before", "behind", "at",
        "times", "in", "segment",
    ]

    /// Those of one mechanic; and whether it is about goods.
    private static func own(_ kind: Kind) -> (fields: [String], areGoods: Bool) {
        switch kind {
        case .regularConsumption: (["period", "periods", "periods_file", "ahead", "per_piece"], true)
        case .timeSinceLastPurchase: (["after", "rhythm"], false)
        case .reviewRequest: (["after"], true)
        case .upsell: (["after", "offers"], true)
        case .personalDate: (["trait", "before", "behind", "at"], false)
        case .viewedProducts: (["times", "in", "after"], true)
        case .abandonedCart: (["after"], false)
        case .segmentEntered: (["segment", "after"], false)
        }
    }

    /// The trait of a date, and the minute of the day, of rules that name none.
    static let usualTrait = ConditionWords.birthdayTrait
    static let usualMinute: UInt16 = 10 * 60

    func read() -> Mechanic? {
        guard let value = fields.required("mechanic"), let kind = report.choice(value, Self.kinds) else { return nil }
        refuseOthers(kind)
        switch kind {
        case .regularConsumption:
            return ConsumptionReader(fields: fields, report: report, goods: goods, table: table).read()
        case .timeSinceLastPurchase: return lapse()
        case .reviewRequest: return after(0).map { .reviewRequest(afterMilliseconds: $0) }
        case .upsell: return upsell()
        case .personalDate: return date()
        case .viewedProducts: return views(value)
        case .abandonedCart:
            guard remembered.keeps(.addedToCart, for: value.place, value.path), let after = after(1),
                let place = fields.optional("after")
            else { return nil }
            return remembers(after, place, [.addedToCart]) ? .abandonedCart(afterMilliseconds: after) : nil
        case .segmentEntered:
            let segment = fields.required("segment").flatMap { segments.index($0) }
            guard let after = after(0, or: 0), let segment else { return nil }
            return .segmentEntered(segment, afterMilliseconds: after)
        }
    }

    private func refuseOthers(_ kind: Kind) {
        let own = Self.own(kind)
        let list = own.fields.dropLast().joined(separator: ", ")
        let last = own.fields.last ?? ""
        let taken = list.isEmpty ? last : "\(list) and \(last)"
        let refused = Self.fields.filter { !own.fields.contains($0) } + (own.areGoods ? [] : ["goods"])
        for name in refused {
            guard let value = fields.optional(name) else { continue }
            report.add(value, "does not belong to \(ConditionWords.word(kind, in: Self.kinds)); it takes \(taken)")
        }
    }

    /// How long after the occasion; required when nothing is said that stands for it.
    private func after(_ minimum: Int64, or usual: Int64? = nil) -> Int64? {
        if let usual, fields.optional("after") == nil { return usual }
        return fields.required("after").flatMap { report.duration($0, atLeast: minimum) }
    }

    /// Whether all of these are remembered for so long.
    private func remembers(_ period: Int64, _ value: Value, _ acts: [Act]) -> Bool {
        acts.allSatisfy { remembered.check(period, isIn: remembered.memory.milliseconds(of: $0), value, $0) }
    }

    private func lapse() -> Mechanic? {
        let after = after(1)
        let rhythm = fields.optional("rhythm").map { report.percent($0, min: 1, max: Limits.percentMax) }
        if case .some(nil) = rhythm { return nil }
        return after.map { .timeSinceLastPurchase(afterMilliseconds: $0, rhythmPercent: rhythm ?? nil) }
    }

    private func upsell() -> Mechanic? {
        let after = after(0, or: 0)
        var offers = Goods()
        if let value = fields.optional("offers") {
            let read = Fields(value, allowed: ConditionWords.goods, report: report).flatMap {
                report.goods($0, max: Limits.goodsPerConditionMax)
            }
            guard let read else { return nil }
            offers = read
            let isAlwaysThere =
                !goods.isEmpty && goods.products.allSatisfy(offers.products.contains)
                && goods.categories.allSatisfy(offers.categories.contains) && goods.brands.allSatisfy(offers.brands.contains)
            if isAlwaysThere {
                report.add(value, "holds all of the rule's goods: every order that it is about holds an offer already")
                return nil
            }
        }
        return after.map { .upsell(afterMilliseconds: $0, offers: offers) }
    }

    private func date() -> Mechanic? {
        let trait = fields.optional("trait").map { report.line($0) } ?? Self.usualTrait
        let before = fields.optional("before").map { report.days($0, max: Limits.anniversaryDaysMax) } ?? 0
        let behind = fields.optional("behind").map { report.days($0, max: Limits.anniversaryDaysMax) } ?? 0
        let minute = fields.optional("at").map { report.minute($0, last: 1439) } ?? Self.usualMinute
        if let value = fields.optional("behind"), fields.optional("before") != nil {
            report.add(value, "stands beside before; a rule acts either before the day or behind it")
            return nil
        }
        guard let trait, let before, let behind, let minute else { return nil }
        return .personalDate(trait: trait, daysBefore: before - behind, minute: minute)
    }

    private func views(_ value: Value) -> Mechanic? {
        let times = fields.required("times").flatMap { report.integer($0, in: 1...Int64(Limits.browsingKeptMax)) }
        let within = fields.required("in").flatMap { report.duration($0, atLeast: 1) }
        let after = after(0)
        guard [Act.viewed, .bought].allSatisfy({ remembered.keeps($0, for: value.place, value.path) }),
            let times, let within, let after, let place = fields.optional("in"), let delay = fields.optional("after"),
            // Who bought meanwhile is left out: that must be known until then.
            remembers(within, place, [.viewed, .bought]), remembers(after, delay, [.bought])
        else { return nil }
        return .viewedProducts(times: times, within: within, afterMilliseconds: after)
    }
}
