// The elements of the lists that most events change, as they stand in a customer's bytes. Whoever looks for one reads no
// more of the others than how long they are.

/// An order: flags (1), placed (6), changed (6, when it was), revenue (4, or 8 when it is wide), length of the id (1), the id,
/// who is credited (16, when somebody is).
enum PackedOrder {
    /// The bits of the flags in which the state stands.
    static let state: UInt8 = 0x07
    static let wide: UInt8 = 0x08
    static let changed: UInt8 = 0x10
    static let fulfilled: UInt8 = 0x20
    static let credited: UInt8 = 0x40
    static let awaitsWorth: UInt8 = 0x80

    /// From the beginning to the id's length.
    @inline(__always)
    static func idOffset(_ flags: UInt8) -> Int { 11 + (flags & changed != 0 ? 6 : 0) + (flags & wide != 0 ? 4 : 0) }
    /// Behind the id.
    @inline(__always)
    static func tailCount(_ flags: UInt8) -> Int { flags & credited != 0 ? 16 : 0 }
}

/// A purchase: product (3), last (6).
enum PackedPurchase {
    static let last = 3
    static let count = 9
}

/// A timer: tag (1), rule (4), due (6), anchor (6), first due (6, when it was postponed); then what it is about: nothing, a
/// product (3), the length of an order's id (1) and the id, a day (8), or a segment (2).
enum PackedTimer {
    static let lapse: UInt8 = 0
    static let product: UInt8 = 1
    static let order: UInt8 = 2
    static let offer: UInt8 = 3
    static let date: UInt8 = 4
    static let views: UInt8 = 5
    static let cart: UInt8 = 6
    static let segment: UInt8 = 7
    static let postponed: UInt8 = 0x80

    static let rule = 1
    static let due = 5
    static let anchor = 11
    /// Of all but its occasion and what was postponed.
    static let count = 17
    static let postponedCount = 6
}
