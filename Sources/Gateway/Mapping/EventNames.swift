package import Model

/// What the name of a `track` call means. Case, blanks, `_` and `-` do not matter: `order_completed` is `Order Completed`.
package enum EventMeaning: Equatable, Sendable {
    case order(OrderEvent.Change)
    case product(ProductEvent.Kind)
    case engagement(Engagement.Kind)
    /// Kept as it is.
    case named

    package init(name: String) {
        self = Self.table[Self.folded(name)] ?? .named
    }

    /// The same of a name's bytes; sooner for a name that is spelled as in ``names``.
    init(name: UnsafeBufferPointer<UInt8>) {
        self = unsafe Self.spelled.meaning(name) ?? EventMeaning(name: String(decoding: name, as: UTF8.self))
    }

    /// Names as the specification writes them, and what they mean.
    package static let names: [(name: String, meaning: EventMeaning)] = [
        ("Order Completed", .order(.placed)), ("Completed Order", .order(.placed)), ("Order Updated", .order(.updated)),
        ("Order Paid", .order(.paid)), ("Order Shipped", .order(.shipped)), ("Order Fulfilled", .order(.fulfilled)),
        ("Order Delivered", .order(.fulfilled)), ("Order Cancelled", .order(.cancelled)), ("Order Canceled", .order(.cancelled)),
        ("Order Refunded", .order(.refunded)),
        ("Product Viewed", .product(.viewed)), ("Viewed Product", .product(.viewed)), ("Product Clicked", .product(.clicked)),
        ("Product Added", .product(.addedToCart)), ("Added Product", .product(.addedToCart)),
        ("Product Removed", .product(.removedFromCart)), ("Removed Product", .product(.removedFromCart)),
        ("Product Added to Wishlist", .product(.addedToWishlist)),
        ("Product Removed from Wishlist", .product(.removedFromWishlist)),
        ("Wishlist Product Added to Cart", .product(.addedToCart)), ("Product Reviewed", .product(.reviewed)),
        ("Product Shared", .product(.shared)),
        ("Email Delivered", .engagement(.delivered)), ("Email Opened", .engagement(.opened)),
        ("Email Link Clicked", .engagement(.clicked)), ("Email Bounced", .engagement(.bounced)),
        ("Email Marked as Spam", .engagement(.markedAsSpam)), ("Unsubscribed", .engagement(.unsubscribed)),
    ]

    private static let spelled = SpelledNames(names)

    private static let table = Dictionary(
        names.map { (folded($0.name), $0.meaning) }, uniquingKeysWith: { first, _ in first })

    private static func folded(_ name: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.utf8.count)
        for byte in name.utf8 where byte != 0x20 && byte != UInt8(ascii: "_") && byte != UInt8(ascii: "-") {
            bytes.append(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 32 : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Meanings by the very bytes of a name: open addressing over their hashes.
private struct SpelledNames: Sendable {
    private let names: [(bytes: [UInt8], meaning: EventMeaning)]
    /// Positions in `names` plus one; 0 = free. Twice as many as names at the least.
    private var places: [Int]

    init(_ all: [(name: String, meaning: EventMeaning)]) {
        names = all.map { (Array($0.name.utf8), $0.meaning) }
        var count = 16
        while count < 2 * names.count { count *= 2 }
        places = [Int](repeating: 0, count: count)
        for (index, name) in names.enumerated() {
            var place = Int(truncatingIfNeeded: Hashing.hash64(name.bytes)) & (count - 1)
            while places[place] != 0 { place = (place + 1) & (count - 1) }
            places[place] = index + 1
        }
    }

    func meaning(_ name: UnsafeBufferPointer<UInt8>) -> EventMeaning? {
        var place = Int(truncatingIfNeeded: unsafe Hashing.hash64(UnsafeRawBufferPointer(name))) & (places.count - 1)
        while places[place] != 0 {
            let known = names[places[place] - 1]
            if unsafe known.bytes.count == name.count && known.bytes.elementsEqual(name) { return known.meaning }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }
}
