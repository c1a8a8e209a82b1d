import Model

/// One capture of a shard's state, in chunks, while the shard works on: what it yields is the state at the moment it began.
///
///     begun --chunk by chunk, slots ascending--> complete
///
/// The slots that are to be written are marked when it begins. A slot that is about to change while it is still marked is
/// written first, so slots may come in any order. Small state is written at once, at the beginning.
struct SnapshotCapture {
    /// Chunks say what they hold; each is read by itself.
    enum Kind: UInt8, CaseIterable {
        case state = 0
        /// Message ids of the younger and of the older generation: all of them, or more of them.
        case youngerIDs, olderIDs, moreYoungerIDs
        case products
        case customers
        /// Messages to and from other shards, or more of them: one form, cut into chunks.
        case messages
    }

    static let magic: UInt8 = 0xE1
    static let version: UInt8 = 6

    let isWhole: Bool
    /// What it took on, to be taken on again when it comes to nothing.
    let customers: SlotSet
    let products: SlotSet
    private var customersLeft: SlotSet
    private var productsLeft: SlotSet
    private var cursor = 0
    private var productCursor = 0
    private var ready: [[UInt8]] = []
    /// Chunks taken out of `ready`.
    private var taken = 0
    private var writer: ByteWriter
    private var productWriter: ByteWriter
    /// Bytes of chunks that are ready and not taken yet.
    private(set) var waitingBytes = 0

    /// - Parameter small: chunks of the small state, the one of ``Kind/state`` first.
    init(isWhole: Bool, small: [[UInt8]], customers: SlotSet, products: SlotSet) {
        self.isWhole = isWhole
        self.customers = customers
        self.products = products
        customersLeft = customers
        productsLeft = products
        writer = Self.begin(.customers)
        productWriter = Self.begin(.products)
        for chunk in small { add(chunk) }
    }

    static func begin(_ kind: Kind, reserving capacity: Int = 4096) -> ByteWriter {
        var writer = ByteWriter(reserving: capacity)
        writer.byte(magic)
        writer.byte(version)
        writer.byte(kind.rawValue)
        return writer
    }

    private mutating func add(_ chunk: [UInt8]) {
        ready.append(chunk)
        waitingBytes += chunk.count
    }

    /// The next chunk; nil = complete.
    mutating func next(of shard: Shard) -> [UInt8]? {
        if taken == ready.count { fill(from: shard) }
        guard taken < ready.count else { return nil }
        let chunk = ready[taken]
        ready[taken] = []
        taken += 1
        waitingBytes -= chunk.count
        if taken == ready.count {
            ready.removeAll(keepingCapacity: true)
            taken = 0
        }
        return chunk
    }

    /// Writes until one chunk more is ready, or nothing is left.
    private mutating func fill(from shard: Shard) {
        while taken == ready.count, let slot = productsLeft.first(from: productCursor) {
            productCursor = Int(slot)
            if let product = shard.brain.products[slot] { write(product, slot) }
        }
        guard taken == ready.count else { return }
        if productsLeft.isEmpty && productWriter.count > Self.headBytes { closeProducts() }
        while taken == ready.count, let slot = customersLeft.first(from: cursor) {
            cursor = Int(slot)
            write(slot, shard)
        }
        if taken == ready.count && writer.count > Self.headBytes { closeCustomers() }
    }

    private static let headBytes = 3

    private mutating func closeCustomers() {
        add(writer.bytes)
        writer = Self.begin(.customers, reserving: Limits.snapshotChunkBytes + 4096)
    }

    private mutating func closeProducts() {
        add(productWriter.bytes)
        productWriter = Self.begin(.products)
    }

    /// Writes a customer that is not written yet.
    mutating func write(_ slot: UInt32, _ shard: Shard) {
        guard customersLeft.remove(slot) else { return }
        writer.varint(UInt64(slot))
        let due = shard.table.wakeUp(of: slot)
        writer.bool(due != CustomerTable.noWakeUp)
        if due != CustomerTable.noWakeUp { writer.signed(due) }
        writer.count(shard.openSlots.isEmpty ? 0 : shard.openSlots[slot] ?? 0)
        shard.table.append(slot, to: &writer)
        if writer.count >= Limits.snapshotChunkBytes { closeCustomers() }
    }

    /// Writes a product, as it was before it changes, that is not written yet.
    mutating func write(_ product: Product, _ index: UInt32) {
        guard productsLeft.remove(index) else { return }
        productWriter.varint(UInt64(index))
        productWriter.product(product)
        if productWriter.count >= Limits.snapshotChunkBytes { closeProducts() }
    }
}
