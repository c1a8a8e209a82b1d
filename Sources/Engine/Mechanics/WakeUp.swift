import Model

// A timer is due: the rule decides, once, and every way this can end leaves a word in the log.

extension Brain {
    /// Runs the first thing that is due at `due`; it is decided at `now`, which is later when it comes late.
    mutating func wake(_ profile: inout Profile, customer: CustomerKey, due: Instant, at now: Instant) {
        if profile.habits.membershipDue <= due.milliseconds {
            // Before what is due at the same instant: rules see the memberships of that instant.
            follow(.time, at: now, isCustomer: profile.isCustomer, in: &profile)
        } else if let index = firstTimer(due: due, &profile) {
            let timer = profile.timers.remove(at: index)
            effects.addArmed(timer.rule, -1)
            decide(timer, at: now, customer: customer, in: &profile)
            if case .date = timer.occasion, profile.timer(of: timer.rule, timer.occasion) == nil {
                armDates(at: max(now, due), in: &profile)
            }
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

    /// Of several timers due then, that of the rule with the highest priority: it is decided first.
    private func firstTimer(due: Instant, _ profile: inout Profile) -> Int? {
        guard let first = profile.timer(due: due) else { return nil }
        var (best, place) = (rules.index(of: profile.timerPart.values[first].rule) ?? Int.max, first)
        for index in profile.timerPart.values.indices.dropFirst(first + 1) where profile.timerPart.values[index].due == due {
            let priority = rules.index(of: profile.timerPart.values[index].rule) ?? Int.max
            if priority < best { (best, place) = (priority, index) }
        }
        return place
    }

    /// Gives the first thing up that is due at `due`, because deciding it ended a worker, and names it for people. The log
    /// gets a word for it unless it was the word that did: then `saying` is false.
    mutating func giveUp(
        _ profile: inout Profile, customer: CustomerKey, due: Instant, at now: Instant, saying: Bool
    ) -> String {
        if profile.habits.membershipDue <= due.milliseconds {
            profile.habits.membershipDue = CustomerTable.noWakeUp
            return "the change of its segments"
        }
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
        if let reason = unwanted(timer.occasion, anchor: timer.anchor, &profile, at: now) {
            return effects.add(.suppressed(decision(reason)))
        }
        if rule.hasSegments, !admits(rules.set.rules[index], &profile, at: now) {
            return effects.add(.suppressed(decision(.notInSegment)))
        }
        guard now == timer.due || now - timer.firstDue <= rule.postponeMilliseconds else {
            return effects.add(.suppressed(decision(.postponedTooLong)))
        }
        if rule.hasHours, let hours = rules.set.rules[index].hours {
            let allowed = hours.nextAllowed(from: now, in: zone(of: profile))
            guard let allowed, allowed - timer.firstDue <= rule.postponeMilliseconds else {
                return effects.add(.suppressed(decision(.postponedTooLong)))
            }
            if allowed > now { return postpone(timer, decision(.quietHours), until: allowed, in: &profile) }
        }
        if let reason = refusal(of: rule.channel, profile) { return effects.add(.suppressed(decision(reason))) }
        switch hold(of: index, at: now, profile) {
        case nil: break
        case .ofRule: return effects.add(.suppressed(decision(.repeatLimit)))
        case .until(let free):
            guard free - timer.firstDue <= rule.postponeMilliseconds else {
                return effects.add(.suppressed(decision(.contactLimit)))
            }
            return postpone(timer, decision(.contactLimit), until: free, in: &profile)
        }
        open(action, timer, rule, subject, at: now, customer: customer, in: &profile)
    }

    private mutating func postpone(_ timer: Timer, _ decision: Decision, until: Instant, in profile: inout Profile) {
        var later = timer
        later.due = until
        profile.timers.append(later)
        effects.addArmed(timer.rule, 1)
        effects.add(.postponed(decision, until: until))
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
        if channel == .record { return contacted(rule.id, channel, at: now, in: &profile) }
        profile.open.append(
            OpenAction(
                id: action, rule: rule.id, channel: channel, occasion: timer.occasion, anchor: timer.anchor, due: timer.firstDue,
                decided: now, deadline: deadline, grant: nil, failures: 0))
    }

    /// Why the occasion is gone: bought since, cancelled since; nil = still wanted.
    mutating func unwanted(_ occasion: Occasion, anchor: Instant, _ profile: inout Profile, at now: Instant) -> Reason? {
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
        case .offer(let id):
            guard let order = profile.orders.last(where: { $0.id.hasBytes(of: id) }) else { return .tooLateForOrder }
            if !order.state.stands { return .orderCancelled }
            return order.state.rawValue >= Order.State.shipped.rawValue ? .tooLateForOrder : nil
        // What the day was set by may have changed: then its timer was taken away with it.
        case .date: return nil
        case .views(let product):
            return profile.bought.contains { $0.product == product && $0.time >= anchor } ? .noLongerWanted : nil
        case .cart:
            let last = profile.lastOrder ?? .distantPast
            let isFull = profile.browsed.contains { $0.act == .addedToCart && $0.time > last }
            return isFull && last < anchor ? nil : .noLongerWanted
        case .segment(let number):
            guard let segment = rules.segments.segments.first(where: { $0.number == number }) else { return .noLongerWanted }
            return isMember(of: segment, &profile, at: now) ? nil : .notInSegment
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
        case .lapse, .cart: ""
        case .product(let product), .views(let product): products.id(of: product)
        case .order(let order), .offer(let order): order
        case .date(let day): CivilDays.text(of: day)
        case .segment(let number): rules.set.segments.first { $0.number == number }?.name ?? ""
        }
    }
}

extension ActionID {
    /// A pure function of customer, rule and occasion (I5): the same decision has the same id on every machine.
    init(_ timer: Timer, customer: CustomerKey, products: ProductTable) {
        var scratch = PackWriter(reserving: 512)
        let subject =
            switch timer.occasion {
            case .product(let product), .views(let product): products.id(of: product)
            case .order(let order), .offer(let order): order
            case .lapse, .date, .cart, .segment: ""
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
        case .offer:
            writer.byte(3)
            writer.string(subject)
        case .date(let day):
            writer.byte(4)
            writer.signed(day)
        case .views:
            writer.byte(5)
            writer.string(subject)
            writer.signed(timer.anchor.milliseconds)
        case .cart:
            writer.byte(6)
            writer.signed(timer.anchor.milliseconds)
        case .segment(let number):
            writer.byte(7)
            writer.fixed(number)
            writer.signed(timer.anchor.milliseconds)
        }
        self.init(unsafe writer.withBytes { unsafe Hashing.hash128($0) })
    }
}
