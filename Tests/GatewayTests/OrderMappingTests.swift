import Gateway
import Model
import Testing

@Suite struct OrderMappingTests {
    static let changes: [(String, OrderEvent.Change)] = [
        ("Order Completed", .placed), ("Completed Order", .placed), ("order_completed", .placed), ("ORDER COMPLETED", .placed),
        ("orderCompleted", .placed), ("Order Updated", .updated), ("Order Paid", .paid), ("Order Shipped", .shipped),
        ("Order Fulfilled", .fulfilled), ("Order Delivered", .fulfilled), ("Order Cancelled", .cancelled),
        ("Order Canceled", .cancelled), ("Order Refunded", .refunded),
    ]

    @Test("every order event by its name", arguments: changes)
    func names(name: String, change: OrderEvent.Change) throws {
        let event = try mapped(track(name, "{\"order_id\":\"o1\"}"))
        #expect(event.customer == .user("7"))
        #expect(event.body == .order(OrderEvent(orderID: "o1", change: change, revenue: nil)))
    }

    @Test func `an order with everything`() throws {
        let event = try mapped(
            track(
                "Order Completed",
                """
                {"checkout_id":"c","order_id":50314,"affiliation":"shop","subtotal":22.5,"total":27.50,"revenue":"25.00",
                 "shipping":3,
                 "tax":2,"discount":2.5,"coupon":"hasbros","currency":"usd","products":[
                 {"product_id":"507f1","sku":"45790-32","name":"Monopoly: 3rd Edition","price":19,"quantity":1,
                   "category":"Games","brand":"Hasbro",
                  "variant":"big","position":1,"url":"https://x","image_url":"https://y","coupon":"p"},
                 {"sku":46493,"name":"Uno","price":"3.005","quantity":"2.0"}]}
                """))
        #expect(
            event.body
                == .order(
                    OrderEvent(
                        orderID: "50314", change: .placed, revenue: 2500,
                        lines: [
                            OrderLine(
                                product: Product(id: "507f1", name: "Monopoly: 3rd Edition", category: "Games", brand: "Hasbro"),
                                quantity: 1,
                                price: 1900),
                            OrderLine(product: Product(id: "46493", name: "Uno"), quantity: 2, price: 300),
                        ], coupon: "hasbros")))
    }

    static let revenues: [(String, String, Int64?)] = [
        ("Order Completed", "\"revenue\":10,\"total\":99", 1000), ("Order Completed", "\"revenue\":0", 0),
        ("Order Completed", "\"revenue\":null,\"total\":12,\"shipping\":1.5,\"tax\":0.5", 1000),
        ("Order Completed", "\"total\":12", 1200),
        ("Order Completed", "\"subtotal\":9.99,\"shipping\":5", 999),
        ("Order Completed", "\"products\":[{\"sku\":\"a\",\"price\":2.5,\"quantity\":3},{\"sku\":\"b\",\"price\":1}]", 850),
        ("Order Completed", "\"discount\":1.5,\"products\":[{\"sku\":\"a\",\"price\":2.5,\"quantity\":3}]", 600),
        ("Order Completed", "\"products\":[{\"sku\":\"a\"}]", nil), ("Order Completed", "\"products\":[]", nil),
        ("Order Completed", "\"products\":null", nil), ("Order Updated", "\"revenue\":\"7.00\"", 700),
        ("Order Refunded", "\"total\":3", 300),
        ("Order Refunded", "\"coupon\":\"x\"", nil), ("Order Refunded", "\"products\":[{\"sku\":\"a\",\"price\":4}]", 400),
    ]

    @Test("what an order is worth", arguments: revenues)
    func revenue(name: String, properties: String, expected: Int64?) throws {
        let event = try mapped(track(name, "{\"order_id\":\"o\",\(properties)}"))
        guard case .order(let order) = event.body else {
            Issue.record("not an order: \(event.body)")
            return
        }
        #expect(order.revenue == expected)
    }

    static let bad: [(String, FieldError.Code, String)] = [
        ("{}", .missing, "properties.order_id"), ("{\"order_id\":null}", .missing, "properties.order_id"),
        ("{\"order_id\":\"\"}", .invalid, "properties.order_id"), ("{\"order_id\":\"null\"}", .invalid, "properties.order_id"),
        ("{\"order_id\":true}", .invalid, "properties.order_id"),
        ("{\"order_id\":\"a\\u0000b\"}", .invalid, "properties.order_id"),
        ("{\"order_id\":\"\(String(repeating: "x", count: 129))\"}", .tooLarge, "properties.order_id"),
        ("{\"order_id\":1,\"revenue\":-1}", .outOfRange, "properties.revenue"),
        ("{\"order_id\":1,\"revenue\":\"-0.001\"}", .invalid, ""),
        ("{\"order_id\":1,\"revenue\":1e30}", .outOfRange, "properties.revenue"),
        ("{\"order_id\":1,\"revenue\":10000000000.01}", .outOfRange, "properties.revenue"),
        ("{\"order_id\":1,\"revenue\":\"ten\"}", .invalid, "properties.revenue"),
        ("{\"order_id\":1,\"revenue\":\"\"}", .invalid, "properties.revenue"),
        ("{\"order_id\":1,\"revenue\":[1]}", .invalid, "properties.revenue"),
        ("{\"order_id\":1,\"total\":-5}", .outOfRange, "properties.total"),
        ("{\"order_id\":1,\"total\":5,\"tax\":6}", .outOfRange, "properties.total"),
        ("{\"order_id\":1,\"revenue\":5,\"tax\":-6}", .outOfRange, "properties.tax"),
        ("{\"order_id\":1,\"currency\":\"EUR\",\"revenue\":1}", .wrongCurrency, "properties.currency"),
        ("{\"order_id\":1,\"products\":{}}", .invalid, "properties.products"),
        ("{\"order_id\":1,\"products\":[7]}", .invalid, "properties.products[0]"),
        ("{\"order_id\":1,\"products\":[{}]}", .missing, "properties.products[0].product_id"),
        (
            "{\"order_id\":1,\"products\":[{\"sku\":\"a\"},{\"sku\":\"b\",\"price\":-1}]}", .outOfRange,
            "properties.products[1].price"
        ),
        ("{\"order_id\":1,\"products\":[{\"sku\":\"a\",\"quantity\":0}]}", .outOfRange, "properties.products[0].quantity"),
        ("{\"order_id\":1,\"products\":[{\"sku\":\"a\",\"quantity\":0.5}]}", .outOfRange, "properties.products[0].quantity"),
        ("{\"order_id\":1,\"products\":[{\"sku\":\"a\",\"quantity\":-1}]}", .outOfRange, "properties.products[0].quantity"),
        ("{\"order_id\":1,\"products\":[{\"sku\":\"a\",\"quantity\":1000001}]}", .invalid, "properties.products[0].quantity"),
        (
            "{\"order_id\":1,\"products\":[{\"sku\":\"a\",\"quantity\":1000000,\"price\":9999999999}]}", .outOfRange,
            "properties.products[0].price"
        ),
        (
            "{\"order_id\":1,\"products\":[{\"sku\":\"a\",\"name\":\"\(String(repeating: "x", count: 257))\"}]}", .tooLarge,
            "properties.products[0].name"
        ),
    ]

    @Test("a bad order is refused with its field", arguments: bad.filter { !$0.2.isEmpty })
    func refuses(properties: String, code: FieldError.Code, field: String) throws {
        let error = try refused(track("Order Completed", properties))
        #expect(error?.code == code)
        #expect(error?.field == field)
        #expect(error?.message.isEmpty == false)
    }

    @Test func `a negative amount that rounds to nothing is nothing`() throws {
        let event = try mapped(track("Order Completed", "{\"order_id\":1,\"revenue\":\"-0.001\"}"))
        #expect(event.body == .order(OrderEvent(orderID: "1", change: .placed, revenue: 0)))
    }

    @Test func `I8 an order's lines are bounded`() throws {
        let order = { (count: Int) in
            track(
                "Order Completed",
                "{\"order_id\":1,\"products\":[\(Array(repeating: "{\"sku\":\"a\"}", count: count).joined(separator: ","))]}")
        }
        guard case .order(let accepted) = try mapped(order(Limits.orderLinesMax)).body else {
            Issue.record("not an order")
            return
        }
        #expect(accepted.lines.count == Limits.orderLinesMax)
        #expect(try refused(order(Limits.orderLinesMax + 1))?.field == "properties.products")
        #expect(try refused(order(10_000))?.code == .tooLarge)
    }

    @Test func `another currency's digits count`() throws {
        let yen = EventMapping(settings: EventMapping.Settings(timeMode: .live, currency: "JPY", currencyDigits: 0))
        let event = try mapped(track("Order Completed", "{\"order_id\":1,\"revenue\":1200,\"currency\":\"JPY\"}"), by: yen)
        #expect(event.body == .order(OrderEvent(orderID: "1", change: .placed, revenue: 1200)))
        #expect(try refused(track("Order Completed", "{\"order_id\":1,\"currency\":\"USD\"}"), by: yen)?.code == .wrongCurrency)
    }

    @Test func `part of an order cannot be refunded without an amount`() throws {
        let error = try refused(track("Order Refunded", "{\"order_id\":1,\"products\":[{\"sku\":\"a\"}]}"))
        #expect(error?.code == .missing)
        #expect(error?.field == "properties.revenue")
    }

    static let products: [(String, ProductEvent.Kind)] = [
        ("Product Viewed", .viewed), ("Viewed Product", .viewed), ("Product Clicked", .clicked), ("Product Added", .addedToCart),
        ("Added Product", .addedToCart), ("Product Removed", .removedFromCart), ("Removed Product", .removedFromCart),
        ("Product Added to Wishlist", .addedToWishlist), ("Product Removed from Wishlist", .removedFromWishlist),
        ("Wishlist Product Added to Cart", .addedToCart), ("Product Reviewed", .reviewed), ("Product Shared", .shared),
    ]

    @Test("every product event by its name", arguments: products)
    func productNames(name: String, kind: ProductEvent.Kind) throws {
        let event = try mapped(
            track(name, "{\"product_id\":\"p\",\"name\":\"N\",\"category\":\"C\",\"brand\":\"B\",\"price\":1.25,\"quantity\":2}"))
        #expect(
            event.body
                == .product(
                    ProductEvent(
                        kind: kind, product: Product(id: "p", name: "N", category: "C", brand: "B"), quantity: 2, price: 125)))
        #expect(try refused(track(name))?.field == "properties.product_id")
        #expect(try refused(track(name, "{\"product_id\":\"p\",\"currency\":\"EUR\"}"))?.field == "properties.currency")
    }
}
