/// Builds a binary form: little-endian fixed integers, LEB128 varints, length-prefixed bytes.
///
/// The counterpart of ``ByteReader``. A value type; used on one thread at a time.
@usableFromInline
package struct ByteWriter: Sendable {
    /// What has been written so far.
    @usableFromInline package var bytes: [UInt8]

    @inlinable
    package init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Bytes written.
    @inlinable package var count: Int { bytes.count }

    @inlinable
    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    @inlinable
    package mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// A fixed-width integer, least significant byte first.
    @inlinable
    package mutating func fixed<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value.littleEndian
        unsafe withUnsafeBytes(of: &rest) { unsafe bytes.append(contentsOf: $0) }
    }

    /// An unsigned integer in 1 to 10 bytes, seven bits a byte, least significant first.
    @inlinable
    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A count or length; traps when negative.
    @inlinable
    package mutating func count(_ value: Int) { varint(UInt64(value)) }

    /// A signed integer as a zigzag varint: small magnitudes take few bytes.
    @inlinable
    package mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Length and bytes.
    @inlinable
    package mutating func block(_ value: [UInt8]) {
        count(value.count)
        bytes.append(contentsOf: value)
    }

    /// Length and bytes of a part of an array.
    @inlinable
    package mutating func block(_ value: ArraySlice<UInt8>) {
        count(value.count)
        bytes.append(contentsOf: value)
    }

    /// UTF-8 length and bytes.
    @inlinable
    package mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { text in
            count(text.count)
            unsafe bytes.append(contentsOf: text)
        }
    }

    @inlinable
    package mutating func instant(_ value: Instant) { signed(value.milliseconds) }

    /// The distance from `base`: few bytes when they lie close together. Any two instants come back as they were.
    @inlinable
    package mutating func instant(_ value: Instant, after base: Instant) {
        signed(value.milliseconds &- base.milliseconds)
    }

    /// Presence flag, then the value.
    @inlinable
    package mutating func optional<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    /// Count, then each element.
    @inlinable
    package mutating func list<Values: Collection>(_ values: Values, _ write: (inout ByteWriter, Values.Element) -> Void) {
        count(values.count)
        for value in values { write(&self, value) }
    }
}
