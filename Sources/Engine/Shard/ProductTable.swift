import Model

/// The products that a shard's customers named: each has an index, in the order of first appearance, so that a profile
/// keeps a small number instead of an id. Part of the shard's state.
struct ProductTable: Sendable {
    private(set) var products: [Product] = []
    /// Their ids as bytes, in any order, and by index where each begins and ends.
    private var ids: [UInt8] = []
    private var idPlaces: [(start: UInt32, end: UInt32)] = []
    /// By open addressing over the id's hash: the product's index plus one; 0 = free.
    private var places: [UInt32] = []
    private var known = 0
    /// Reminder delays found so far, by consumption rule and product; derived, forgotten when rules change.
    private var delays: [Int64] = []
    private var delayRules = 0
    /// Among which goods of the segments it is, by product: `amongWords` words, of which the lowest bit of the first says that
    /// the others are known; derived, forgotten when rules change.
    private var among: [UInt64] = []
    private var amongWords = 0
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

    /// Index of the product with this id, if there is one.
    func known(_ id: String) -> UInt32? { place(of: id).index }

    /// Its id; empty when there is none of this index.
    func id(of index: UInt32) -> String { index < products.count ? products[Int(index)].id : "" }

    /// Index of the product, which is added when new; what the event says of it replaces what was known. Nil when the
    /// shard knows ``Limits/productsPerShardMax`` already.
    mutating func index(of product: Product) -> UInt32? {
        if let index = place(of: product.id).index {
            merge(product, at: Int(index))
            return index
        }
        guard products.count < Limits.productsPerShardMax else { return nil }
        let index = UInt32(products.count)
        products.append(product)
        enter(index)
        changed.insert(index)
        return index
    }

    /// Index of the product whose id these bytes are, when all else that is said of it is known; nil = it is new, or is to be
    /// told anew. Texts are empty when nothing is said.
    func index(
        of id: UnsafeBufferPointer<UInt8>, name: UnsafeBufferPointer<UInt8>, category: UnsafeBufferPointer<UInt8>,
        brand: UnsafeBufferPointer<UInt8>
    ) -> UInt32? {
        guard let index = unsafe place(of: id).index else { return nil }
        if name.isEmpty && category.isEmpty && brand.isEmpty { return index }
        let known = products[Int(index)]
        let isKnown = unsafe Self.says(known.name, name) && Self.says(known.category, category) && Self.says(known.brand, brand)
        return isKnown ? index : nil
    }

    private static func says(_ known: String, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        unsafe text.isEmpty || known.utf8.elementsEqual(text)
    }

    /// Appends the id of a product that is there.
    @inline(__always)
    func appendID(of index: UInt32, to writer: inout PackWriter) {
        let place = idPlaces[Int(index)]
        writer.append(ids, in: Int(place.start)..<Int(place.end))
    }

    private func place(of id: String) -> (place: Int, index: UInt32?) {
        var id = id
        return id.withUTF8 { unsafe place(of: $0) }
    }

    /// Where the id stands, or would stand; there is room. By bytes, as the hash: texts that Unicode calls equal may be two
    /// products.
    private func place(of id: UnsafeBufferPointer<UInt8>) -> (place: Int, index: UInt32?) {
        if places.isEmpty { return (0, nil) }
        var place = Int(truncatingIfNeeded: unsafe Hashing.hash64(UnsafeRawBufferPointer(id))) & (places.count - 1)
        while places[place] != 0 {
            let index = places[place] - 1
            if unsafe isID(id, index) { return (place, index) }
            place = (place + 1) & (places.count - 1)
        }
        return (place, nil)
    }

    @inline(__always)
    private func isID(_ id: UnsafeBufferPointer<UInt8>, _ index: UInt32) -> Bool {
        let known = idPlaces[Int(index)]
        guard Int(known.end - known.start) == id.count, let first = id.baseAddress else {
            return known.end == known.start && id.isEmpty
        }
        return unsafe ids.withUnsafeBufferPointer { all in
            guard let start = all.baseAddress else { return false }
            return unsafe (UnsafeMutablePointer(mutating: start) + Int(known.start)).equals(first, count: id.count)
        }
    }

    /// Enters a product under its id, which is not there yet.
    private mutating func enter(_ index: UInt32) {
        while idPlaces.count < products.count { idPlaces.append((0, 0)) }
        let start = UInt32(ids.count)
        ids += products[Int(index)].id.utf8
        idPlaces[Int(index)] = (start, UInt32(ids.count))
        if (known + 1) * 2 > places.count { grow() }
        places[place(of: products[Int(index)].id).place] = index + 1
        known += 1
    }

    private mutating func grow() {
        let old = places
        places = [UInt32](repeating: 0, count: max(64, places.count * 2))
        for entry in old where entry != 0 { places[place(of: products[Int(entry - 1)].id).place] = entry }
    }

    private mutating func merge(_ new: Product, at index: Int) {
        if new.name.isEmpty && new.brand.isEmpty && new.category.isEmpty { return }
        var known = products[index]
        if !new.name.isEmpty { known.name = new.name }
        if !new.brand.isEmpty { known.brand = new.brand }
        if !new.category.isEmpty { known.category = new.category }
        if known.category != products[index].category || known.brand != products[index].brand {
            for place in delays.indices.dropFirst(index * delayRules).prefix(delayRules) { delays[place] = Self.unknown }
        }
        if index * amongWords < among.count { among[index * amongWords] = 0 }
        guard known != products[index] else { return }
        if awaited.remove(UInt32(index)) { replaced.append((UInt32(index), products[index])) }
        products[index] = known
        changed.insert(UInt32(index))
    }

    /// How long after its purchase the product's reminder is due by the n-th consumption rule; nil = not its goods.
    mutating func reminderDelay(_ product: UInt32, consumptionRule position: Int, rules: CompiledRules) -> Int64? {
        if delayRules == 0 { delayRules = rules.consumption.count }
        let place = Int(product) * delayRules + position
        if place >= delays.count {
            delays += [Int64](repeating: Self.unknown, count: products.count * delayRules - delays.count)
        }
        var delay = delays[place]
        if delay == Self.unknown {
            delay = rules.reminderDelay(rule: rules.consumption[position], product: products[Int(product)]) ?? Self.none
            delays[place] = delay
        }
        return delay == Self.none ? nil : delay
    }

    /// Whether the product is among those goods of the rules' segments.
    @inline(__always)
    mutating func isAmong(_ product: UInt32, _ goods: Int, _ rules: CompiledRules) -> Bool {
        if goods == SegmentProgram.allGoods { return true }
        let place = Int(product) * amongWords
        if amongWords == 0 || place >= among.count || among[place] & 1 == 0 { sort(product, rules) }
        let bit = goods + 1
        return among[Int(product) * amongWords + bit / 64] >> UInt64(bit % 64) & 1 != 0
    }

    /// Finds out among which goods the product is.
    private mutating func sort(_ product: UInt32, _ rules: CompiledRules) {
        amongWords = rules.segments.goods.count / 64 + 1
        let start = Int(product) * amongWords
        // Products of a profile are in the table.
        if start >= among.count { among += [UInt64](repeating: 0, count: products.count * amongWords - among.count) }
        for word in 0..<amongWords { among[start + word] = 0 }
        among[start] = 1
        for (goods, set) in rules.segments.goods.enumerated() where set.contains(products[Int(product)]) {
            among[start + (goods + 1) / 64] |= 1 << UInt64((goods + 1) % 64)
        }
    }

    /// What was derived from the rules.
    mutating func forgetDerived() {
        delays.removeAll()
        delayRules = 0
        among.removeAll()
        amongWords = 0
    }

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
        while products.count < count { products.append(Self.missing) }
    }

    /// Whether every index has its product.
    var isComplete: Bool { known == products.count }

    /// Reads one product of a snapshot.
    mutating func restore(_ reader: inout ByteReader) throws(FormatError) {
        let position = reader.position
        let index = try reader.varint32()
        guard index < products.count else { throw FormatError(.invalid("product \(index)"), at: position) }
        let product = try reader.product()
        // A later part of the snapshot says it anew, under the same id.
        let isNew = place(of: product.id).index == nil
        products[Int(index)] = product
        if isNew { enter(index) }
    }
}
