import Model

/// A shard's dormant customers: from key to slot by open addressing, from slot to packed bytes and next wake-up.
///
/// A slot is a customer's number in the shard, in the order of first appearance. Packed bytes begin with the key and its
/// length. Not safe for concurrent use: it belongs to one shard.
final class CustomerTable {
    struct Record {
        var place: Slab.Reference
        var count: UInt32
        /// Milliseconds; `noWakeUp` = never.
        var wakeUp: Int64
    }

    static let noWakeUp = Int64.max
    private static let empty = UInt32.max

    private struct Bucket {
        var slot: UInt32
        /// Upper half of the key's hash; the lower has chosen the shard.
        var tag: UInt32
    }

    private var buckets: [Bucket]
    private(set) var records: [Record] = []
    private let slab = Slab()
    /// Customers with a wake-up.
    private(set) var wakeUps = 0
    /// Of all customers together.
    private(set) var packedBytes = 0
    /// Slots that are reserved and not restored yet.
    private var missing = 0

    init() { buckets = [Bucket](repeating: Bucket(slot: Self.empty, tag: 0), count: 64) }

    var count: Int { records.count }
    /// Bytes of packed profiles, free pieces included.
    var slabBytes: Int { slab.capacityBytes }

    /// Slot of the customer with this key, nil when unknown.
    func slot(hash: UInt64, key bytes: [UInt8], in range: Range<Int>) -> UInt32? {
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var index = position(tag)
        while true {
            let bucket = buckets[index]
            if bucket.slot == Self.empty { return nil }
            if bucket.tag == tag && slab.holdsKey(records[Int(bucket.slot)].place, bytes, in: range) { return bucket.slot }
            index = (index + 1) & (buckets.count - 1)
        }
    }

    /// Looks at all that finding and loading these customers will read, one kind of memory after the other. Returns a number
    /// made of it; `slots` is for its use.
    func touch(_ hashes: [UInt64], _ slots: inout [UInt32]) -> UInt64 {
        var sum: UInt64 = 0
        for hash in hashes { sum &+= UInt64(buckets[position(UInt32(truncatingIfNeeded: hash >> 32))].tag) }
        slots.removeAll(keepingCapacity: true)
        for hash in hashes {
            let tag = UInt32(truncatingIfNeeded: hash >> 32)
            var index = position(tag)
            while buckets[index].slot != Self.empty && buckets[index].tag != tag { index = (index + 1) & (buckets.count - 1) }
            if buckets[index].slot != Self.empty { slots.append(buckets[index].slot) }
        }
        return sum &+ touch(slots)
    }

    /// The same for customers whose slots are known.
    func touch(_ slots: [UInt32]) -> UInt64 {
        var sum: UInt64 = 0
        for slot in slots { sum &+= UInt64(records[Int(slot)].count) }
        for slot in slots {
            let record = records[Int(slot)]
            if record.place != .none { sum &+= slab.touch(record.place, count: Int(record.count)) }
        }
        return sum
    }

    /// A new customer's slot; the bytes begin with its key.
    func add(hash: UInt64, packed: borrowing PackWriter) -> UInt32 {
        if (records.count + 1) * 4 > buckets.count * 3 { grow(to: buckets.count * 2) }
        let slot = UInt32(records.count)
        packedBytes += packed.count
        records.append(
            Record(place: slab.store(packed, replacing: .none, oldCount: 0), count: UInt32(packed.count), wakeUp: Self.noWakeUp))
        place(Bucket(slot: slot, tag: UInt32(truncatingIfNeeded: hash >> 32)))
        return slot
    }

    /// Copies a customer's bytes to the beginning of `bytes`, which grows where it must; returns how many they are.
    func copy(_ slot: UInt32, to bytes: inout [UInt8]) -> Int {
        let record = records[Int(slot)]
        let count = Int(record.count)
        if bytes.count < count { bytes = [UInt8](repeating: 0, count: max(512, 2 * count)) }
        slab.copy(record.place, count: count, to: &bytes)
        return count
    }

    func load(_ slot: UInt32, into bytes: inout [UInt8]) {
        let record = records[Int(slot)]
        slab.load(record.place, count: Int(record.count), into: &bytes)
    }

    /// Replaces a customer's bytes.
    func store(_ slot: UInt32, _ packed: borrowing PackWriter) {
        let record = records[Int(slot)]
        packedBytes += packed.count - Int(record.count)
        records[Int(slot)].place = slab.store(packed, replacing: record.place, oldCount: Int(record.count))
        records[Int(slot)].count = UInt32(packed.count)
    }

    func wakeUp(of slot: UInt32) -> Int64 { records[Int(slot)].wakeUp }

    func setWakeUp(of slot: UInt32, _ due: Int64) {
        let old = records[Int(slot)].wakeUp
        wakeUps += (due == Self.noWakeUp ? 0 : 1) - (old == Self.noWakeUp ? 0 : 1)
        records[Int(slot)].wakeUp = due
    }

    /// Length and bytes of a customer.
    func append(_ slot: UInt32, to writer: inout ByteWriter) {
        let record = records[Int(slot)]
        writer.count(Int(record.count))
        slab.append(record.place, count: Int(record.count), to: &writer.bytes)
    }

    // MARK: Restoring

    /// Makes room for so many customers in all, which ``restore(_:_:wakeUp:)`` fills.
    func extend(to count: Int) {
        guard count > records.count else { return }
        missing += count - records.count
        records.reserveCapacity(count)
        while records.count < count { records.append(Record(place: .none, count: 0, wakeUp: Self.noWakeUp)) }
        var places = buckets.count
        while (count + 1) * 4 > places * 3 { places *= 2 }
        if places > buckets.count { grow(to: places) }
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
        let old = records[Int(slot)]
        if old.place == .none {
            let hash = Hashing.hash64(reader.bytes, in: range.lowerBound + 1..<range.lowerBound + 1 + length)
            place(Bucket(slot: slot, tag: UInt32(truncatingIfNeeded: hash >> 32)))
            missing -= 1
        } else {
            slab.remove(old.place, count: Int(old.count))
        }
        packedBytes += range.count - Int(old.count)
        records[Int(slot)].place = slab.store(reader.bytes, in: range)
        records[Int(slot)].count = UInt32(range.count)
        setWakeUp(of: slot, due)
        return range
    }

    private func position(_ tag: UInt32) -> Int {
        // The tag's high bits choose the place: multiplicative scaling, as the count is a power of two.
        Int((UInt64(tag) &* 0x9E37_79B9_7F4A_7C15) >> 20) & (buckets.count - 1)
    }

    private func place(_ bucket: Bucket) {
        var index = position(bucket.tag)
        while buckets[index].slot != Self.empty { index = (index + 1) & (buckets.count - 1) }
        buckets[index] = bucket
    }

    private func grow(to places: Int) {
        let old = buckets
        buckets = [Bucket](repeating: Bucket(slot: Self.empty, tag: 0), count: places)
        for bucket in old where bucket.slot != Self.empty { place(bucket) }
    }
}
