/// What makes a rule act.
package enum Mechanic: Equatable, Sendable {
    /// A product lasts so long after it was bought (fulfilled); remind `ahead` of its end. A new purchase of the product
    /// starts anew.
    case regularConsumption(ConsumptionPeriods, aheadMilliseconds: Int64)
    /// So long after the last order; once per lapse. With a rhythm: after so many hundredths of the customer's own mean
    /// interval, for those with three orders or more.
    case timeSinceLastPurchase(afterMilliseconds: Int64, rhythmPercent: Int64? = nil)
    /// So long after an order was fulfilled; once per order.
    case reviewRequest(afterMilliseconds: Int64)
    /// So long after one of the rule's goods was ordered, as long as the order can still take something: not once it is
    /// shipped, and not when it holds one of `offers` already. Once per order.
    case upsell(afterMilliseconds: Int64, offers: Goods)
    /// Each year, so many days before (negative: behind) the day that a trait holds, at a minute of the customer's local
    /// day. Of 29 February, in other years, 1 March.
    case personalDate(trait: String, daysBefore: Int64, minute: UInt16)
    /// So long after a product of the rule's goods was viewed for the n-th time within the period, unless it was bought
    /// meanwhile; a further view starts anew.
    case viewedProducts(times: Int64, within: Int64, afterMilliseconds: Int64)
    /// So long after something was last put into the cart, unless there was an order meanwhile.
    case abandonedCart(afterMilliseconds: Int64)
    /// So long after the customer came into the segment of this index, unless it has left it meanwhile.
    case segmentEntered(UInt16, afterMilliseconds: Int64)

    /// The field's name of the mechanic, as it stands in files.
    package var name: String {
        switch self {
        case .regularConsumption: "regular_consumption"
        case .timeSinceLastPurchase: "time_since_last_purchase"
        case .reviewRequest: "review_request"
        case .upsell: "upsell"
        case .personalDate: "personal_date"
        case .viewedProducts: "viewed_products"
        case .abandonedCart: "abandoned_cart"
        case .segmentEntered: "segment_entered"
        }
    }
}

package struct ConsumptionPeriods: Equatable, Sendable {
    /// For every product of the rule's goods that has no period of its own; nil = those have none.
    package var defaultMilliseconds: Int64?
    /// By product id ascending.
    package var perProduct: [ProductPeriod]
    /// What was bought lasts so many times as long as pieces of it were in the order.
    package var isPerPiece: Bool

    package init(defaultMilliseconds: Int64?, perProduct: [ProductPeriod] = [], isPerPiece: Bool = false) {
        self.defaultMilliseconds = defaultMilliseconds
        self.perProduct = perProduct
        self.isPerPiece = isPerPiece
    }
}

package struct ProductPeriod: Equatable, Sendable {
    package var product: String
    package var milliseconds: Int64

    package init(product: String, milliseconds: Int64) {
        self.product = product
        self.milliseconds = milliseconds
    }
}

/// Which goods a rule or condition is about: these products, all of these categories, all of these brands; all empty = all.
package struct Goods: Hashable, Sendable {
    package var products: [String]
    package var categories: [String]
    package var brands: [String]

    package init(products: [String] = [], categories: [String] = [], brands: [String] = []) {
        self.products = products
        self.categories = categories
        self.brands = brands
    }

    /// Names nothing, and so means all.
    package var isEmpty: Bool { products.isEmpty && categories.isEmpty && brands.isEmpty }
}

/// At most so many in any stretch of so long.
package struct RateLimit: Equatable, Sendable {
    package var count: Int64
    package var windowMilliseconds: Int64

    package init(count: Int64, windowMilliseconds: Int64) {
        self.count = count
        self.windowMilliseconds = windowMilliseconds
    }
}

/// How often one customer may be written to, over all rules that are not transactional.
package struct ContactLimit: Equatable, Sendable {
    /// Nil = over all channels.
    package var channel: Channel?
    package var rate: RateLimit

    package init(channel: Channel?, rate: RateLimit) {
        self.channel = channel
        self.rate = rate
    }
}
