import Model

/// One request of orders, made from dice: the same dice give the same bytes, so that it can be sent again.
struct OrderBatch: Sendable {
    private(set) var orders: [(id: String, order: Ledger.Order)] = []
    private var items: [String] = []

    var body: [UInt8] { Array(("{\"batch\":[" + items.joined(separator: ",") + "]}").utf8) }

    /// Who a customer is, with an address and consent; the same each time.
    mutating func identify(_ customer: String) {
        items.append(
            "{\"type\":\"identify\",\"messageId\":\"who-\(customer)\",\"userId\":\"\(customer)\",\"traits\":"
                + "{\"email\":\"\(customer)@shop.example\",\"consent\":{\"email\":true}}}")
    }

    mutating func order(_ id: String, customer: String, cents: Int64, product: Int) {
        let fraction = cents % 100
        let amount = "\(cents / 100).\(fraction < 10 ? "0" : "")\(fraction)"
        items.append(
            "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"order-\(id)\",\"userId\":\"\(customer)\","
                + "\"properties\":{\"order_id\":\"\(id)\",\"revenue\":\(amount),\"products\":"
                + "[{\"product_id\":\"p\(product)\",\"quantity\":1,\"price\":\(amount)}]}}")
        orders.append((id, Ledger.Order(customer: .user(customer), revenue: cents)))
    }
}
