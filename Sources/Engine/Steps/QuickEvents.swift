import Model

// The two kinds that most events are of, read in one go. Nil says nothing: whoever gets it reads the event as any other, and
// so finds out what is wrong with it, if anything is.

extension ProductEvent {
    static func quickKind(from bytes: [UInt8], in range: Range<Int>) -> Kind? {
        PackReader.read(bytes, in: range) { reader in
            let kind = reader.choice(or: Kind.viewed)
            for _ in 0..<4 { reader.skipASCII() }
            _ = reader.varint()
            _ = reader.varint()
            return reader.isSound && reader.isAtEnd ? kind : nil
        }
    }
}

extension OrderEvent {
    /// Only such as have a line or two, which need no bound.
    static func quick(from bytes: [UInt8], in range: Range<Int>) -> OrderEvent? {
        PackReader.read(bytes, in: range) { reader in
            let id = reader.string()
            let change = reader.choice(or: Change.placed)
            let hasRevenue = reader.byte()
            if hasRevenue > 1 { reader.fail() }
            var event = OrderEvent(orderID: id, change: change, revenue: hasRevenue == 1 ? reader.signed() : nil)
            event.currency = reader.string()
            let lines = reader.count(max: 2)
            event.lines.reserveCapacity(lines)
            for _ in 0..<lines {
                let product = Product(
                    id: reader.string(), name: reader.string(), category: reader.string(), brand: reader.string())
                event.lines.append(OrderLine(product: product, quantity: reader.signed(), price: reader.signed()))
            }
            event.coupon = reader.string()
            return reader.isSound && reader.isAtEnd ? event : nil
        }
    }
}
