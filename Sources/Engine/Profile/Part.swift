import Model

/// An element of a profile's list, as bytes and back. Times may be relative to the profile's base. An element takes one byte at
/// least.
protocol Packable: Equatable, Sendable {
    /// The longest list of them.
    static var countMax: Int { get }
    func pack(into writer: inout PackWriter, base: Instant)
    /// What comes out of damaged bytes says so in the reader.
    static func unpack(_ reader: inout PackReader, base: Instant) -> Self
}

/// A list of a profile: as bytes until somebody asks for it, and as the same bytes until somebody changes it.
///
///     bytes --`unfold`--> bytes and values --`change`--> values --the customer rests, and is bound again--> bytes
///
/// Invariants: `values` is empty while there are bytes alone; `place` lies in the bytes that are given to each call.
struct Part<Element: Packable>: Sendable {
    /// Changed only behind ``beginChange(_:_:)``.
    var values: [Element] = []
    /// Where its bytes stand; empty = it was changed, or there is nothing.
    private var place = 0..<0
    private var isUnfolded = false

    /// It is what it was when it was packed, and not empty.
    var isUnchanged: Bool { !place.isEmpty }
    var isEmpty: Bool { place.isEmpty && values.isEmpty }
    /// `values` says what it is.
    var hasValues: Bool { place.isEmpty || isUnfolded }

    /// From now on it is what stands there; it must be empty.
    mutating func fold(at place: Range<Int>) {
        self.place = place
        isUnfolded = false
    }

    @inline(__always)
    mutating func clear() {
        place = 0..<0
        if !values.isEmpty { values.removeAll(keepingCapacity: true) }
    }

    /// Makes the values, so that looking at them costs nothing more.
    @inline(__always)
    mutating func unfold(_ packed: [UInt8], _ base: Instant) {
        if !hasValues { precondition(unfoldChecked(packed, base), "a customer's bytes are damaged") }
    }

    /// False when the bytes are damaged.
    mutating func unfoldChecked(_ packed: [UInt8], _ base: Instant) -> Bool {
        if hasValues { return true }
        isUnfolded = true
        return Self.read(packed, in: place, base, into: &values)
    }

    /// The values are about to be changed: the bytes say it no more.
    @inline(__always)
    mutating func beginChange(_ packed: [UInt8], _ base: Instant) {
        unfold(packed, base)
        place = 0..<0
    }

    func read(_ packed: [UInt8], _ base: Instant) -> [Element] {
        if hasValues { return values }
        var read: [Element] = []
        precondition(Self.read(packed, in: place, base, into: &read), "a customer's bytes are damaged")
        return read
    }

    private static func read(
        _ packed: [UInt8], in place: Range<Int>, _ base: Instant, into values: inout [Element]
    ) -> Bool {
        PackReader.read(packed, in: place) { reader in
            while reader.isSound && !reader.isAtEnd {
                if values.count == Element.countMax { reader.fail() }
                values.append(Element.unpack(&reader, base: base))
            }
            return reader.isSound
        }
    }

    /// Its length in bytes and its bytes.
    @inline(__always)
    func pack(into writer: inout PackWriter, _ packed: UnsafeRawBufferPointer, base: Instant) {
        if isUnchanged {
            writer.varint(UInt64(place.count))
            unsafe writer.append(UnsafeRawBufferPointer(rebasing: packed[place]))
        } else {
            writer.block { writer in
                for index in values.indices { values[index].pack(into: &writer, base: base) }
            }
        }
    }

    /// Its bytes alone; returns how many they are.
    @inline(__always)
    func packValues(into writer: inout PackWriter, _ packed: UnsafeRawBufferPointer, base: Instant) -> UInt16 {
        let before = writer.count
        if isUnchanged {
            unsafe writer.append(UnsafeRawBufferPointer(rebasing: packed[place]))
        } else {
            for index in values.indices { values[index].pack(into: &writer, base: base) }
        }
        return UInt16(writer.count - before)
    }
}

/// Who a customer is besides its key: as bytes until somebody asks, with what every event asks for beside them.
struct IdentityPart: Sendable {
    private var value: Identity?
    /// Where its bytes stand; empty = it is not packed.
    private(set) var place = 0..<0
    /// It leads to another customer.
    private(set) var isMark = false
    /// Somebody claims it.
    private(set) var isClaimed = false

    init() {}

    init(_ identity: Identity?) {
        value = identity
        isMark = identity?.leadsTo != nil
        isClaimed = identity.map { !$0.claimants.isEmpty } ?? false
    }

    init(at place: Range<Int>, isMark: Bool, isClaimed: Bool) {
        self.place = place
        self.isMark = isMark
        self.isClaimed = isClaimed
    }

    var isPacked: Bool { !place.isEmpty }
    var isEmpty: Bool { place.isEmpty && value == nil }
    /// It is there, and not what it was when it was packed.
    var isChanged: Bool { place.isEmpty && value != nil }

    mutating func clear() { if !isEmpty { self = IdentityPart() } }

    func read(_ packed: [UInt8]) -> Identity? {
        if !isPacked { return value }
        var read = self
        precondition(read.unfoldChecked(packed), "a customer's bytes are damaged")
        return read.value
    }

    /// False when the bytes are damaged.
    mutating func unfoldChecked(_ packed: [UInt8]) -> Bool {
        if !isPacked { return true }
        var reader = ByteReader(packed, in: place)
        do {
            let read = try Identity.unpack(&reader)
            guard reader.isAtEnd, (read.leadsTo != nil) == isMark, !read.claimants.isEmpty == isClaimed else { return false }
            self = IdentityPart(read)
            return true
        } catch {
            return false
        }
    }

    func pack(into writer: inout PackWriter, _ packed: UnsafeRawBufferPointer) {
        if isPacked {
            writer.varint(UInt64(place.count))
            unsafe writer.append(UnsafeRawBufferPointer(rebasing: packed[place]))
        } else if let value {
            var bytes = ByteWriter(reserving: 128)
            value.pack(into: &bytes)
            writer.block { $0.append(bytes.bytes) }
        }
    }
}
