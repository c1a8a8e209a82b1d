internal import Model

/// The properties of an order event, and of a product event.
enum OrderMapping {
    static func order(
        _ change: OrderEvent.Change, _ properties: JSONValue?, settings: EventMapping.Settings
    ) throws(FieldError) -> OrderEvent {
        let path = "properties."
        guard let (value, name) = FieldReading.first(properties, ["order_id", "orderId"]) else {
            throw FieldError(.missing, path + "order_id", "is needed")
        }
        let id = try FieldReading.text(value, at: path + name, bytesMax: Limits.identifierBytesMax)
        guard !Placeholders.contains(id) else { throw FieldError(.invalid, path + name, "\"\(id)\" names no order") }
        try checkCurrency(properties, settings: settings)
        let lines = try lines(properties, digits: settings.currencyDigits)
        return OrderEvent(
            orderID: id, change: change, revenue: try revenue(change, properties, lines: lines, digits: settings.currencyDigits),
            lines: lines, coupon: try FieldReading.text(properties, "coupon", at: path, bytesMax: Limits.nameBytesMax))
    }

    static func product(
        _ kind: ProductEvent.Kind, _ properties: JSONValue?, settings: EventMapping.Settings
    ) throws(FieldError) -> ProductEvent {
        try checkCurrency(properties, settings: settings)
        let line = try line(properties, at: "properties.", digits: settings.currencyDigits)
        return ProductEvent(kind: kind, product: line.product, quantity: line.quantity, price: line.price)
    }

    private static func checkCurrency(_ properties: JSONValue?, settings: EventMapping.Settings) throws(FieldError) {
        let currency = try FieldReading.text(properties, "currency", at: "properties.", bytesMax: 16)
        guard currency.isEmpty || currency.uppercased() == settings.currency.uppercased() else {
            throw FieldError(
                .wrongCurrency, "properties.currency", "is \(currency); this installation counts in \(settings.currency) alone")
        }
    }

    private static func lines(_ properties: JSONValue?, digits: Int) throws(FieldError) -> [OrderLine] {
        guard let products = FieldReading.member(properties, "products") else { return [] }
        guard products.kind == .array else { throw FieldError(.invalid, "properties.products", "must be an array") }
        let values = Array(products.elements)
        guard values.count <= Limits.orderLinesMax else {
            throw FieldError(
                .tooLarge, "properties.products", "has \(values.count) items; at most \(Limits.orderLinesMax) are allowed")
        }
        var lines: [OrderLine] = []
        lines.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard value.kind == .object else {
                throw FieldError(.invalid, "properties.products[\(index)]", "must be an object")
            }
            lines.append(try line(value, at: "properties.products[\(index)].", digits: digits))
        }
        return lines
    }

    private static func line(_ value: JSONValue?, at path: String, digits: Int) throws(FieldError) -> OrderLine {
        guard let (id, name) = FieldReading.first(value, ["product_id", "productId", "sku"]) else {
            throw FieldError(.missing, path + "product_id", "is needed, or sku")
        }
        let product = Product(
            id: try FieldReading.text(id, at: path + name, bytesMax: Limits.identifierBytesMax),
            name: try FieldReading.text(value, "name", at: path, bytesMax: Limits.nameBytesMax),
            category: try FieldReading.text(value, "category", at: path, bytesMax: Limits.nameBytesMax),
            brand: try FieldReading.text(value, "brand", at: path, bytesMax: Limits.nameBytesMax))
        guard !Placeholders.contains(product.id) else {
            throw FieldError(.invalid, path + name, "\"\(product.id)\" names no product")
        }
        return OrderLine(
            product: product, quantity: try FieldReading.quantity(value, at: path),
            price: try FieldReading.money(value, "price", at: path, digits: digits) ?? 0)
    }

    /// Goods without shipping and tax, after discounts: `revenue` as given; else `total` less `shipping` and `tax`; else
    /// `subtotal`; else the sum of the lines less `discount`. A refund has no discount of its own.
    private static func revenue(
        _ change: OrderEvent.Change, _ properties: JSONValue?, lines: [OrderLine], digits: Int
    ) throws(FieldError) -> Int64? {
        func amount(_ name: StaticString) throws(FieldError) -> Int64? {
            try FieldReading.money(properties, name, at: "properties.", digits: digits)
        }
        let revenue = try amount("revenue")
        let total = try amount("total")
        let subtotal = try amount("subtotal")
        let shipping = try amount("shipping") ?? 0
        let tax = try amount("tax") ?? 0
        let discount = try amount("discount") ?? 0
        if let revenue { return revenue }
        if let total {
            guard total >= shipping + tax else {
                throw FieldError(.outOfRange, "properties.total", "is less than shipping and tax together")
            }
            return total - shipping - tax
        }
        if let subtotal { return subtotal }
        guard !lines.isEmpty else { return nil }
        let sum = try sum(of: lines)
        if change == .refunded {
            guard sum > 0 else {
                throw FieldError(.missing, "properties.revenue", "is needed, or total, or prices: part of an order is refunded")
            }
            return sum
        }
        guard sum > 0 else { return nil }
        guard sum >= discount else {
            throw FieldError(.outOfRange, "properties.discount", "is more than the products' prices together")
        }
        return sum - discount
    }

    private static func sum(of lines: [OrderLine]) throws(FieldError) -> Int64 {
        var sum: Int64 = 0
        for (index, line) in lines.enumerated() {
            let (cost, overflow) = line.price.multipliedReportingOverflow(by: line.quantity)
            guard !overflow, cost <= Limits.moneyMax - sum else {
                throw FieldError(
                    .outOfRange, "properties.products[\(index)].price",
                    "makes the order worth more than \(Limits.moneyMax) minor units")
            }
            sum += cost
        }
        return sum
    }
}
