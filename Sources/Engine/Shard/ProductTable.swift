import Model

/// The products that a shard's customers named: each has an index, in the order of first appearance, so that a profile
/// keeps a small number instead of an id. Part of the shard's state.
struct ProductTable: Sendable {
    private(set) var products: [Product] = []
    private var indexByID: [String: UInt32] = [:]
    /// Reminder delays found so far, by consumption rule and product; derived, forgotten when rules change.
    private var delays: [[Int64]] = []
    private static let unknown = Int64.min
    private static let none: Int64 = -1

    init() {}

    subscript(index: UInt32) -> Product? {
        index < products.count ? products[Int(index)] : nil
    }

    /// Index of the product, which is added when new; what the event says of it replaces what was known. Nil when the
    /// shard knows ``Limits/productsPerShardMax`` already.
    mutating func index(of product: Product) -> UInt32? {
        if let index = indexByID[product.id] {
            merge(product, at: Int(index))
            return index
        }
        guard products.count < Limits.productsPerShardMax else { return nil }
        let index = UInt32(products.count)
        products.append(product)
        indexByID[product.id] = index
        return index
    }

    private mutating func merge(_ new: Product, at index: Int) {
        var known = products[index]
        if !new.name.isEmpty { known.name = new.name }
        if !new.brand.isEmpty { known.brand = new.brand }
        if !new.category.isEmpty && new.category != known.category {
            known.category = new.category
            for rule in delays.indices where index < delays[rule].count { delays[rule][index] = Self.unknown }
        }
        if known != products[index] { products[index] = known }
    }

    /// How long after its purchase the product's reminder is due by the n-th consumption rule; nil = not its goods.
    mutating func reminderDelay(_ product: UInt32, consumptionRule position: Int, rules: CompiledRules) -> Int64? {
        let index = Int(product)
        while delays.count <= position { delays.append([]) }
        while delays[position].count <= index { delays[position].append(Self.unknown) }
        var delay = delays[position][index]
        if delay == Self.unknown {
            delay = rules.reminderDelay(rule: rules.consumption[position], product: products[index]) ?? Self.none
            delays[position][index] = delay
        }
        return delay == Self.none ? nil : delay
    }

    mutating func forgetDelays() { delays.removeAll() }

    func write(to writer: inout ByteWriter) {
        writer.list(products) { $0.product($1) }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> ProductTable {
        var table = ProductTable()
        table.products = try reader.list(max: Limits.productsPerShardMax) { r throws(FormatError) in try r.product() }
        for (index, product) in table.products.enumerated() { table.indexByID[product.id] = UInt32(index) }
        return table
    }
}
