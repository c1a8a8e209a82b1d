/// Whose events these are: `u:` and the retailer's user id, `a:` and an anonymous id, or, for a customer of whom only
/// another identifier is known, `email:`, `phone:` or `card:` and that identifier.
package struct CustomerKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Prefix and id, 1 to ``Limits/customerKeyBytesMax`` bytes of UTF-8.
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func user(_ id: String) -> CustomerKey { CustomerKey("u:" + id) }
    package static func anonymous(_ id: String) -> CustomerKey { CustomerKey("a:" + id) }

    package var description: String { text }
    /// The hash by which shards and tables are found.
    package var hash: UInt64 { Hashing.hash64(text) }

    package static func < (left: CustomerKey, right: CustomerKey) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

/// A part of the customers: one input stream, one commit stream, one owner at a time.
package struct ShardID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// From 0, below the installation's shard count.
    package let number: UInt16

    package init(_ number: UInt16) { self.number = number }
    /// Traps outside of 0..<65,536.
    package init(index: Int) { number = UInt16(index) }

    package var description: String { String(number) }
    package static func < (left: ShardID, right: ShardID) -> Bool { left.number < right.number }
}

/// Which shard a customer belongs to; the same on every machine and in every version.
package struct ShardMap: Hashable, Sendable {
    /// A power of two, 1 to ``Limits/shardsMax``; fixed when the installation is created.
    package let shards: Int

    /// Nil unless `shards` is a power of two within the limits.
    package init?(shards: Int) {
        guard shards >= 1, shards <= Limits.shardsMax, shards & (shards - 1) == 0 else { return nil }
        self.shards = shards
    }

    @inlinable
    package func shard(hash: UInt64) -> ShardID { ShardID(UInt16(hash & UInt64(shards - 1))) }

    package func shard(of key: CustomerKey) -> ShardID { shard(hash: key.hash) }

    package var all: [ShardID] { (0..<shards).map { ShardID(index: $0) } }
}

/// A rule, stable over revisions: the low half of the hash of its name. Names that collide are refused when applied.
package struct RuleID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }
    package init(name: String) { number = UInt32(truncatingIfNeeded: Hashing.hash64(name)) }

    package var description: String { String(number) }
    package static func < (left: RuleID, right: RuleID) -> Bool { left.number < right.number }
}

/// One thing that a rule decided for a customer on an occasion: a pure function of the three (I5).
package struct ActionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let halves: Halves

    package init(_ value: UInt128) { halves = Halves(value) }

    package var value: UInt128 { halves.value }

    /// 32 hexadecimal digits.
    package init?(text: String) {
        guard text.utf8.count == 32, let value = UInt128(text, radix: 16) else { return nil }
        self.init(value)
    }

    /// 32 hexadecimal digits.
    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    package static func < (left: ActionID, right: ActionID) -> Bool { left.value < right.value }
}

/// One try of one dispatcher to deliver an action.
package struct AttemptID: Hashable, Sendable, CustomStringConvertible {
    /// The dispatcher's run, random.
    package let instance: UInt64
    /// Counts the attempts of that run from 1.
    package let number: UInt64

    package init(instance: UInt64, number: UInt64) {
        self.instance = instance
        self.number = number
    }

    package var description: String { String(instance, radix: 16) + "-" + String(number) }
}
