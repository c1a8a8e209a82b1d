/// What the generator keeps of one buyer between two visits. Times are minutes since the shop's start.
struct Buyer {
    /// Of the next one; ``never`` = none.
    var purchase = Buyer.never
    var browse = Buyer.never
    var refill = Buyer.never
    /// What is to be bought again then.
    var refillProduct: UInt16 = 0
    var orders: UInt16 = 0
    var visits: UInt32 = 0
    var events: UInt32 = 0
    /// Of the newest order: when, what it is worth, and whether it may still be cancelled.
    var orderedAt: UInt32 = 0
    var orderedFor: UInt32 = 0
    var mayCancel = false
    /// Gave an address and may be written to.
    var reads = false
    /// Buys no more.
    var hasLeft = false

    static let never = UInt32.max

    var next: UInt32 { min(purchase, browse, refill) }
}

/// Random numbers of one buyer, or of one visit: a stretch of a stream of its own.
struct Draws {
    private let random: SplitMix
    private var position: UInt64
    /// Draws of a visit, more than it takes.
    private static let stride: UInt64 = 256

    init(seed: UInt64, customer: Int, visit: UInt32) {
        random = SplitMix(seed: SplitMix.mix(seed ^ SplitMix.mix(UInt64(customer) + 1)))
        position = UInt64(visit) * Self.stride
    }

    mutating func next() -> UInt64 {
        defer { position += 1 }
        return random.value(at: position)
    }

    /// 0 to `bound` - 1.
    mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) * UInt64(bound)) >> 32) }
    /// True so many times in a thousand.
    mutating func happens(_ perMille: Int) -> Bool { below(1000) < perMille }
    /// Exponentially distributed with this mean, at least 1.
    mutating func waiting(mean: Int64) -> Int64 { max(1, (mean * ShopTables.value(ShopTables.exponential, at: next())) >> 12) }
}

/// What a buyer is like, for good: from its number alone.
struct Character {
    /// Mean minutes between two purchases, and between two looks around.
    let purchaseMinutes: Int64
    let browseMinutes: Int64
    /// Of leaving after a purchase, in 65536ths.
    let dropout: Int64
    /// Categories that it looks at, the first most.
    let interests: (Int, Int, Int)
    let isRegistered: Bool
    let consents: Bool
    /// Minute of the first visit.
    let arrives: UInt32
    let buysAtOnce: Bool

    init(seed: UInt64, customer: Int, minutes: Int) {
        // Apart from all visits.
        var draws = Draws(seed: ~seed, customer: customer, visit: 0)
        purchaseMinutes = ShopTables.value(ShopTables.purchaseMinutes, at: draws.next())
        // Half of it follows how often it buys.
        let base = draws.waiting(mean: 25 * 1440)
        browseMinutes = max(600, base * purchaseMinutes / (base + purchaseMinutes))
        dropout = ShopTables.value(ShopTables.dropout, at: draws.next())
        interests = (draws.below(ShopGoods.categories), draws.below(ShopGoods.categories), draws.below(ShopGoods.categories))
        isRegistered = draws.happens(600)
        consents = draws.happens(700)
        // Two in five are there from the beginning and come within a month; the others come one by one.
        let known = draws.happens(400)
        arrives = UInt32(draws.below(known ? min(minutes, 30 * 1440) : minutes))
        buysAtOnce = draws.happens(550)
    }
}
