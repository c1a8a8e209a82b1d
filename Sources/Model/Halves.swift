/// A 128-bit number in two halves, as values hold it: Swift 6.3 passes a `UInt128` wrongly to asynchronous functions when
/// registers run out, and whoever holds one may be passed to such a function.
package struct Halves: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    package init(_ value: UInt128) {
        high = UInt64(truncatingIfNeeded: value >> 64)
        low = UInt64(truncatingIfNeeded: value)
    }

    package var value: UInt128 { UInt128(high) << 64 | UInt128(low) }
}
