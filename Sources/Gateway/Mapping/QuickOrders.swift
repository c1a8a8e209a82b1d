internal import Model

/// Orders and products, as ``OrderMapping`` has them.
extension QuickReading {
    /// Where the members of a product or an order's line stand; 0 = not given.
    struct Line {
        var id = 0
        var productID = 0
        var sku = 0
        var name = 0
        var category = 0
        var brand = 0
        var price = 0
        var quantity = 0
        var currency = 0

        var anyID: Int { id != 0 ? id : productID != 0 ? productID : sku }
    }

    func line(_ index: Int) -> Line? {
        var line = Line()
        var members = members(of: index)
        while let (name, value) = members.next() {
            switch name.length {
            case 3 where json.isName(name, "sku"): line.sku = members.take(value, 0)
            case 4 where json.isName(name, "name"): line.name = members.take(value, 1)
            case 5 where json.isName(name, "brand"): line.brand = members.take(value, 2)
            case 5 where json.isName(name, "price"): line.price = members.take(value, 3)
            case 8 where json.isName(name, "category"): line.category = members.take(value, 4)
            case 8 where json.isName(name, "quantity"): line.quantity = members.take(value, 5)
            case 8 where json.isName(name, "currency"): line.currency = members.take(value, 6)
            case 9 where json.isName(name, "productId"): line.productID = members.take(value, 7)
            case 10 where json.isName(name, "product_id"): line.id = members.take(value, 8)
            default: continue
            }
        }
        return members.isOdd ? nil : line
    }

    /// Writes the product; how many of it, and the price of one.
    func write(_ line: Line, to writer: inout ByteWriter) -> (quantity: Int64, price: Int64)? {
        guard let id = unsafe identifier(line.anyID, bytesMax: Limits.identifierBytesMax),
            let name = unsafe text(line.name, bytesMax: Limits.nameBytesMax),
            let category = unsafe text(line.category, bytesMax: Limits.nameBytesMax),
            let brand = unsafe text(line.brand, bytesMax: Limits.nameBytesMax),
            let quantity = quantity(line.quantity), let price = amount(line.price)
        else { return nil }
        unsafe writer.block(id)
        unsafe writer.block(name)
        unsafe writer.block(category)
        unsafe writer.block(brand)
        return (quantity, price ?? 0)
    }

    /// An amount in minor units. Nil = unusual; nil within = not given.
    private func amount(_ index: Int) -> Int64?? {
        guard index != 0 else { return .some(nil) }
        guard let amount = scaled(index, digits: settings.currencyDigits), amount <= Limits.moneyMax else { return nil }
        return .some(amount)
    }

    /// Whether it is the installation's own, written as it is there, or not given.
    func isOwnCurrency(_ index: Int) -> Bool {
        guard let currency = unsafe text(index, bytesMax: 16) else { return false }
        return unsafe currency.isEmpty || currency.elementsEqual(settings.currency.utf8)
    }

    /// Where the members of an order stand; 0 = not given.
    struct Order {
        var id = 0
        var orderID = 0
        var currency = 0
        var coupon = 0
        var products = 0
        var revenue = 0
        var total = 0
        var subtotal = 0
        var shipping = 0
        var tax = 0
        var discount = 0

        var anyID: Int { id != 0 ? id : orderID }
    }

    func order(_ index: Int) -> Order? {
        var order = Order()
        var members = members(of: index)
        while let (name, value) = members.next() {
            switch name.length {
            case 3 where json.isName(name, "tax"): order.tax = members.take(value, 0)
            case 5 where json.isName(name, "total"): order.total = members.take(value, 1)
            case 6 where json.isName(name, "coupon"): order.coupon = members.take(value, 2)
            case 7 where json.isName(name, "orderId"): order.orderID = members.take(value, 3)
            case 7 where json.isName(name, "revenue"): order.revenue = members.take(value, 4)
            case 8 where json.isName(name, "order_id"): order.id = members.take(value, 5)
            case 8 where json.isName(name, "currency"): order.currency = members.take(value, 6)
            case 8 where json.isName(name, "products"): order.products = members.take(value, 7)
            case 8 where json.isName(name, "subtotal"): order.subtotal = members.take(value, 8)
            case 8 where json.isName(name, "shipping"): order.shipping = members.take(value, 9)
            case 8 where json.isName(name, "discount"): order.discount = members.take(value, 10)
            default: continue
            }
        }
        return members.isOdd ? nil : order
    }

    /// Nil = unusual; nil within = none is known.
    func revenue(_ change: OrderEvent.Change, _ order: Order, lines: Int, sum: Int64?) -> Int64?? {
        guard let revenue = amount(order.revenue), let total = amount(order.total), let subtotal = amount(order.subtotal),
            let shipping = amount(order.shipping), let tax = amount(order.tax), let discount = amount(order.discount)
        else { return nil }
        if let revenue { return .some(revenue) }
        if let total {
            let rest = total - (shipping ?? 0) - (tax ?? 0)
            return rest >= 0 ? .some(rest) : nil
        }
        if let subtotal { return .some(subtotal) }
        if lines == 0 { return .some(nil) }
        guard let sum else { return nil }
        if change == .refunded { return sum > 0 ? .some(sum) : nil }
        if sum == 0 { return .some(nil) }
        let rest = sum - (discount ?? 0)
        return rest >= 0 ? .some(rest) : nil
    }
}
