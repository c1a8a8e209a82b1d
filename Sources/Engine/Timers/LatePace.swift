import Model

/// How much of what is late a shard may run now: a portion in each interval of the owner's clock.
struct LatePace: Sendable {
    private var next = Instant.distantPast

    /// Customers that may be woken late at `now`; 0 = not yet.
    func portion(at now: Instant) -> UInt32 {
        // A clock that was set back by more than an interval holds nothing up.
        let isOpen = now >= next || next - now > Limits.latePortionMilliseconds
        return isOpen ? UInt32(Limits.latePortion) : 0
    }

    mutating func took(_ count: UInt32, at now: Instant) {
        if count > 0 { next = now + Limits.latePortionMilliseconds }
    }
}
