import Model

/// Reads packed bytes that this process has written or checked. Whoever reads asks once, at the end, whether all was well:
/// behind the end, or after a value that cannot be, every further one is 0.
///
/// Invariant: `bytes` is the array of the ``read(_:in:_:)`` that made it, `place` and `end` lie in it; it must not leave that
/// call.
@safe struct PackReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place: Int
    private let end: Int
    private(set) var isSound = true

    private init(_ bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>) {
        unsafe self.bytes = bytes
        place = range.lowerBound
        end = range.upperBound
    }

    /// Reads a part of an array.
    @inline(__always)
    static func read<Result>(
        _ bytes: [UInt8], in range: Range<Int>, _ read: (inout PackReader) -> Result
    ) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the bytes")
        return unsafe bytes.withUnsafeBufferPointer { all in
            var reader = unsafe PackReader(all, in: range)
            return read(&reader)
        }
    }

    var isAtEnd: Bool { place == end }
    var position: Int { place }
    private var remaining: Int { end - place }

    mutating func fail() {
        isSound = false
        place = end
    }

    @inline(__always)
    mutating func byte() -> UInt8 {
        guard place < end else {
            isSound = false
            return 0
        }
        defer { place += 1 }
        return unsafe bytes[place]
    }

    @inline(__always)
    mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type = Value.self) -> Value {
        guard remaining >= MemoryLayout<Value>.size else {
            fail()
            return 0
        }
        defer { place += MemoryLayout<Value>.size }
        return unsafe Value(littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: place, as: Value.self))
    }

    /// Three bytes.
    @inline(__always)
    mutating func small() -> UInt32 {
        let low: UInt16 = fixed()
        return UInt32(low) | UInt32(byte()) << 16
    }

    /// A time by itself, of six bytes; nil = none.
    @inline(__always)
    mutating func timeOrNone() -> Instant? {
        let low: UInt32 = fixed()
        let high: UInt16 = fixed()
        let milliseconds = Int64(low) | Int64(high) << 32
        return milliseconds == PackWriter.noTime ? nil : Instant(milliseconds: milliseconds)
    }

    /// A time by itself, which must be there.
    @inline(__always)
    mutating func time() -> Instant {
        if let time = timeOrNone() { return time }
        fail()
        return .distantPast
    }

    @inline(__always)
    mutating func varint() -> UInt64 {
        guard place < end, case let first = unsafe bytes[place], first < 0x80 else { return longVarint() }
        place += 1
        return UInt64(first)
    }

    private mutating func longVarint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while place < end {
            let byte = unsafe bytes[place]
            place += 1
            if shift == 63 && byte > 1 { break }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { break }
        }
        fail()
        return 0
    }

    @inline(__always)
    mutating func signed() -> Int64 {
        let value = varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A count or length of at most `limit`.
    @inline(__always)
    mutating func count(max limit: Int) -> Int {
        let value = varint()
        guard value <= UInt64(limit) else {
            fail()
            return 0
        }
        return Int(value)
    }

    /// Where a block stands whose length comes first; it is skipped.
    @inline(__always)
    mutating func block() -> Range<Int> {
        let value = varint()
        guard value <= UInt64(remaining) else {
            fail()
            return place..<place
        }
        defer { place += Int(value) }
        return place..<place + Int(value)
    }

    /// Where so many bytes stand; they are skipped.
    @inline(__always)
    mutating func bytes(_ count: Int) -> Range<Int> {
        guard count <= remaining else {
            fail()
            return place..<place
        }
        defer { place += count }
        return place..<place + count
    }

    /// A block that would not be there if it were empty.
    @inline(__always)
    mutating func part() -> Range<Int> {
        let range = block()
        if range.isEmpty { fail() }
        return range
    }

    /// Where a text stands; fails when it is not ASCII, which says nothing about it.
    @inline(__always)
    mutating func asciiBlock() -> Range<Int> {
        let range = block()
        if unsafe !range.isEmpty && !String.isASCII(UnsafeBufferPointer(rebasing: bytes[range])) { fail() }
        return range
    }

    /// Whether these bytes stand there.
    @inline(__always)
    func holds(_ other: [UInt8], in range: Range<Int>) -> Bool {
        if range.count != other.count { return false }
        for index in other.indices where unsafe other[index] != bytes[range.lowerBound + index] { return false }
        return true
    }

    /// Reads an order's line as far as its product, when all that it says of that is known.
    @inline(__always)
    mutating func line(_ products: ProductTable) -> UInt32? {
        let (id, name, category, brand) = (asciiBlock(), block(), block(), block())
        _ = signed()
        _ = signed()
        guard isSound, id.count <= Limits.identifierBytesMax else { return nil }
        return unsafe products.index(
            of: UnsafeBufferPointer(rebasing: bytes[id]), name: UnsafeBufferPointer(rebasing: bytes[name]),
            category: UnsafeBufferPointer(rebasing: bytes[category]), brand: UnsafeBufferPointer(rebasing: bytes[brand]))
    }

    /// Passes over a text; fails when it is not ASCII, which says nothing about it.
    @inline(__always)
    mutating func skipASCII() {
        let range = block()
        if unsafe !range.isEmpty && !String.isASCII(UnsafeBufferPointer(rebasing: bytes[range])) { fail() }
    }

    mutating func string() -> String { string(block()) }

    /// A text of so many bytes.
    mutating func string(ofCount count: Int) -> String { string(bytes(count)) }

    private mutating func string(_ range: Range<Int>) -> String {
        if range.isEmpty { return "" }
        guard let text = unsafe String(utf8: UnsafeBufferPointer(rebasing: bytes[range])) else {
            fail()
            return ""
        }
        return text
    }

    /// An enum stored as one byte.
    @inline(__always)
    mutating func choice<Choice: RawRepresentable>(or first: Choice) -> Choice where Choice.RawValue == UInt8 {
        if let choice = Choice(rawValue: byte()) { return choice }
        fail()
        return first
    }

    mutating func flag() -> Bool { byte() != 0 }
}
