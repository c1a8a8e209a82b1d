import Model

// How often one customer may be written to. A message counts from the decision on: while its action is open it holds its
// place, and from when it was sent it counts for the window; withdrawn, it never was. Transactional messages neither count
// nor wait.

extension Brain {
    /// What keeps the rule from acting for this customer now.
    enum Hold: Equatable {
        /// The rule has acted often enough.
        case ofRule
        /// There may be room then.
        case until(Instant)
    }

    /// `record` actions reach nobody: only the rule's own limit counts them.
    func hold(of index: Int, at now: Instant, _ profile: Profile) -> Hold? {
        let gist = rules.gists[index]
        if gist.hasRepeatLimit, let limit = rules.set.rules[index].repeatLimit, Self.isUsedUp(limit, gist.id, now, profile) {
            return .ofRule
        }
        if gist.channel == .record || gist.isTransactional { return nil }
        var latest: Instant?
        for limit in rules.set.contactLimits where limit.channel == nil || limit.channel == gist.channel {
            let open = profile.open.count { action in
                counts(action.rule, action.channel, limit)
            }
            let times = profile.contacts.filter {
                now - $0.time < limit.rate.windowMilliseconds && counts($0.rule, $0.channel, limit)
            }
            .map(\.time)
            guard let free = Self.free(limit.rate, times, open, profile, now) else { continue }
            latest = max(latest ?? free, free)
        }
        return latest.map { .until($0) }
    }

    private func counts(_ rule: RuleID, _ channel: Channel, _ limit: ContactLimit) -> Bool {
        guard channel != .record, limit.channel == nil || limit.channel == channel else { return false }
        return rules.index(of: rule).map { !rules.gists[$0].isTransactional } ?? true
    }

    /// Nil = there is room now; else the first instant at which there may be some.
    private static func free(_ rate: RateLimit, _ times: [Instant], _ open: Int, _ profile: Profile, _ now: Instant) -> Instant? {
        guard Int64(times.count + open) >= rate.count else { return nil }
        var free: Instant?
        // One that was sent leaves the window, or one that is open ends unsent.
        let mustLeave = times.count + open - Int(clamping: rate.count)
        if mustLeave < times.count { free = times[mustLeave] + rate.windowMilliseconds }
        for action in profile.open where action.grant == nil { free = min(free ?? action.expires, action.expires) }
        return max(free ?? now + Milliseconds.hour, now + 1)
    }

    /// The rule has acted as often as it may; what is open counts as done.
    private static func isUsedUp(_ limit: RateLimit, _ rule: RuleID, _ now: Instant, _ profile: Profile) -> Bool {
        let done = profile.contacts.count { $0.rule == rule && now - $0.time < limit.windowMilliseconds }
        return Int64(done + profile.open.count { $0.rule == rule }) >= limit.count
    }

    /// The message may have reached the customer.
    func contacted(_ rule: RuleID, _ channel: Channel, at now: Instant, in profile: inout Profile) {
        let index = rules.index(of: rule)
        let hasRepeatLimit = index.map { rules.gists[$0].hasRepeatLimit } ?? false
        guard hasRepeatLimit || channel != .record && !rules.set.contactLimits.isEmpty else { return }
        profile.remember(Contact(time: now, rule: rule, channel: channel))
    }
}
