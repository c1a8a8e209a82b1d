package import Model

/// A shop whose buyers were never asked: the same ones from three numbers, on every machine.
///
/// Buyers buy at a rate of their own (gamma-distributed over them) and leave after a purchase with a probability of their
/// own (beta-distributed): BG/NBD. Beside that they look around, fill carts and leave them, open and click e-mails, consent
/// and take it back, and buy again what is used up, each product after its own time.
package struct ShopWorkload: Hashable, Sendable {
    package let customers: Int
    package let days: Int
    package let seed: UInt64

    package static let customersMax = 50_000_000
    package static let daysMax = 730
    /// 2024-01-01T00:00:00Z.
    package static let start = Instant(milliseconds: 1_704_067_200_000)
    /// When the review that the shop's first rule asks for is due after an order; `docs/examples/shop` says the same.
    package static let reviewMilliseconds = 7 * Milliseconds.day
    package static let reviewRule = "review"

    /// Nil unless both numbers are at least 1 and at most those above.
    package init?(customers: Int, days: Int, seed: UInt64 = 42) {
        guard (1...Self.customersMax).contains(customers), (1...Self.daysMax).contains(days) else { return nil }
        self.customers = customers
        self.days = days
        self.seed = seed
    }

    /// Behind the last event: the instant of the closing clock record.
    package var closing: Instant { Self.start + Int64(days) * Milliseconds.day }
    package var hours: Int { days * 24 }
}

/// What the shop sells, from the product's number alone.
package enum ShopGoods {
    package static let products = 5000
    package static let categories = 40
    package static let brands = 200
    /// Categories below are used up.
    package static let consumableCategories = 16

    package static func category(_ product: Int) -> Int { product % categories }
    package static func brand(_ product: Int) -> Int { Int(SplitMix.mix(UInt64(product) + 1) % UInt64(brands)) }
    /// Minor units: 0.99 to 180.98, most of it cheap.
    package static func price(_ product: Int) -> Int64 {
        let random = SplitMix.mix(UInt64(product) + 100_001)
        let square = Int64(((random & 0xffff) * (random >> 16 & 0xffff)) >> 16)
        return 99 + (square * 18_000) >> 16
    }
    /// How long a piece of a consumable lasts; nil = it is not used up.
    package static func periodDays(_ product: Int) -> Int? {
        guard category(product) < consumableCategories else { return nil }
        return 14 + Int(SplitMix.mix(UInt64(product) + 200_001) % 61)
    }

    /// By number.
    static let all: [Product] = (0..<products).map {
        Product(id: "p\($0)", name: "Article \($0)", category: "c\(category($0))", brand: "b\(brand($0))")
    }
}

/// What the shop has sent, counted where it was made: what a system that was given all of it must have found out.
package struct ShopTally: Equatable, Sendable {
    /// Those who have come at least once.
    package var customers: Int64 = 0
    package var events: Int64 = 0
    /// Placed and not cancelled, and what they are worth in minor units.
    package var orders: Int64 = 0
    package var revenue: Int64 = 0
    package var cancelled: Int64 = 0
    /// Orders whose review was due by the closing and that were not cancelled before.
    package var reviews: Int64 = 0
    package var views: Int64 = 0
    package var addedToCart: Int64 = 0
    package var opened: Int64 = 0
    package var clicked: Int64 = 0
    package var identified: Int64 = 0
    package var unsubscribed: Int64 = 0

    package init() {}
}
