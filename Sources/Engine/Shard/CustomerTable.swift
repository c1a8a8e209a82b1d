internal import CPrefetch
import Model

/// A shard's dormant customers: from key to slot by open addressing, from slot to packed bytes and next wake-up.
///
/// A slot is a customer's number in the shard, in the order of first appearance. Packed bytes begin with the key and its
/// length. Not safe for concurrent use: it belongs to one shard.
///
/// Invariants: `buckets` has a power of two of places, `mask` and one; `records` has room for `capacity`, of which the first
/// `count` are customers.
@safe final class CustomerTable {
    struct Record {
        private(set) var place = Slab.Reference.none
        /// Bytes, and above them the piece's size.
        private var sized: UInt32 = 0
        /// Milliseconds; `noWakeUp` = never.
        var wakeUp = CustomerTable.noWakeUp

        @inline(__always) var count: Int { Int(sized & 0xff_ffff) }
        @inline(__always) var piece: Slab.Piece { Slab.Piece(place: place, size: Int(sized >> 24)) }

        @inline(__always)
        mutating func hold(_ piece: Slab.Piece, count: Int) {
            place = piece.place
            sized = UInt32(count) | UInt32(piece.size) << 24
        }
    }

    static let noWakeUp = Int64.max
    private static let empty = UInt32.max

    private struct Bucket {
        var slot: UInt32
        /// Upper half of the key's hash; the lower has chosen the shard.
        var tag: UInt32
    }

    private static let noBucket = Bucket(slot: empty, tag: 0)

    private var buckets: UnsafeMutablePointer<Bucket>
    private var mask = 63
    private var records: UnsafeMutablePointer<Record>
    private var capacity = 64
    private(set) var count = 0
    private let slab = Slab()
    /// Customers with a wake-up.
    private(set) var wakeUps = 0
    /// Of all customers together.
    private(set) var packedBytes = 0
    /// Slots that are reserved and not restored yet.
    private var missing = 0

    init() {
        unsafe buckets = .allocate(capacity: 64)
        unsafe buckets.initialize(repeating: Self.noBucket, count: 64)
        unsafe records = .allocate(capacity: 64)
    }

    deinit {
        unsafe buckets.deallocate()
        unsafe records.deallocate()
    }

    /// Bytes of packed profiles, free pieces included.
    var slabBytes: Int { slab.capacityBytes }

    /// Slot of the customer with this key, nil when unknown.
    func slot(hash: UInt64, key bytes: [UInt8], in range: Range<Int>) -> UInt32? {
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var index = position(tag)
        while true {
            let bucket = self[bucket: index]
            if bucket.slot == Self.empty { return nil }
            if bucket.tag == tag && slab.holdsKey(self[bucket.slot].place, bytes, in: range) { return bucket.slot }
            index = (index + 1) & mask
        }
    }

    /// A customer whom one of the next events may be about.
    struct Ahead {
        var slot: UInt32
        /// When the event happens; orders ask for all of a customer, other events only when something is due.
        var needsAllFrom: Int64
    }

    /// Asks for all that finding these events' customers and applying them will read, one kind of memory after the other;
    /// `slots` is for its use.
    func prefetch(_ events: [EventAhead], _ slots: inout [Ahead]) {
        for event in events { unsafe reprise_prefetch(buckets + position(UInt32(truncatingIfNeeded: event.hash >> 32))) }
        slots.removeAll(keepingCapacity: true)
        for event in events {
            let tag = UInt32(truncatingIfNeeded: event.hash >> 32)
            var index = position(tag)
            while self[bucket: index].slot != Self.empty && self[bucket: index].tag != tag { index = (index + 1) & mask }
            let slot = self[bucket: index].slot
            if slot == Self.empty { continue }
            unsafe reprise_prefetch(records + Int(slot))
            let needsAllFrom =
                switch event.header.kind {
                case .product, .engagement: event.header.time.milliseconds
                default: Int64.max
                }
            slots.append(Ahead(slot: slot, needsAllFrom: needsAllFrom))
        }
        for ahead in slots {
            let record = self[ahead.slot]
            if record.place == .none { continue }
            let needsAll = record.wakeUp <= ahead.needsAllFrom || ahead.needsAllFrom == .max
            slab.prefetch(record.place, count: needsAll ? record.count : min(record.count, Self.headBytes))
        }
    }

    /// Key and counters of nearly every customer lie within so many bytes.
    private static let headBytes = 65

    /// The same for customers that are to be woken, as far as these wake-ups are still theirs.
    func prefetch(_ entries: [WakeUpCalendar.Entry]) {
        for entry in entries { unsafe reprise_prefetch(records + Int(entry.slot)) }
        for entry in entries where self[entry.slot].wakeUp == entry.due {
            slab.prefetch(self[entry.slot].place, count: self[entry.slot].count)
        }
    }

    /// A new customer's slot; the bytes begin with its key.
    func add(hash: UInt64, packed: borrowing PackWriter) -> UInt32 {
        if (count + 1) * 4 > (mask + 1) * 3 { grow(to: 2 * (mask + 1)) }
        let slot = UInt32(count)
        packedBytes += packed.count
        var record = Record()
        record.hold(slab.store(packed, replacing: .none), count: packed.count)
        append(record)
        place(Bucket(slot: slot, tag: UInt32(truncatingIfNeeded: hash >> 32)))
        return slot
    }

    /// Copies a customer's bytes to the beginning of `bytes`, which grows where it must; returns how many they are.
    func copy(_ slot: UInt32, to bytes: inout [UInt8]) -> Int {
        let record = self[slot]
        let count = record.count
        if bytes.count < count { bytes = [UInt8](repeating: 0, count: max(512, 2 * count)) }
        slab.copy(record.place, count: count, to: &bytes)
        return count
    }

    func load(_ slot: UInt32, into bytes: inout [UInt8]) {
        let record = self[slot]
        slab.load(record.place, count: record.count, into: &bytes)
    }

    /// Replaces a customer's bytes.
    func store(_ slot: UInt32, _ packed: borrowing PackWriter) {
        let record = self[slot]
        packedBytes += packed.count - record.count
        self[slot].hold(slab.store(packed, replacing: record.piece), count: packed.count)
    }

    /// A customer's bytes where they stand; until anything is stored.
    @inline(__always)
    func packed(_ slot: UInt32) -> PackedCustomer {
        let record = self[slot]
        return unsafe PackedCustomer(slab.start(of: record.place), count: record.count)
    }

    /// A customer's bytes have become fewer where they stood.
    @inline(__always)
    func shrink(_ slot: UInt32, to count: Int) {
        let record = self[slot]
        precondition(count <= record.count, "\(record.count) bytes shrunk to \(count)")
        packedBytes += count - record.count
        let piece = Slab.suits(record.piece.size, count: count) ? record.piece : slab.move(record.piece, count: count)
        self[slot].hold(piece, count: count)
    }

    func wakeUp(of slot: UInt32) -> Int64 { self[slot].wakeUp }

    func setWakeUp(of slot: UInt32, _ due: Int64) {
        let old = self[slot].wakeUp
        wakeUps += (due == Self.noWakeUp ? 0 : 1) - (old == Self.noWakeUp ? 0 : 1)
        self[slot].wakeUp = due
    }

    /// Length and bytes of a customer.
    func append(_ slot: UInt32, to writer: inout ByteWriter) {
        let record = self[slot]
        writer.count(record.count)
        slab.append(record.place, count: record.count, to: &writer.bytes)
    }

    // MARK: Restoring

    /// Makes room for so many customers in all, which ``restore(_:_:wakeUp:)`` fills.
    func extend(to count: Int) {
        guard count > self.count else { return }
        missing += count - self.count
        if count > capacity { reserve(count) }
        while self.count < count { append(Record()) }
        var places = mask + 1
        while (count + 1) * 4 > places * 3 { places *= 2 }
        if places > mask + 1 { grow(to: places) }
    }

    /// Whether every slot has its customer.
    var isComplete: Bool { missing == 0 }

    /// Reads the customer of a slot that there is room for; its bytes replace those of an older part. Returns where they
    /// stand in the reader's bytes.
    func restore(_ slot: UInt32, _ reader: inout ByteReader, wakeUp due: Int64) throws(FormatError) -> Range<Int> {
        let range = try reader.range()
        guard let length = range.first.map({ Int(reader.bytes[$0]) }), range.count > length else {
            throw FormatError(.truncated, at: range.lowerBound)
        }
        guard range.count <= Limits.profileBytesMax else {
            throw FormatError(.invalid("a profile of \(range.count) bytes"), at: range.lowerBound)
        }
        let old = self[slot]
        if old.place == .none {
            let hash = Hashing.hash64(reader.bytes, in: range.lowerBound + 1..<range.lowerBound + 1 + length)
            place(Bucket(slot: slot, tag: UInt32(truncatingIfNeeded: hash >> 32)))
            missing -= 1
        } else {
            slab.remove(old.piece)
        }
        packedBytes += range.count - old.count
        self[slot].hold(slab.store(reader.bytes, in: range), count: range.count)
        setWakeUp(of: slot, due)
        return range
    }

    /// A place of the table; `index` has passed the mask.
    private subscript(bucket index: Int) -> Bucket {
        @inline(__always) get { unsafe buckets[index] }
    }

    private subscript(slot: UInt32) -> Record {
        @inline(__always) get {
            precondition(slot < count, "no customer \(slot)")
            return unsafe records[Int(slot)]
        }
        @inline(__always) _modify {
            precondition(slot < count, "no customer \(slot)")
            yield unsafe &records[Int(slot)]
        }
    }

    private func append(_ record: Record) {
        if count == capacity { reserve(2 * capacity) }
        unsafe (records + count).initialize(to: record)
        count += 1
    }

    private func reserve(_ room: Int) {
        let more = UnsafeMutablePointer<Record>.allocate(capacity: room)
        unsafe more.initialize(from: records, count: count)
        unsafe records.deallocate()
        unsafe records = more
        capacity = room
    }

    private func position(_ tag: UInt32) -> Int {
        // The tag's high bits choose the place: multiplicative scaling, as the count is a power of two.
        Int((UInt64(tag) &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
    }

    private func place(_ bucket: Bucket) {
        var index = position(bucket.tag)
        while self[bucket: index].slot != Self.empty { index = (index + 1) & mask }
        unsafe buckets[index] = bucket
    }

    private func grow(to places: Int) {
        let (old, oldCount) = unsafe (buckets, mask + 1)
        unsafe buckets = .allocate(capacity: places)
        unsafe buckets.initialize(repeating: Self.noBucket, count: places)
        mask = places - 1
        for index in 0..<oldCount where unsafe old[index].slot != Self.empty { place(unsafe old[index]) }
        unsafe old.deallocate()
    }
}
