import Model

// The actor alone says what its customer receives: one permit per attempt, and none while another attempt may still have
// sent (I9, I11).
//
//   open --permitRequest, all well--> granted --outcome sent | undeliverable | uncertain--> closed
//   open --permitRequest, not wanted any more--> closed (withdrawn)
//   granted --outcome failed for now--> open (or closed, when that was the last attempt)
//   granted --outcome not tried--> open, as if it had not been asked for
//   open --deadline--> closed (withdrawn)

extension Brain {
    mutating func answer(
        _ attempt: AttemptID, for action: ActionID, at now: Instant, customer: CustomerKey, in profile: inout Profile
    ) {
        func deny(_ reason: Reason) {
            effects.add(.permitDenied(customer: customer, action: action, attempt: attempt, reason: reason))
        }
        guard let index = profile.open.firstIndex(where: { $0.id == action }) else { return deny(.unknownAction) }
        let open = profile.open[index]
        if let holder = open.grant, holder != attempt { return deny(.grantedToAnother) }
        if open.grant == attempt {
            // Said once: the message may have left already, so the answer stays and nothing is withdrawn.
            guard let rule = rules.rule(open.rule) else { return deny(.ruleGone) }
            guard let grant = grant(open, rule, attempt, customer: customer, profile) else { return deny(.noAddress) }
            return effects.add(.permitGranted(grant))
        }
        guard let rule = rules.rule(open.rule) else {
            return withdraw(index, attempt, .ruleGone, at: now, customer: customer, in: &profile)
        }
        if let reason = objection(to: open, rule, at: now, &profile) {
            if reason == .quietHours { return deny(.quietHours) }
            return withdraw(index, attempt, reason, at: now, customer: customer, in: &profile)
        }
        guard let grant = grant(open, rule, attempt, customer: customer, profile) else {
            return withdraw(index, attempt, .noAddress, at: now, customer: customer, in: &profile)
        }
        profile.open[index].grant = attempt
        effects.add(.permitGranted(grant))
    }

    /// What the dispatcher needs to send; nil = there is no way to the customer.
    private func grant(
        _ open: OpenAction, _ rule: Rule, _ attempt: AttemptID, customer: CustomerKey, _ profile: Profile
    ) -> PermitGrant? {
        guard case .email(let template) = rule.action, let address = address(for: .email, profile) else { return nil }
        return PermitGrant(
            customer: customer, action: open.id, attempt: attempt, rule: rule.id, channel: .email, address: address,
            template: template, fields: fields(open, rule, customer: customer, profile), deadline: open.deadline)
    }

    /// Why an open action may not be sent now; nil = it may.
    private mutating func objection(to open: OpenAction, _ rule: Rule, at now: Instant, _ profile: inout Profile) -> Reason? {
        if !rule.enabled { return .ruleOff }
        if now > open.deadline { return .deadlinePassed }
        if let reason = unwanted(open.occasion, anchor: open.anchor, &profile, at: now) { return reason }
        if let reason = refusal(of: rule.action.channel, profile) { return reason }
        if let hours = rule.hours, hours.nextAllowed(from: now, in: zone(of: profile)) != now { return .quietHours }
        return nil
    }

    /// Denies and withdraws.
    private mutating func withdraw(
        _ index: Int, _ attempt: AttemptID, _ reason: Reason, at now: Instant, customer: CustomerKey, in profile: inout Profile
    ) {
        let action = profile.open.remove(at: index)
        effects.add(.permitDenied(customer: customer, action: action.id, attempt: attempt, reason: reason))
        close(action, .withdrawn, reason, at: now, customer: customer)
    }

    mutating func close(
        _ action: ActionID, _ attempt: AttemptID, _ outcome: Outcome, _ detail: String, at now: Instant, customer: CustomerKey,
        in profile: inout Profile
    ) {
        guard let index = profile.open.firstIndex(where: { $0.id == action && $0.grant == attempt }) else {
            effects.add(.repeats, 1)
            return
        }
        var open = profile.open[index]
        switch outcome {
        case .failedForNow:
            open.failures += 1
            if Int(open.failures) >= Limits.attemptsMax {
                profile.open.remove(at: index)
                close(open, .undeliverable, .attemptsExhausted, at: now, customer: customer, detail: detail)
            } else {
                open.grant = nil
                profile.open[index] = open
            }
        case .notTried:
            open.grant = nil
            profile.open[index] = open
        case .sent, .recorded:
            profile.open.remove(at: index)
            close(open, .sent, .none, at: now, customer: customer, detail: detail)
            touch(open, at: now, in: &profile)
            if remembersBrowsing { profile.engage(.sent, at: now) }
            contacted(open.rule, open.channel, at: now, in: &profile)
        case .undeliverable:
            profile.open.remove(at: index)
            close(open, .undeliverable, .refusedByProvider, at: now, customer: customer, detail: detail)
        case .uncertain:
            profile.open.remove(at: index)
            close(open, .uncertain, .none, at: now, customer: customer, detail: detail)
            contacted(open.rule, open.channel, at: now, in: &profile)
        case .withdrawn:
            profile.open.remove(at: index)
            close(open, .withdrawn, .none, at: now, customer: customer, detail: detail)
        }
    }

    mutating func close(
        _ action: OpenAction, _ outcome: Outcome, _ reason: Reason, at now: Instant, customer: CustomerKey, detail: String = ""
    ) {
        effects.add(
            .actionClosed(
                ActionClosed(
                    customer: customer, action: action.id, rule: action.rule, outcome: outcome, reason: reason, time: now,
                    detail: detail)))
    }

    /// What the message's template may name, by name ascending.
    private func fields(_ action: OpenAction, _ rule: Rule, customer: CustomerKey, _ profile: Profile) -> [Trait] {
        var fields = profile.traits.map { Trait("customer." + $0.name, $0.value) }
        fields.append(Trait("customer.id", customer.text))
        fields.append(Trait("rule.name", rule.name))
        fields.append(Trait("rule.title", rule.title))
        switch action.occasion {
        case .lapse, .cart, .segment: break
        case .date(let day): fields.append(Trait("date", CivilDays.text(of: day)))
        case .product(let index), .views(let index):
            if let product = products[index] {
                fields.append(Trait("product.id", product.id))
                if !product.name.isEmpty { fields.append(Trait("product.name", product.name)) }
                if !product.category.isEmpty { fields.append(Trait("product.category", product.category)) }
            }
        case .order(let id), .offer(let id):
            fields.append(Trait("order.id", id))
            fields.append(Trait("order.currency", rules.set.currency))
            if let order = profile.orders.last(where: { $0.id.hasBytes(of: id) }) {
                fields.append(Trait("order.total", decimal(order.revenue, digits: Int(rules.set.currencyDigits))))
            }
        }
        return fields.sorted { $0.name < $1.name }
    }
}

/// Minor units as a decimal number: 1250 with two digits is `12.50`.
func decimal(_ amount: Int64, digits: Int) -> String {
    let sign = amount < 0 ? "-" : ""
    var text = String(amount.magnitude)
    guard digits > 0 else { return sign + text }
    if text.utf8.count <= digits { text = String(repeating: "0", count: digits + 1 - text.utf8.count) + text }
    return sign + text.dropLast(digits) + "." + text.suffix(digits)
}
