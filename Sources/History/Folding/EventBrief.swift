internal import Model

extension HistoryEvent {
    /// An event in brief; nil for those that stand in the decision log (permit requests and outcomes).
    init?(_ event: Event, time: Instant) {
        self.init(customer: event.customer, time: time, kind: "", message: Halves(event.messageID))
        switch event.body {
        case .order(let order):
            kind = "order \(order.change)"
            orderID = order.orderID
            amount = order.revenue
            products = Self.brief(order.lines.map { ($0.product.id, $0.quantity) })
        case .product(let product):
            kind = "product \(product.kind.phrase)"
            products = Self.brief([(product.product.id, product.quantity)])
        case .engagement(let engagement):
            kind = "message \(engagement.kind.phrase)"
            text = engagement.channel.name
        case .identify(let identify):
            kind = "identified"
            let consents = identify.consents.map { "\($0.granted ? "may" : "may not") be written to by \($0.channel.name)" }
            text = Self.cut((identify.traits.map(\.name) + consents).joined(separator: ", "))
        case .named(let name, _): kind = Self.cut(name)
        case .alias(let previous):
            kind = "alias"
            text = previous.text
        case .permitRequest, .outcome: return nil
        }
    }

    private static func brief(_ products: [(id: String, quantity: Int64)]) -> String {
        cut(products.map { $0.quantity == 1 ? $0.id : "\($0.id) ×\($0.quantity)" }.joined(separator: ", "))
    }

    /// At most so many bytes, and a sign where more was left out.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > Limits.historyTextBytesMax else { return text }
        var kept = ""
        var bytes = 3
        for character in text.unicodeScalars {
            bytes += character.utf8.count
            guard bytes <= Limits.historyTextBytesMax else { break }
            kept.unicodeScalars.append(character)
        }
        return kept + "…"
    }
}

extension ProductEvent.Kind {
    fileprivate var phrase: String {
        switch self {
        case .viewed: "viewed"
        case .clicked: "clicked"
        case .addedToCart: "added to cart"
        case .removedFromCart: "removed from cart"
        case .addedToWishlist: "added to wishlist"
        case .removedFromWishlist: "removed from wishlist"
        case .reviewed: "reviewed"
        case .shared: "shared"
        }
    }
}

extension Engagement.Kind {
    fileprivate var phrase: String {
        switch self {
        case .delivered: "delivered"
        case .opened: "opened"
        case .clicked: "clicked"
        case .bounced: "bounced"
        case .markedAsSpam: "marked as spam"
        case .unsubscribed: "unsubscribed"
        }
    }
}
