package import Model

// Reading only: what a shard shows of its customers, between two steps.

extension Shard {
    /// One customer as it is now.
    package func view(of key: CustomerKey) -> CustomerView {
        // The customer's actor shares this shard's executor, which `assumeIsolated` checks: no other thread is in either.
        nonisolated(unsafe) let shard = self
        return customer.assumeIsolated { unsafe shard.view(of: key, $0) }
    }

    private func view(of key: CustomerKey, _ customer: isolated CustomerActor) -> CustomerView {
        let bytes = Array(key.text.utf8)
        var view = CustomerView(customer: key.text, shard: Int(id.number), found: false, currency: rules.set.currency)
        guard activate(0..<bytes.count, of: bytes, hash: key.hash, customer) != nil else { return view }
        view.leadsTo = customer.profile.identity?.leadsTo?.text
        // A mark, or an identifier that so many claim that it leads to nobody.
        guard customer.profile.isCustomer else { return view }
        view.found = true
        view.identifiers = customer.profile.identity?.identifiers.map(\.key.text) ?? []
        view.merged = customer.profile.identity?.merged.map(\.text) ?? []
        describe(customer.profile, in: &view)
        return view
    }

    private func describe(_ profile: Profile, in view: inout CustomerView) {
        for trait in profile.traits { view.traits[trait.name] = trait.value }
        for channel in Channel.allCases { view.consents[channel.name] = profile.consents[channel] }
        view.orderCount = profile.orderCount
        view.orderSum = profile.orderSum
        view.firstOrderMilliseconds = profile.firstOrder?.milliseconds
        view.lastOrderMilliseconds = profile.lastOrder?.milliseconds
        view.views = profile.views
        view.clicks = profile.clicks
        let members = Set(profile.members.map(\.segment))
        view.segments = rules.set.segments.filter { members.contains($0.number) }.map(\.name)
        view.orders = profile.orders.map { order in
            let credited = profile.touches.first { $0.action == order.credit }.map { name(of: $0.rule) }
            return CustomerView.Order(
                id: order.id, placedMilliseconds: order.placed.milliseconds, revenue: order.revenue, state: order.state.name,
                creditedRule: credited)
        }
        view.timers = profile.timers.sorted { $0.due < $1.due }.map { timer in
            CustomerView.Timer(
                rule: name(of: timer.rule), subject: brain.subject(of: timer.occasion), dueMilliseconds: timer.due.milliseconds)
        }
        view.actions = profile.open.map { action in
            CustomerView.Action(
                action: action.id.description, rule: name(of: action.rule), channel: action.channel.name,
                state: action.grant == nil ? "open" : "permitted", timeMilliseconds: action.decided.milliseconds)
        }
        view.actions += profile.touches.map { touch in
            CustomerView.Action(
                action: touch.action.description, rule: name(of: touch.rule), channel: channelName(of: touch.rule), state: "sent",
                timeMilliseconds: touch.time.milliseconds)
        }
    }

    private func name(of rule: RuleID) -> String { rules.rule(rule)?.name ?? rule.description }
    private func channelName(of rule: RuleID) -> String { rules.rule(rule)?.action.channel.name ?? "" }

    /// A page of the actions without an outcome, by customer's slot: from behind the slot `after`. Whole customers, until
    /// the page has its size or enough were looked through.
    package func openActions(after: UInt32?) -> (actions: [OpenActions.Action], next: UInt32?) {
        // The customer's actor shares this shard's executor, which `assumeIsolated` checks: no other thread is in either.
        nonisolated(unsafe) let shard = self
        return customer.assumeIsolated { unsafe shard.openActions(after: after, $0) }
    }

    private func openActions(
        after: UInt32?, _ customer: isolated CustomerActor
    ) -> (actions: [OpenActions.Action], next: UInt32?) {
        let first = after.map { Int($0) + 1 } ?? 0
        let end = min(first + Limits.openPageCustomersMax, table.count)
        var list: [OpenActions.Action] = []
        var bytes = 0
        guard first < end else { return (list, nil) }
        for slot in UInt32(first)..<UInt32(end) where openSlots[slot] != nil {
            customer.activate(slot, in: table)
            for action in customer.profile.open {
                list.append(
                    OpenActions.Action(
                        action: action.id.description, customer: customer.key.text, rule: action.rule.number,
                        channel: action.channel.name, deadlineMilliseconds: action.deadline.milliseconds,
                        dueMilliseconds: action.due.milliseconds,
                        grantedInstance: action.grant.map { String($0.instance, radix: 16) }, grantedNumber: action.grant?.number)
                )
                bytes += OpenActions.Action.bytesMax(customer: customer.key)
            }
            if bytes >= Limits.openPageBytesTarget { return (list, Int(slot) + 1 < table.count ? slot : nil) }
        }
        return (list, end < table.count ? UInt32(end - 1) : nil)
    }
}

extension Shard {
    /// Identifiers at home here that several customers claim, for a manager to decide.
    package func possibleDuplicates() -> PossibleDuplicates {
        // The customer's actor shares this shard's executor, which `assumeIsolated` checks: no other thread is in either.
        nonisolated(unsafe) let shard = self
        return customer.assumeIsolated { unsafe shard.possibleDuplicates($0) }
    }

    private func possibleDuplicates(_ customer: isolated CustomerActor) -> PossibleDuplicates {
        let listed = doubtful.sorted().prefix(Limits.duplicatesListedMax)
        let groups = listed.map { slot in
            customer.activate(slot, in: table)
            return PossibleDuplicates.Group(
                identifier: customer.key.text,
                customers: customer.profile.identity?.claimants.map(\.customer.text) ?? [])
        }
        return PossibleDuplicates(groups: groups, isCut: doubtful.count > groups.count)
    }
}
