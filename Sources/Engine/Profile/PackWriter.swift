import Model

/// Builds packed bytes in memory of its own that is used again and again: the forms of ``ByteWriter``, without a check of
/// who else holds the bytes at every one of them.
///
/// Invariant: `start` is an allocation of `capacity` bytes that this value alone owns, its first `count` bytes written.
@safe struct PackWriter: ~Copyable, Sendable {
    // Sendable: it cannot be copied, so whoever has it is the only one.
    private nonisolated(unsafe) var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(reserving capacity: Int = 1024) {
        unsafe start = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { unsafe start.deallocate() }

    mutating func removeAll() { count = 0 }

    /// Gives memory back beyond so much.
    mutating func removeAll(keepingAtMost most: Int) {
        count = 0
        guard capacity > most else { return }
        unsafe start.deallocate()
        unsafe start = .allocate(capacity: 4096)
        capacity = 4096
    }

    /// Afterwards so many bytes more have room.
    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(to: max(count + more, 2 * capacity)) }
    }

    @inline(never)
    private mutating func grow(to size: Int) {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        unsafe larger.update(from: start, count: count)
        unsafe start.deallocate()
        unsafe start = larger
        capacity = size
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        reserve(1)
        unsafe start[count] = value
        count += 1
    }

    /// A fixed-width integer, least significant byte first.
    @inline(__always)
    mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        reserve(MemoryLayout<Value>.size)
        unsafe UnsafeMutableRawPointer(start + count).storeBytes(of: value.littleEndian, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    /// In place of a time: none.
    static let noTime: Int64 = 1 << 48 - 1

    /// Three bytes.
    @inline(__always)
    mutating func small(_ value: UInt32) {
        precondition(value < 1 << 24, "\(value) in three bytes")
        fixed(UInt16(truncatingIfNeeded: value))
        byte(UInt8(truncatingIfNeeded: value >> 16))
    }

    /// A time by itself, of six bytes: one of the years 1970 to 10889.
    @inline(__always)
    mutating func time(_ time: Instant) {
        precondition(time.milliseconds >= 0 && time.milliseconds < Self.noTime, "a profile's time of \(time.milliseconds) ms")
        fixed(UInt32(truncatingIfNeeded: time.milliseconds))
        fixed(UInt16(truncatingIfNeeded: time.milliseconds >> 32))
    }

    @inline(__always)
    mutating func time(orNone time: Instant?) {
        if let time { return self.time(time) }
        fixed(UInt32.max)
        fixed(UInt16.max)
    }

    /// Writes over what stands there, which has been written.
    @inline(__always)
    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at place: Int) {
        precondition(place >= 0 && place + MemoryLayout<Value>.size <= count, "outside of what is written")
        unsafe UnsafeMutableRawPointer(start + place).storeBytes(of: value.littleEndian, as: Value.self)
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        reserve(10)
        var rest = value
        var place = count
        while rest >= 0x80 {
            unsafe start[place] = UInt8(truncatingIfNeeded: rest) | 0x80
            place += 1
            rest >>= 7
        }
        unsafe start[place] = UInt8(truncatingIfNeeded: rest)
        count = place + 1
    }

    @inline(__always)
    mutating func signed(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    @inline(__always)
    mutating func append(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the bytes")
        reserve(range.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            unsafe (start + count).take(UnsafeRawPointer(first + range.lowerBound), count: range.count)
        }
        count += range.count
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        if let first = bytes.baseAddress { unsafe (start + count).take(first, count: bytes.count) }
        count += bytes.count
    }

    /// A purchase of the product at this time, among those that are written from there on: true when none is known of this
    /// instant or later.
    @inline(__always)
    mutating func buy(_ product: UInt32, at time: Int64, from: Int) -> Bool {
        var place = from
        while place + PackedPurchase.count <= count {
            if unsafe start.small(place) == product {
                guard unsafe start.time(place + PackedPurchase.last) < time else { return false }
                unsafe start.store(time: time, at: place + PackedPurchase.last)
                return true
            }
            place += PackedPurchase.count
        }
        small(product)
        self.time(Instant(milliseconds: time))
        return true
    }

    /// Changes the timers that are written from there on; `more` bytes may be added.
    @inline(__always)
    mutating func changeTimers(from: Int, more: Int, _ change: (inout PackedTimers) -> Void) {
        precondition(from >= 0 && from <= count, "outside of what is written")
        reserve(more)
        var timers = unsafe PackedTimers(start + from, count: count - from, room: count - from + more)
        change(&timers)
        count = from + timers.count
    }

    /// The customer that is written here, for the duration of the call, in which nothing is written.
    @inline(__always)
    func withCustomer<Result>(_ use: (inout PackedCustomer) -> Result) -> Result {
        var customer = unsafe PackedCustomer(start, count: count)
        return use(&customer)
    }

    mutating func append(_ bytes: [UInt8]) { append(bytes, in: 0..<bytes.count) }

    /// Length in one byte, and UTF-8.
    mutating func shortString(_ value: String) {
        precondition(value.utf8.count <= 0xff, "a text of \(value.utf8.count) bytes")
        byte(UInt8(value.utf8.count))
        text(value)
    }

    /// UTF-8 length and bytes.
    mutating func string(_ value: String) {
        varint(UInt64(value.utf8.count))
        text(value)
    }

    private mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { text in
            reserve(text.count)
            if let first = text.baseAddress { unsafe (start + count).update(from: first, count: text.count) }
            count += text.count
        }
    }

    /// Its length in bytes, then what `write` writes.
    @inline(__always)
    mutating func block(_ write: (inout PackWriter) -> Void) {
        let place = count
        byte(0)
        write(&self)
        let length = count - place - 1
        guard length >= 0x80 else {
            unsafe start[place] = UInt8(length)
            return
        }
        makeRoom(at: place, length)
    }

    /// Puts a length that takes more than the one byte left for it before what was written there.
    @inline(never)
    private mutating func makeRoom(at place: Int, _ length: Int) {
        let more = (UInt64.bitWidth - UInt64(length).leadingZeroBitCount + 6) / 7 - 1
        reserve(more)
        unsafe (start + place + 1 + more).update(from: start + place + 1, count: length)
        count = place
        varint(UInt64(length))
        count += length
    }

    /// What was written, for the duration of the call.
    func withBytes<Result>(_ read: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe read(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// What was written; until more is.
    @unsafe var unsafeBytes: UnsafeBufferPointer<UInt8> { unsafe UnsafeBufferPointer(start: start, count: count) }

    var bytes: [UInt8] { unsafe withBytes { unsafe Array($0) } }
}
