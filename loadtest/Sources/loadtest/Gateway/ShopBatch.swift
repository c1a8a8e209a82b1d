/// A request's body with a hundred events of a shop: orders, views, clicks. Made once; before each sending its numbers are
/// written over, so that no message or order id comes twice and making bodies costs next to nothing.
struct ShopBatch {
    private static let digits = 10

    private(set) var bytes: [UInt8] = []
    /// Where a number stands.
    private var places: [Int] = []

    /// `run` tells one run's ids from another's.
    init(events: Int, customers: UInt64, run: String) {
        text("{\"batch\":[")
        for index in 0..<events {
            if index > 0 { text(",") }
            let product =
                "\"product_id\":\"p\(Int.random(in: 0..<5000))\",\"name\":\"Green tea, 100 g\",\"category\":\"Tea\""
            let price = "\(Int.random(in: 1...200)).\(Int.random(in: 10...99))"
            switch index % 10 {
            case 0...2:
                begin("Order Completed", index, customers, run)
                text("\"order_id\":\"\(run)-")
                number()
                text("-\(index)\",\"products\":[{\(product),\"price\":\(price),\"quantity\":2}]}}")
            case 3...8:
                begin("Product Viewed", index, customers, run)
                text("\(product),\"price\":\(price)}}")
            default:
                begin("Email Link Clicked", index, customers, run)
                text("\"link_url\":\"https://shop.example/p\"}}")
            }
        }
        text("]}")
    }

    /// Writes this number, below 10^10, into every id.
    mutating func number(_ number: UInt64) {
        var digits = [UInt8](repeating: 0, count: Self.digits)
        var rest = number
        for index in digits.indices.reversed() {
            digits[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        for place in places { bytes.replaceSubrange(place..<place + Self.digits, with: digits) }
    }

    private mutating func begin(
        _ name: String, _ index: Int, _ customers: UInt64, _ run: String
    ) {
        let customer = UInt64.random(in: 0..<customers)
        text("{\"type\":\"track\",\"event\":\"\(name)\",\"userId\":\"c\(customer)\",\"timestamp\":\"2026-03-01T12:00:00Z\",")
        text("\"messageId\":\"\(run)-")
        number()
        text("-\(index)\",\"properties\":{")
    }

    private mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func number() {
        places.append(bytes.count)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: Self.digits))
    }
}
