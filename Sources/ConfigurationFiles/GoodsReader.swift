internal import Model

/// Reads which goods a rule or a condition is about.
extension Report {
    /// Of fields that hold `products`, `categories`, `brands`, each optional.
    func goods(_ fields: Fields, max: Int) -> Goods? {
        let products = fields.optional("products").map { texts($0, max: max, bytesMax: Limits.identifierBytesMax) } ?? []
        let categories = fields.optional("categories").map { texts($0, max: max, bytesMax: Limits.nameBytesMax) } ?? []
        let brands = fields.optional("brands").map { texts($0, max: max, bytesMax: Limits.nameBytesMax) } ?? []
        guard let products, let categories, let brands else { return nil }
        return Goods(products: products, categories: categories, brands: brands)
    }

    /// A list of lines, none of them twice.
    func texts(_ value: Value, max: Int, bytesMax: Int) -> [String]? {
        guard let items = list(value, max: max) else { return nil }
        var texts: [String] = []
        var known: Set<[UInt8]> = []
        for item in items {
            guard let text = line(item, bytesMax: bytesMax) else { continue }
            if known.insert(Array(text.utf8)).inserted { texts.append(text) } else { add(item, "'\(text)' is named twice") }
        }
        return texts.count == items.count ? texts : nil
    }
}
