import Model

/// The products that a shard's customers named: each has an index, in the order of first appearance, so that a profile
/// keeps a small number instead of an id. Part of the shard's state.
struct ProductTable: Sendable {
    private(set) var products: [Product] = []
    private var indexByID: [String: UInt32] = [:]
    /// Reminder delays found so far, by consumption rule and product; derived, forgotten when rules change.
    private var delays: [[Int64]] = []
    /// Since the last snapshot.
    var changed = SlotSet()
    /// That a capture has not written yet, and what it has to write because it was replaced.
    private var awaited = SlotSet()
    private var replaced: [(index: UInt32, product: Product)] = []
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
        changed.insert(index)
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
        guard known != products[index] else { return }
        if awaited.remove(UInt32(index)) { replaced.append((UInt32(index), products[index])) }
        products[index] = known
        changed.insert(UInt32(index))
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

    // MARK: Snapshots

    /// From now on what replaces one of these is preceded by what it replaces.
    mutating func beginCapture(_ captured: SlotSet) {
        awaited = captured
        changed = SlotSet()
    }

    /// What was replaced since the capture began, or since this was last asked.
    mutating func takeReplaced() -> [(index: UInt32, product: Product)] {
        if replaced.isEmpty { return [] }
        defer { replaced = [] }
        return replaced
    }

    mutating func endCapture() {
        awaited = SlotSet()
        replaced = []
    }

    private static let missing = Product(id: "")

    /// Makes room for so many products in all.
    mutating func extend(to count: Int) {
        products.reserveCapacity(count)
        indexByID.reserveCapacity(count)
        while products.count < count { products.append(Self.missing) }
    }

    /// Whether every index has its product.
    var isComplete: Bool { indexByID.count == products.count }

    /// Reads one product of a snapshot.
    mutating func restore(_ reader: inout ByteReader) throws(FormatError) {
        let position = reader.position
        let index = try reader.varint32()
        guard index < products.count else { throw FormatError(.invalid("product \(index)"), at: position) }
        let product = try reader.product()
        products[Int(index)] = product
        indexByID[product.id] = index
    }
}
