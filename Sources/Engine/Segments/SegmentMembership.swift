package import Model

extension Condition {
    /// Whether it holds for the profile at an instant. Pure; no allocation.
    package func holds(for profile: Profile, at now: Instant) -> Bool {
        switch self {
        case .all(let parts):
            for part in parts where !part.holds(for: profile, at: now) { return false }
            return true
        case .any(let parts):
            for part in parts where part.holds(for: profile, at: now) { return true }
            return false
        case .not(let part):
            return !part.holds(for: profile, at: now)
        case .orderCount(let how, let value):
            return how.holds(profile.orderCount, value)
        case .orderSum(let how, let value):
            return how.holds(profile.orderSum, value)
        case .sinceLastOrder(let how, let milliseconds):
            guard let last = profile.lastOrder else { return false }
            return how.holds(now - last, milliseconds)
        case .sinceFirstOrder(let how, let milliseconds):
            guard let first = profile.firstOrder else { return false }
            return how.holds(now - first, milliseconds)
        }
    }
}

extension Rule {
    /// All / any of / excluded; no segments named = everybody.
    func admits(_ profile: Profile, segments: [Segment], at now: Instant) -> Bool {
        for index in inAll where !segments[Int(index)].condition.holds(for: profile, at: now) { return false }
        for index in inNone where segments[Int(index)].condition.holds(for: profile, at: now) { return false }
        if inAny.isEmpty { return true }
        for index in inAny where segments[Int(index)].condition.holds(for: profile, at: now) { return true }
        return false
    }
}
