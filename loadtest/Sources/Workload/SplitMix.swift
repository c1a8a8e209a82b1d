/// splitmix64 as a function of its position: the k-th value needs none of those before it.
package struct SplitMix: Sendable {
    package let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// What the generator's `position`-th call of `next()` returns, from 0.
    package func value(at position: UInt64) -> UInt64 {
        Self.mix(seed &+ (position &+ 1) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// The finalizer: a bijection of the 64-bit integers; only 0 is mapped to 0.
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
