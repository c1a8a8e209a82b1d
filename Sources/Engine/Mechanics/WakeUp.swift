import Model

// A timer is due: the rule decides, once, and every way this can end leaves a word in the log.

extension Brain {
    /// Runs the first thing that is due at `due`; it is decided at `now`, which is later when it comes late.
    mutating func wake(_ profile: inout Profile, customer: CustomerKey, due: Instant, at now: Instant) {
        if let index = profile.timer(due: due) {
            let timer = profile.timers.remove(at: index)
            effects.addArmed(timer.rule, -1)
            decide(timer, at: now, customer: customer, in: &profile)
            if case .lapse = timer.occasion, profile.timer(of: timer.rule, .lapse) == nil {
                profile.lapseDecided = max(profile.lapseDecided ?? timer.firstDue, timer.firstDue)
            }
        } else if let index = profile.open.firstIndex(where: { $0.grant == nil && $0.expires == due }) {
            let action = profile.open.remove(at: index)
            close(action, .withdrawn, .deadlinePassed, at: now, customer: customer)
        } else {
            // Nothing is: the wake-up was not the lists'. From now on it is.
            profile.changeTimes()
        }
    }

    /// Gives the first thing up that is due at `due`, because deciding it ended a worker, and names it for people. The log
    /// gets a word for it unless it was the word that did: then `saying` is false.
    mutating func giveUp(
        _ profile: inout Profile, customer: CustomerKey, due: Instant, at now: Instant, saying: Bool
    ) -> String {
        if let index = profile.timers.firstIndex(where: { $0.due == due }) {
            let timer = profile.timers.remove(at: index)
            effects.addArmed(timer.rule, -1)
            if timer.occasion == .lapse { profile.lapseDecided = max(profile.lapseDecided ?? timer.firstDue, timer.firstDue) }
            if saying {
                let decision = Decision(
                    customer: customer, action: ActionID(timer, customer: customer, products: products), rule: timer.rule,
                    due: timer.firstDue, decided: now, reason: .trapped)
                effects.add(.suppressed(decision))
            }
            return "the timer of rule \(rules.rule(timer.rule)?.name ?? timer.rule.description)"
        }
        if let index = profile.open.firstIndex(where: { $0.grant == nil && $0.expires == due }) {
            let action = profile.open.remove(at: index)
            close(action, .withdrawn, .trapped, at: now, customer: customer)
            return "the deadline of action \(action.id)"
        }
        preconditionFailure("nothing is due at \(due.milliseconds) ms")
    }

    /// Whether what the timer was set for is still wanted `now`, which is its due time or, after an outage, later.
    private mutating func decide(_ timer: Timer, at now: Instant, customer: CustomerKey, in profile: inout Profile) {
        let subject = subject(of: timer.occasion)
        let action = ActionID(timer, customer: customer, subject: subject, &scratch)
        if decided != nil { decided?[action] = timer }
        func decision(_ reason: Reason) -> Decision {
            Decision(customer: customer, action: action, rule: timer.rule, due: timer.firstDue, decided: now, reason: reason)
        }
        guard let index = rules.index(of: timer.rule) else { return effects.add(.suppressed(decision(.ruleGone))) }
        let rule = rules.gists[index]
        guard rule.enabled else { return effects.add(.suppressed(decision(.ruleOff))) }
        #if DEBUG
            InjectedTrap.hit("wake:" + rules.set.rules[index].name)
        #endif
        profile.unfold(for: timer.occasion)
        if let reason = unwanted(timer.occasion, anchor: timer.anchor, profile) {
            return effects.add(.suppressed(decision(reason)))
        }
        if rule.hasSegments, !rules.set.rules[index].admits(profile, segments: rules.set.segments, at: now) {
            return effects.add(.suppressed(decision(.notInSegment)))
        }
        guard now == timer.due || now - timer.firstDue <= rule.postponeMilliseconds else {
            return effects.add(.suppressed(decision(.postponedTooLong)))
        }
        if rule.hasHours, let hours = rules.set.rules[index].hours {
            let allowed = hours.nextAllowed(from: now, in: rules.set.zone)
            guard let allowed, allowed - timer.firstDue <= rule.postponeMilliseconds else {
                return effects.add(.suppressed(decision(.postponedTooLong)))
            }
            if allowed > now {
                var later = timer
                later.due = allowed
                profile.timers.append(later)
                effects.addArmed(timer.rule, 1)
                return effects.add(.postponed(decision(.quietHours), until: allowed))
            }
        }
        if let reason = refusal(of: rule.channel, profile) { return effects.add(.suppressed(decision(reason))) }
        open(action, timer, rule, subject, at: now, customer: customer, in: &profile)
    }

    private mutating func open(
        _ action: ActionID, _ timer: Timer, _ rule: CompiledRules.Gist, _ subject: String, at now: Instant, customer: CustomerKey,
        in profile: inout Profile
    ) {
        let channel = rule.channel
        if channel != .record {
            guard profile.open.count < Limits.openActionsMax else {
                let decision = Decision(
                    customer: customer, action: action, rule: rule.id, due: timer.firstDue, decided: now, reason: .tooManyOpen)
                return effects.add(.suppressed(decision))
            }
        }
        let deadline = now + rule.postponeMilliseconds + testedChange.deadlineMilliseconds
        effects.add(
            ActionOpened(
                customer: customer, action: action, rule: rule.id, channel: channel, due: timer.firstDue, decided: now,
                deadline: deadline, subject: subject))
        // A recorded action is closed by being opened: nobody delivers it.
        if channel == .record { return }
        profile.open.append(
            OpenAction(
                id: action, rule: rule.id, channel: channel, occasion: timer.occasion, anchor: timer.anchor, due: timer.firstDue,
                decided: now, deadline: deadline, grant: nil, failures: 0))
    }

    /// Why the occasion is gone: bought since, cancelled since; nil = still wanted.
    func unwanted(_ occasion: Occasion, anchor: Instant, _ profile: Profile) -> Reason? {
        switch occasion {
        case .lapse:
            return profile.lastOrder.map { $0 > anchor } ?? true ? .noLongerWanted : nil
        case .product(let product):
            let last = profile.products.first { $0.product == product }?.last
            return last.map { $0 > anchor } ?? false ? .noLongerWanted : nil
        case .order(let id):
            // An order that is kept no more is an old one that stood.
            guard let order = profile.orders.last(where: { $0.id.hasBytes(of: id) }) else { return nil }
            return order.state.stands ? nil : .orderCancelled
        }
    }

    /// Why the channel may not be used for this customer; nil = it may.
    func refusal(of channel: Channel, _ profile: Profile) -> Reason? {
        if case .record = channel { return nil }
        if address(for: channel, profile) == nil { return .noAddress }
        if profile.consents.isSuppressed(channel) { return .addressSuppressed }
        return profile.consents[channel] ?? rules.set.consentAssumed ? nil : .noConsent
    }

    func address(for channel: Channel, _ profile: Profile) -> String? {
        switch channel {
        case .record: nil
        case .email: profile.trait("email")
        case .sms: profile.trait("phone")
        }
    }

    func subject(of occasion: Occasion) -> String {
        switch occasion {
        case .lapse: ""
        case .product(let product): products.id(of: product)
        case .order(let order): order
        }
    }
}

extension ActionID {
    /// A pure function of customer, rule and occasion (I5): the same decision has the same id on every machine.
    init(_ timer: Timer, customer: CustomerKey, products: ProductTable) {
        var scratch = PackWriter(reserving: 512)
        let subject =
            switch timer.occasion {
            case .lapse: ""
            case .product(let product): products.id(of: product)
            case .order(let order): order
            }
        self.init(timer, customer: customer, subject: subject, &scratch)
    }

    /// The same, put together in memory that is there; `subject` is the occasion's product or order.
    init(_ timer: Timer, customer: CustomerKey, subject: String, _ writer: inout PackWriter) {
        writer.removeAll()
        writer.string(customer.text)
        writer.fixed(timer.rule.number)
        switch timer.occasion {
        case .lapse:
            writer.byte(0)
            writer.signed(timer.anchor.milliseconds)
        case .product:
            writer.byte(1)
            writer.string(subject)
            writer.signed(timer.anchor.milliseconds)
        case .order:
            writer.byte(2)
            writer.string(subject)
        }
        self.init(unsafe writer.withBytes { unsafe Hashing.hash128($0) })
    }
}
