/// SplitMix64: random numbers that are the same for the same seed, on every machine. A value type.
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// True in so many of 1,000 cases; draws a number only when it could be true.
    package mutating func chance(perMille: Int) -> Bool {
        perMille > 0 && next() % 1000 < UInt64(perMille)
    }
}
