import Model

// A profile on its way to another shard. Inside a shard products are numbers of its own table, so they travel along and
// get the numbers of the shard that absorbs them.
//
// Form: version, products (the profile's numbers are places in this list), the profile as it is packed.

extension Profile {
    private static let travelVersion: UInt8 = 5
    private static let productsMax =
        Limits.productsKeptMax + Limits.timersMax + Limits.openActionsMax + Limits.purchasesKeptMax + Limits.browsingKeptMax

    func travelling(_ table: ProductTable) -> [UInt8] {
        var renumbered = self
        var places: [UInt32: UInt32] = [:]
        var products: [Product] = []
        renumbered.renumber { index in
            if let known = places[index] { return known }
            let place = UInt32(products.count)
            places[index] = place
            products.append(table[index] ?? Product(id: ""))
            return place
        }
        let whole = renumbered.travelling(with: products)
        if whole.count <= Limits.shardMessageBytesMax - 2 * Limits.customerKeyBytesMax - 64 { return whole }
        // Names and categories are told again by the next event that names the product.
        return renumbered.travelling(with: products.map { Product(id: $0.id) })
    }

    private func travelling(with products: [Product]) -> [UInt8] {
        var writer = ByteWriter(reserving: 1024)
        writer.byte(Self.travelVersion)
        writer.list(products) { $0.product($1) }
        pack(into: &writer)
        return writer.bytes
    }

    /// Reads it, its products entered into the table.
    static func arrived(_ bytes: [UInt8], in range: Range<Int>, _ table: inout ProductTable) throws -> Profile {
        var reader = ByteReader(bytes, in: range)
        let version = try reader.byte()
        guard version == travelVersion else {
            throw FormatError(.version(version, of: "a travelling profile", known: travelVersion), at: range.lowerBound)
        }
        let products = try reader.list(max: productsMax) { r throws(FormatError) in try r.product() }
        var profile = Profile()
        try profile.unpack(from: &reader)
        var numbers: [UInt32] = []
        for product in products {
            guard let number = table.index(of: product) else {
                throw EventFault("more than \(Limits.productsPerShardMax) products in one shard")
            }
            numbers.append(number)
        }
        var isSound = true
        profile.renumber { place in
            if place < numbers.count { return numbers[Int(place)] }
            isSound = false
            return 0
        }
        guard isSound else { throw FormatError(.invalid("product of a profile"), at: range.lowerBound) }
        return profile
    }

    private mutating func renumber(_ number: (UInt32) -> UInt32) {
        for index in products.indices { products[index].product = number(products[index].product) }
        for index in timers.indices {
            timers[index].occasion = timers[index].occasion.renumbered(number)
        }
        for index in open.indices {
            open[index].occasion = open[index].occasion.renumbered(number)
        }
        for index in bought.indices { bought[index].product = number(bought[index].product) }
        for index in browsed.indices { browsed[index].product = number(browsed[index].product) }
    }
}

extension Occasion {
    fileprivate func renumbered(_ number: (UInt32) -> UInt32) -> Occasion {
        switch self {
        case .product(let product): .product(number(product))
        case .views(let product): .views(number(product))
        case .lapse, .order, .offer, .date, .cart, .segment: self
        }
    }
}
