import Model

// Of which segments a customer is. Asked after each event that may have changed the answer, and at the first instant at
// which time alone may: so memberships are exact without anybody looking at customers in turn.
//
//   event or instant --> tests of the segments it may concern --> memberships, sums, the next such instant
//
// A test that is decided says when it could next be decided otherwise with nothing but time going on. A segment's answer
// can change no earlier than that of a test that was asked for it: tests that were passed over do not matter as long as
// those that were asked stay as they are.

/// Memory of one evaluation, used again by the next.
struct MembershipScratch: Sendable {
    /// By test: what it said.
    fileprivate var verdicts: [Verdict] = []
    fileprivate var members: [Member] = []
    /// The earliest instant, milliseconds, at which one of the tests asked may change.
    fileprivate var next = Int64.max
    var dated: [DatedAmount] = []
    fileprivate var milliseconds: [Int64] = []

    fileprivate enum Verdict: UInt8, Sendable { case unknown, no, yes }

    mutating func begin(_ program: SegmentProgram) {
        if verdicts.count != program.tests.count {
            verdicts = [Verdict](repeating: .unknown, count: program.tests.count)
        } else {
            for index in verdicts.indices { verdicts[index] = .unknown }
        }
        next = .max
    }

    /// One of the tests asked may change then.
    mutating func changes(at milliseconds: Int64) { next = min(next, milliseconds) }
}

extension Brain {
    /// Brings the memberships up to `now`, as far as `touched` may have changed them. `isCustomer` false: of none.
    ///
    /// `entering`: rules about customers that come into a segment hear of it.
    mutating func follow(
        _ touched: Facts, at now: Instant, isCustomer: Bool, entering: Bool = true, in profile: inout Profile
    ) {
        let rules = rules
        let asksForReach = !touched.isDisjoint(with: [.consents, .traits])
        if rules.segments.facts.isDisjoint(with: touched) && touched != .all && !asksForReach { return }
        if rules.segments.segments.isEmpty && profile.habits.memberPart.isEmpty {
            profile.habits.membershipDue = CustomerTable.noWakeUp
            profile.habits.isReachable = false
            profile.habits.followedAt = .distantPast
            return
        }
        guard isCustomer else { return leaveSegments(&profile) }
        var now = now
        if !isLive {
            // Events may come out of their order, and what a dispatcher says happens when its action was decided.
            now = max(now, profile.habits.followedAt)
            profile.habits.followedAt = now
        }
        membership.begin(rules.segments)
        membership.members.removeAll(keepingCapacity: true)
        if asksForReach { noteReach(&profile) }
        let isReachable = profile.habits.isReachable
        var place = 0
        var isChanged = false
        var keepsDue = false
        let known = profile.members
        for segment in rules.segments.segments {
            // Of a segment that is there no more.
            while place < known.count && known[place].segment < segment.number {
                effects.addMember(known[place].segment, isReachable: isReachable, -1)
                isChanged = true
                place += 1
            }
            let was = place < known.count && known[place].segment == segment.number
            if was { place += 1 }
            var isMember = was
            if touched == .all || !segment.facts.isDisjoint(with: touched) {
                isMember = holds(segment.root, rules.segments, at: now, &profile)
            } else if segment.facts.contains(.time) {
                keepsDue = true
            }
            if isMember { membership.members.append(Member(segment: segment.number)) }
            if isMember != was {
                effects.addMember(segment.number, isReachable: isReachable, isMember ? 1 : -1)
                isChanged = true
                if !rules.entries.isEmpty {
                    if !isMember {
                        leave(segment.number, in: &profile)
                    } else if entering {
                        enter(segment.number, at: now, in: &profile)
                    }
                }
            }
        }
        while place < known.count {
            effects.addMember(known[place].segment, isReachable: isReachable, -1)
            isChanged = true
            place += 1
        }
        if isChanged { profile.members = membership.members }
        var due = membership.next == .max ? CustomerTable.noWakeUp : membership.next
        if keepsDue && profile.habits.membershipDue > now.milliseconds { due = min(due, profile.habits.membershipDue) }
        profile.habits.membershipDue = due
    }

    /// Whether a message can reach the customer, and with it its memberships.
    private mutating func noteReach(_ profile: inout Profile) {
        let isReachable = refusal(of: .email, profile) == nil || refusal(of: .sms, profile) == nil
        guard isReachable != profile.habits.isReachable else { return }
        profile.habits.isReachable = isReachable
        for member in profile.members { effects.addReachable(member.segment, isReachable ? 1 : -1) }
    }

    /// Brings a customer up to the configuration; false when that changed nothing.
    mutating func bringUp(
        _ profile: inout Profile, isCustomer: Bool, _ fresh: Set<RuleID>, from adopted: Instant, at now: Instant
    ) -> Bool {
        let habits = profile.habits
        let (members, timers) = (profile.members, profile.timers)
        if isCustomer { bringUpTimers(fresh, from: adopted, in: &profile) }
        follow(.all, at: now, isCustomer: isCustomer, entering: false, in: &profile)
        let isSame =
            profile.habits.membershipDue == habits.membershipDue && profile.habits.isReachable == habits.isReachable
            && profile.habits.followedAt == habits.followedAt && profile.members == members && profile.timers == timers
        return !isSame
    }

    /// No member of anything any more.
    mutating func leaveSegments(_ profile: inout Profile) {
        for member in profile.members { effects.addMember(member.segment, isReachable: profile.habits.isReachable, -1) }
        profile.habits.isReachable = false
        if !profile.habits.memberPart.isEmpty { profile.members.removeAll() }
        profile.habits.membershipDue = CustomerTable.noWakeUp
        profile.habits.followedAt = .distantPast
    }

    /// Whether the rule wants customers like this one: in all, in any, in none of its segments; none named = everybody.
    mutating func admits(_ rule: Rule, _ profile: inout Profile, at now: Instant) -> Bool {
        let rules = rules
        membership.begin(rules.segments)
        func isIn(_ index: UInt16, _ brain: inout Brain, _ profile: inout Profile) -> Bool {
            brain.holds(rules.segments.roots[Int(index)], rules.segments, at: now, &profile)
        }
        for index in rule.inAll where !isIn(index, &self, &profile) { return false }
        for index in rule.inNone where isIn(index, &self, &profile) { return false }
        if rule.inAny.isEmpty { return true }
        for index in rule.inAny where isIn(index, &self, &profile) { return true }
        return false
    }

    mutating func isMember(of segment: SegmentProgram.Compiled, _ profile: inout Profile, at now: Instant) -> Bool {
        membership.begin(rules.segments)
        return holds(segment.root, rules.segments, at: now, &profile)
    }

    private mutating func holds(_ node: Int, _ program: SegmentProgram, at now: Instant, _ profile: inout Profile) -> Bool {
        switch program.nodes[node] {
        case .all(let parts):
            for part in parts where !holds(part, program, at: now, &profile) { return false }
            return true
        case .any(let parts):
            for part in parts where holds(part, program, at: now, &profile) { return true }
            return false
        case .not(let part): return !holds(part, program, at: now, &profile)
        case .test(let index):
            if membership.verdicts[index] != .unknown { return membership.verdicts[index] == .yes }
            let holds = ask(program.tests[index], program, at: now, &profile)
            membership.verdicts[index] = holds ? .yes : .no
            return holds
        }
    }

    // MARK: Tests

    private mutating func ask(
        _ test: SegmentProgram.Test, _ program: SegmentProgram, at now: Instant, _ profile: inout Profile
    ) -> Bool {
        switch test {
        case .orders(let figure, let within, let how, let value):
            return ask(orders: figure, within: within, how, value, at: now, &profile)
        case .sinceLastOrder(let how, let value): return ask(age: profile.lastOrder, how, value, at: now)
        case .sinceFirstOrder(let how, let value): return ask(age: profile.firstOrder, how, value, at: now)
        case .acts(let act, let goods, let within, let how, let value):
            return ask(acts: act, goods, within, how, value, program, at: now, &profile)
        case .sinceAct(let act, let goods, let memory, let how, let value):
            guard let last = last(act, goods, program, &profile), now - last < memory else { return false }
            membership.changes(at: last.milliseconds + memory)
            return ask(age: last, how, value, at: now)
        case .rhythm(let how, let percent):
            guard let last = profile.lastOrder, let mean = profile.intervals else { return false }
            // now - last against percent hundredths of sum / count, without a division.
            let (left, right) = (100 * mean.count, percent * mean.sum)
            let age = max(now - last, 0)
            let holds = how.holds(age * left, right)
            change(at: [(right + left - 1) / left, right / left + 1], after: last, now) { how.holds($0 * left, right) != holds }
            return holds
        case .pace(let how, let percent): return profile.pace(&membership.dated).map { $0.holds(how, percent) } ?? false
        case .trait(let name, let what): return profile.trait(name).map { what.holds($0) } ?? false
        case .anniversary(let trait, let before, let after):
            guard let value = profile.trait(trait), let day = CivilDays.YearDay(value) else { return false }
            return ask(day, before, after, at: now, profile)
        case .sinceEngagement(let sign, let how, let value):
            return ask(age: profile.engaged.first { $0.sign == sign }?.last, how, value, at: now)
        case .consent(let channel, let state):
            switch profile.consents[channel] {
            case true: return state == .granted
            case false: return state == .withheld
            case nil: return state == .unknown
            }
        case .reachable(let channel): return channel != .record && refusal(of: channel, profile) == nil
        case .interest(let goods, let how, let value):
            return ask(interest: goods, how, value, program, at: now, &profile)
        }
    }

    /// `candidates`: ages at which the answer may change, ascending. Notes the first one to come for which `isOther` holds.
    private mutating func change(
        at candidates: [Int64], after since: Instant, _ now: Instant, where isOther: (Int64) -> Bool
    ) {
        for age in candidates where since.milliseconds + age > now.milliseconds && age >= 0 && isOther(age) {
            return membership.changes(at: since.milliseconds + age)
        }
    }

    private mutating func ask(age since: Instant?, _ how: Comparison, _ value: Int64, at now: Instant) -> Bool {
        guard let since else { return false }
        let holds = how.holds(max(now - since, 0), value)
        // An age is compared otherwise from `value` on, or from the millisecond behind it on.
        for age in value...value + 1 where since.milliseconds + age > now.milliseconds && how.holds(age, value) != holds {
            membership.changes(at: since.milliseconds + age)
            break
        }
        return holds
    }

    private mutating func ask(
        orders figure: OrderFigure, within: Int64?, _ how: Comparison, _ value: Int64, at now: Instant,
        _ profile: inout Profile
    ) -> Bool {
        guard let within else { return figure.holds(how, value, count: profile.orderCount, sum: profile.orderSum) }
        profile.standing(after: now + -within, into: &membership.dated)
        var count = Int64(membership.dated.count)
        var sum: Int64 = 0
        for order in membership.dated { sum += order.amount }
        let holds = figure.holds(how, value, count: count, sum: sum)
        // One after the other falls out of the period.
        for index in membership.dated.indices {
            let order = membership.dated[index]
            count -= 1
            sum -= order.amount
            let isLastOfInstant =
                index + 1 == membership.dated.count || membership.dated[index + 1].milliseconds != order.milliseconds
            if isLastOfInstant && figure.holds(how, value, count: count, sum: sum) != holds {
                membership.changes(at: order.milliseconds + within)
                break
            }
        }
        return holds
    }

    private mutating func ask(
        acts act: Act, _ goods: Int, _ within: Int64, _ how: Comparison, _ value: Int64, _ program: SegmentProgram,
        at now: Instant, _ profile: inout Profile
    ) -> Bool {
        membership.milliseconds.removeAll(keepingCapacity: true)
        profile.unfold(act)
        let rules = rules
        func gather(_ acts: [PastAct], _ brain: inout Brain) {
            for past in acts where past.act == act && now - past.time < within {
                if brain.products.isAmong(past.product, goods, rules) {
                    brain.membership.milliseconds.append(past.time.milliseconds)
                }
            }
        }
        if act == .bought { gather(profile.bought, &self) } else { gather(profile.browsed, &self) }
        let times = membership.milliseconds
        let holds = how.holds(Int64(times.count), value)
        for index in times.indices where index + 1 == times.count || times[index + 1] != times[index] {
            if how.holds(Int64(times.count - index - 1), value) != holds {
                membership.changes(at: times[index] + within)
                break
            }
        }
        return holds
    }

    private mutating func last(
        _ act: Act, _ goods: Int, _ program: SegmentProgram, _ profile: inout Profile
    ) -> Instant? {
        profile.unfold(act)
        let rules = rules
        func look(_ acts: [PastAct], _ brain: inout Brain) -> Instant? {
            for past in acts.reversed() where past.act == act {
                if brain.products.isAmong(past.product, goods, rules) { return past.time }
            }
            return nil
        }
        return act == .bought ? look(profile.bought, &self) : look(profile.browsed, &self)
    }

    private mutating func ask(
        _ yearDay: CivilDays.YearDay, _ before: Int64, _ after: Int64, at now: Instant, _ profile: Profile
    ) -> Bool {
        let zone = zone(of: profile)
        let today = zone.day(at: now)
        let year = CivilDays.year(of: today)
        var holds = false
        var boundary = Int64.max
        for number in (year - 1...year + 2).map(yearDay.number) {
            if number - before <= today && today <= number + after { holds = true }
            for day in [number - before, number + after + 1] where day > today { boundary = min(boundary, day) }
        }
        guard boundary < .max else { return holds }
        var change = zone.beginning(of: boundary, after: now)
        // Clocks that are put back may take the day back with them.
        if let transition = zone.nextTransition(after: now), transition < change, transition - now <= Milliseconds.day {
            change = transition
        }
        membership.changes(at: change.milliseconds)
        return holds
    }

    // MARK: Interest

    private mutating func ask(
        interest goods: Int, _ how: Comparison, _ value: Int64, _ program: SegmentProgram, at now: Instant,
        _ profile: inout Profile
    ) -> Bool {
        profile.unfold(.bought)
        profile.unfold(.viewed)
        membership.dated.removeAll(keepingCapacity: true)
        let rules = rules
        func gather(_ acts: [PastAct], _ brain: inout Brain) {
            for past in acts where brain.products.isAmong(past.product, goods, rules) {
                brain.membership.dated.append(
                    DatedAmount(
                        milliseconds: past.time.milliseconds, amount: Interest.weight(of: past.act),
                        until: past.time.milliseconds + program.memory.milliseconds(of: past.act)))
            }
        }
        gather(profile.bought, &self)
        gather(profile.browsed, &self)
        let level = Level(of: membership.dated, at: now.milliseconds, against: value)
        if !membership.dated.isEmpty, let change = level.end(membership.dated, after: now.milliseconds, against: value) {
            membership.changes(at: change)
        }
        return level.holds(how)
    }

    /// How an interest compares; it only falls as time goes on.
    private enum Level: Int, Comparable {
        case below, equal, above

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        init(of acts: [DatedAmount], at now: Int64, against value: Int64) {
            var sum: Int64 = 0
            for act in acts where now < act.until { sum += act.amount * Decay.share(ofAge: max(now - act.milliseconds, 0)) }
            let limit = value << Decay.oneBits
            self = sum < limit ? .below : sum == limit ? .equal : .above
        }

        func holds(_ how: Comparison) -> Bool { how.holds(Int64(rawValue), Int64(Level.equal.rawValue)) }

        /// The first instant at which it is another one; nil = never.
        func end(_ acts: [DatedAmount], after now: Int64, against value: Int64) -> Int64? {
            if self == .below { return nil }
            var high = now
            for act in acts { high = max(high, act.until) }
            guard high > now, Level(of: acts, at: high, against: value) != self else { return nil }
            var low = now
            // It is this one at `low` and another one at `high`.
            while high - low > 1 {
                let middle = low + (high - low) / 2
                if Level(of: acts, at: middle, against: value) == self { low = middle } else { high = middle }
            }
            return high
        }
    }
}
