/// Reads the binary forms that ``ByteWriter`` builds; every read is checked against the end.
///
/// A value type; used on one thread at a time. Errors carry the offset at which reading failed.
@usableFromInline
package struct ByteReader: Sendable {
    @usableFromInline package let bytes: [UInt8]
    @usableFromInline var offset: Int
    /// Offset behind the last byte that may be read.
    @usableFromInline package let end: Int

    /// Offset of the next byte to read.
    @inlinable package var position: Int { offset }

    @inlinable
    package init(_ bytes: [UInt8]) {
        self.init(bytes, in: 0..<bytes.count)
    }

    /// Reads only a part of an array, without copying it.
    @inlinable
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the bytes")
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    @inlinable package var isAtEnd: Bool { position == end }
    /// Bytes left.
    @inlinable package var remaining: Int { end - position }

    @inlinable
    package mutating func byte() throws(FormatError) -> UInt8 {
        guard position < end else { throw FormatError(.truncated, at: position) }
        defer { offset += 1 }
        return bytes[position]
    }

    /// What every stored form begins with: its magic byte and a version that must be the known one.
    package mutating func header(_ magic: UInt8, _ known: UInt8, of what: String) throws(FormatError) {
        guard try byte() == magic else { throw FormatError(.invalid("magic"), at: position - 1) }
        let version = try byte()
        guard version == known else { throw FormatError(.version(version, of: what, known: known), at: position - 1) }
    }

    @inlinable
    package mutating func bool() throws(FormatError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw FormatError(.invalid("flag"), at: position - 1)
        }
    }

    @inlinable
    package mutating func fixed<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(FormatError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw FormatError(.truncated, at: position) }
        let start = offset
        offset += size
        return unsafe bytes.withUnsafeBytes { raw in
            Value(littleEndian: unsafe raw.loadUnaligned(fromByteOffset: start, as: Value.self))
        }
    }

    @inlinable
    package mutating func varint() throws(FormatError) -> UInt64 {
        if position < end, bytes[position] < 0x80 {
            offset += 1
            return UInt64(bytes[offset - 1])
        }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        let start = position
        while position < end {
            let next = bytes[position]
            offset += 1
            if shift == 63 && next > 1 { throw FormatError(.invalid("varint"), at: start) }
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
            if shift > 63 { throw FormatError(.invalid("varint"), at: start) }
        }
        throw FormatError(.truncated, at: start)
    }

    /// Passes over bytes, of which there must be so many.
    @inlinable
    package mutating func skip(_ count: Int) {
        precondition(count <= remaining, "behind the end")
        offset += count
    }

    /// A count or length of at most `limit`.
    @inlinable
    package mutating func count(max limit: Int = Int(Int32.max)) throws(FormatError) -> Int {
        let start = position
        let value = try varint()
        guard value <= UInt64(limit) else { throw FormatError(.invalid("count \(value), allowed are \(limit)"), at: start) }
        return Int(value)
    }

    @inlinable
    package mutating func signed() throws(FormatError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// The range of a length-prefixed block, which is skipped.
    @inlinable
    package mutating func range() throws(FormatError) -> Range<Int> {
        let length = try count()
        guard remaining >= length else { throw FormatError(.truncated, at: position) }
        defer { offset += length }
        return position..<position + length
    }

    @inlinable
    package mutating func block() throws(FormatError) -> [UInt8] {
        Array(bytes[try range()])
    }

    @inlinable
    package mutating func string() throws(FormatError) -> String {
        let range = try range()
        // Over the bytes themselves: validating a slice goes through an iterator, byte by byte.
        let text = unsafe bytes.withUnsafeBufferPointer { all in
            unsafe String(utf8: UnsafeBufferPointer(rebasing: all[range]))
        }
        guard let text else { throw FormatError(.invalid("UTF-8"), at: range.lowerBound) }
        return text
    }

    /// All that is left.
    @inlinable
    package mutating func takeRest() -> [UInt8] {
        defer { offset = end }
        return Array(bytes[offset..<end])
    }

    /// All that is left, as a text; nil when it is none.
    @inlinable
    package mutating func rest() -> String? {
        let range = offset..<end
        offset = end
        return unsafe bytes.withUnsafeBufferPointer { all in
            unsafe String(utf8: UnsafeBufferPointer(rebasing: all[range]))
        }
    }

    /// Skips what ``string()`` would read, and fails where that would.
    @inlinable
    package mutating func skipString() throws(FormatError) {
        let range = try range()
        let isText = unsafe bytes.withUnsafeBufferPointer { all in
            let text = unsafe UnsafeBufferPointer(rebasing: all[range])
            return unsafe String.isASCII(text) || String(utf8: text) != nil
        }
        guard isText else { throw FormatError(.invalid("UTF-8"), at: range.lowerBound) }
    }

    @inlinable
    package mutating func instant() throws(FormatError) -> Instant {
        Instant(milliseconds: try signed())
    }

    /// An instant written relative to `base`. Wraps like the writer, so that damaged bytes cannot trap.
    @inlinable
    package mutating func instant(after base: Instant) throws(FormatError) -> Instant {
        Instant(milliseconds: base.milliseconds &+ (try signed()))
    }

    /// A varint of at most 32 bits.
    @inlinable
    package mutating func varint32() throws(FormatError) -> UInt32 {
        UInt32(try count(max: Int(UInt32.max)))
    }

    @inlinable
    package mutating func optional<Value>(_ read: (inout ByteReader) throws(FormatError) -> Value) throws(FormatError) -> Value? {
        try bool() ? try read(&self) : nil
    }

    @inlinable
    package mutating func list<Value>(
        max limit: Int = Int(Int32.max), _ read: (inout ByteReader) throws(FormatError) -> Value
    ) throws(FormatError) -> [Value] {
        let count = try count(max: limit)
        var values: [Value] = []
        values.reserveCapacity(min(count, remaining))
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Fails unless everything was read: a form has no unknown tail.
    @inlinable
    package func finish() throws(FormatError) {
        guard isAtEnd else { throw FormatError(.invalid("\(remaining) bytes too many"), at: position) }
    }
}
