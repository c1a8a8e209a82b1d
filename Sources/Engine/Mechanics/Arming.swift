import Model

// Which timers an event sets. A timer belongs to a rule and an occasion; a new occasion of the same kind replaces it.

extension Brain {
    /// The product was bought: every rule of regular consumption that concerns it counts anew.
    mutating func buy(_ product: UInt32, pieces: Int64, at now: Instant, in profile: inout Profile) {
        if let known = profile.purchase(product) {
            // Of two purchases at one instant the first has set the timers: one occasion, one decision.
            guard profile.products[known].last < now else { return }
            profile.products[known].last = now
        } else {
            if profile.products.count >= Limits.productsKeptMax,
                let oldest = profile.products.indices.min(by: { profile.products[$0].last < profile.products[$1].last })
            {
                profile.products.remove(at: oldest)
            }
            profile.products.append(Purchase(product: product, last: now))
        }
        for position in rules.consumption.indices {
            guard var delay = products.reminderDelay(product, consumptionRule: position, rules: rules) else { continue }
            if pieces > 1, let known = products[product],
                let counted = rules.reminderDelay(rule: rules.consumption[position], product: known, pieces: pieces)
            {
                delay = counted
            }
            arm(rules.consumption[position], .product(product), anchor: now, due: now + delay, in: &profile)
        }
    }

    /// The time since the last order counts from `anchor`.
    mutating func armLapse(anchor: Instant, in profile: inout Profile) {
        for index in rules.lapse {
            arm(index, .lapse, anchor: anchor, due: anchor + lapseDelay(rule: index, profile), in: &profile)
        }
    }

    /// How long after the last order the rule takes the customer for lapsed: so much, or by the customer's own rhythm.
    func lapseDelay(rule index: Int, _ profile: Profile) -> Int64 {
        let gist = rules.gists[index]
        guard let percent = gist.rhythmPercent, let own = profile.intervals else { return gist.afterMilliseconds }
        return max(min(percent * own.sum / (100 * own.count), Limits.lastingMillisecondsMax), 1)
    }

    /// An order went away or came back: the last one counts again, unless the lapse after it may have been decided (I5).
    /// One that is overdue is decided now.
    mutating func rearmLapse(anchor: Instant, at now: Instant, in profile: inout Profile) {
        for index in rules.lapse {
            let due = anchor + lapseDelay(rule: index, profile)
            if let decided = profile.lapseDecided, due <= decided { continue }
            arm(index, .lapse, anchor: anchor, due: max(due, now), in: &profile)
        }
    }

    mutating func armReview(order: String, _ lines: [OrderLine], at now: Instant, in profile: inout Profile) {
        for index in rules.review {
            if rules.hasGoods(rule: index) && !lines.contains(where: { rules.concerns(rule: index, product: $0.product) }) {
                continue
            }
            arm(index, .order(order), anchor: now, due: now + rules.gists[index].afterMilliseconds, in: &profile)
        }
    }

    mutating func arm(_ index: Int, _ occasion: Occasion, anchor: Instant, due: Instant, in profile: inout Profile) {
        let rule = rules.gists[index].id
        let timer = Timer(rule: rule, occasion: occasion, anchor: anchor, firstDue: due, due: due)
        if let known = profile.timer(of: rule, occasion) {
            profile.timers[known] = timer
        } else {
            if profile.timers.count >= Limits.timersMax,
                let last = profile.timers.indices.max(by: { profile.timers[$0].due < profile.timers[$1].due })
            {
                effects.addArmed(profile.timers[last].rule, -1)
                profile.timers.remove(at: last)
            }
            profile.timers.append(timer)
            effects.addArmed(rule, 1)
        }
    }

    mutating func disarm(in profile: inout Profile, where gone: (Timer) -> Bool) {
        for timer in profile.timers where gone(timer) { effects.addArmed(timer.rule, -1) }
        profile.timers.removeAll(where: gone)
    }
}
