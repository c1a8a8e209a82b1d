internal import Model

// What else happens to a customer: what is known of it, permits and outcomes.

extension ReferenceCustomer {
    mutating func apply(_ body: Event.Body, at now: Instant, _ rules: RuleSet, _ products: inout [String: Product]) {
        switch body {
        case .order(let order): apply(order, at: now, rules, &products)
        case .identify(let identify):
            for trait in identify.traits {
                if trait.name == "email", let known = traits["email"], known != trait.value { isSuppressed = false }
                traits[trait.name] = trait.value.isEmpty ? nil : trait.value
            }
            for given in identify.consents where given.channel == .email { consent = given.granted }
            if !identify.traits.isEmpty { armDates(identify.traits.map(\.name), at: now, rules) }
        case .engagement(let engagement) where engagement.channel == .email:
            if engagement.kind == .bounced || engagement.kind == .markedAsSpam { isSuppressed = true }
            if engagement.kind == .unsubscribed { consent = false }
            if rules.memory.browsingMilliseconds > 0 {
                if engagement.kind == .opened { engaged[.opened] = max(engaged[.opened] ?? now, now) }
                if engagement.kind == .clicked { engaged[.clicked] = max(engaged[.clicked] ?? now, now) }
            }
        case .permitRequest(let action, let attempt): answer(attempt, action, at: now, rules)
        case .outcome(let action, let attempt, let outcome, let detail):
            finish(action, attempt, outcome, detail, at: now, rules)
        case .product(let product): apply(product, at: now, rules)
        case .engagement, .named, .alias: break
        }
        look(at: now, rules)
    }

    private mutating func answer(_ attempt: AttemptID, _ action: ActionID, at now: Instant, _ rules: RuleSet) {
        func denied(_ reason: Reason) -> Effect {
            .permitDenied(customer: key, action: action, attempt: attempt, reason: reason)
        }
        guard let place = open.firstIndex(where: { $0.action == action }) else { return decided.append(denied(.unknownAction)) }
        let asked = open[place]
        if let holder = asked.grant, holder != attempt { return decided.append(denied(.grantedToAnother)) }
        let rule = rules.rules.first { $0.id == asked.rule }
        guard asked.grant == nil else {
            guard let rule else { return decided.append(denied(.ruleGone)) }
            return decided.append(grant(asked, rule, attempt) ?? denied(.noAddress))
        }
        var reason: Reason?
        if let rule {
            if !rule.enabled { reason = .ruleOff }
            if reason == nil && now > asked.deadline { reason = .deadlinePassed }
            reason = reason ?? unwanted(asked.timer, at: now, rules) ?? refusal(rule, rules)
            if reason == nil, let hours = rule.hours, Self.firstAllowed(hours, from: now, zone(rules)) != now {
                return decided.append(denied(.quietHours))
            }
            if reason == nil, let granted = grant(asked, rule, attempt) {
                open[place].grant = attempt
                return decided.append(granted)
            }
        }
        let why = reason ?? (rule == nil ? .ruleGone : .noAddress)
        decided.append(denied(why))
        close(open.remove(at: place), .withdrawn, why, at: now)
    }

    /// Without the fields that the template may name: what stands in them is not decided.
    private func grant(_ asked: Open, _ rule: Rule, _ attempt: AttemptID) -> Effect? {
        guard case .email(let template) = rule.action, let address = traits["email"] else { return nil }
        return .permitGranted(
            PermitGrant(
                customer: key, action: asked.action, attempt: attempt, rule: rule.id, channel: .email, address: address,
                template: template, fields: [], deadline: asked.deadline))
    }

    private mutating func finish(
        _ action: ActionID, _ attempt: AttemptID, _ outcome: Outcome, _ detail: String, at now: Instant, _ rules: RuleSet
    ) {
        guard let place = open.firstIndex(where: { $0.action == action && $0.grant == attempt }) else {
            counts.counters[.repeats, default: 0] += 1
            return
        }
        switch outcome {
        case .failedForNow:
            open[place].failures += 1
            open[place].grant = nil
            if open[place].failures >= Limits.attemptsMax {
                close(open.remove(at: place), .undeliverable, .attemptsExhausted, at: now, detail: detail)
            }
        case .notTried: open[place].grant = nil
        case .sent, .recorded:
            let sent = open.remove(at: place)
            close(sent, .sent, .none, at: now, detail: detail)
            if rules.memory.browsingMilliseconds > 0 { engaged[.sent] = max(engaged[.sent] ?? now, now) }
            contacted(sent.rule, .email, at: now, rules)
            guard let conversion = rules.rules.first(where: { $0.id == sent.rule })?.conversion else { return }
            forgetTouches(at: now)
            touches.append(Touch(action: action, rule: sent.rule, time: now, end: now + conversion.windowMilliseconds))
        case .undeliverable: close(open.remove(at: place), .undeliverable, .refusedByProvider, at: now, detail: detail)
        case .uncertain:
            let uncertain = open.remove(at: place)
            close(uncertain, .uncertain, .none, at: now, detail: detail)
            contacted(uncertain.rule, .email, at: now, rules)
        case .withdrawn: close(open.remove(at: place), .withdrawn, .none, at: now, detail: detail)
        }
    }
}
