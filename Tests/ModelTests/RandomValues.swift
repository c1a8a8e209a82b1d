import Model

/// Values of every kind from a seed, plausible and extreme ones mixed: the same seed gives the same values everywhere.
struct RandomValues: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<Values: Collection>(_ values: Values) -> Values.Element {
        values[values.index(values.startIndex, offsetBy: below(values.count))]
    }

    mutating func list<Value>(upTo count: Int, _ make: (inout RandomValues) -> Value) -> [Value] {
        (0..<below(count + 1)).map { _ in make(&self) }
    }

    mutating func optional<Value>(_ make: (inout RandomValues) -> Value) -> Value? { chance(50) ? make(&self) : nil }

    mutating func unsigned() -> UInt64 {
        switch below(4) {
        case 0: UInt64(below(300))
        case 1: next() >> UInt64(below(64))
        case 2: pick([0, 1, 127, 128, UInt64(UInt32.max), UInt64(UInt32.max) + 1, UInt64.max])
        default: next()
        }
    }

    mutating func signed() -> Int64 { Int64(bitPattern: unsigned()) }
    mutating func wide() -> UInt128 { UInt128(next()) << 64 | UInt128(next()) }

    mutating func instant() -> Instant {
        switch below(4) {
        case 0: pick([.distantPast, .distantFuture, Limits.timeMin, Limits.timeMax])
        case 1: Instant(milliseconds: pick([Int64.min, -1, 0, 1, Int64.max]))
        default: Instant(milliseconds: 1_704_067_200_000 + Int64(below(15_552_000_000)))
        }
    }

    mutating func text(upTo count: Int = 12) -> String {
        let alphabet: [Character] = ["a", "Z", "0", "-", " ", "é", "e\u{301}", "я", "漢", "👩‍👩‍👧", "\0", "\n", "\"", "{"]
        return String((0..<below(count + 1)).map { _ in pick(alphabet) })
    }

    mutating func key() -> CustomerKey {
        switch below(4) {
        case 0: .user(String(next()))
        case 1: .anonymous(text())
        case 2: CustomerKey(String(repeating: "k", count: pick([1, Limits.customerKeyBytesMax])))
        default: CustomerKey("email:\(text(upTo: 4))@example.org")
        }
    }

    mutating func action() -> ActionID { ActionID(chance(10) ? pick([0, UInt128.max]) : wide()) }
    mutating func rule() -> RuleID { RuleID(UInt32(truncatingIfNeeded: next())) }
    mutating func attempt() -> AttemptID { AttemptID(instance: next(), number: unsigned()) }
    mutating func trait() -> Trait { Trait(text(), text()) }
}

extension RandomValues {
    static let bodyKinds = 8

    mutating func event(_ kind: Int) -> Event {
        Event(
            messageID: chance(30) ? 0 : wide() | 1, customer: key(), time: instant(),
            identifiers: chance(60) ? [] : list(upTo: 4) { $0.identifier() }, body: body(kind))
    }

    mutating func identifier() -> Identifier { Identifier(key(), isVerified: chance(50)) }

    mutating func message() -> ShardMessage {
        switch below(4) {
        case 0: .claim(identifier(), customer: key(), former: optional { $0.key() })
        case 1: .event(event(below(Self.bodyKinds)), arrived: instant())
        case 2: .merge(key(), into: key())
        default: .absorb(key(), into: key(), profile: list(upTo: 9) { UInt8(truncatingIfNeeded: $0.next()) })
        }
    }

    mutating func product() -> Product { Product(id: text(), name: text(), category: text(), brand: text()) }

    mutating func body(_ kind: Int) -> Event.Body {
        switch kind {
        case 0:
            .order(
                OrderEvent(
                    orderID: text(), change: pick(OrderEvent.Change.allCases), revenue: optional { $0.signed() },
                    currency: text(),
                    lines: list(upTo: 4) { OrderLine(product: $0.product(), quantity: $0.signed(), price: $0.signed()) },
                    coupon: text()))
        case 1:
            .product(
                ProductEvent(
                    kind: pick(ProductEvent.Kind.allCases), product: product(), quantity: signed(), price: signed()))
        case 2:
            .identify(
                Identify(
                    traits: list(upTo: 5) { $0.trait() },
                    consents: list(upTo: Channel.allCases.count) {
                        Consent($0.pick(Channel.allCases), granted: $0.chance(50))
                    }))
        case 3:
            .engagement(
                Engagement(
                    kind: pick(Engagement.Kind.allCases), channel: pick(Channel.allCases), action: optional { $0.action() }))
        case 4: .named(name: text(), properties: list(upTo: 40) { UInt8(truncatingIfNeeded: $0.next()) })
        case 5: .alias(previous: key())
        case 6: .permitRequest(action: action(), attempt: attempt())
        default: .outcome(action: action(), attempt: attempt(), outcome: pick(Outcome.allCases), detail: text())
        }
    }
}

extension RandomValues {
    static let effectKinds = 16

    mutating func shard() -> ShardID { ShardID(UInt16(truncatingIfNeeded: next())) }

    mutating func decision() -> Decision {
        Decision(
            customer: key(), action: action(), rule: rule(), due: instant(), decided: instant(), reason: pick(Reason.allCases))
    }

    mutating func effect(_ kind: Int) -> Effect {
        switch kind {
        case 0:
            .actionOpened(
                ActionOpened(
                    customer: key(), action: action(), rule: rule(), channel: pick(Channel.allCases), due: instant(),
                    decided: instant(), deadline: instant(), subject: text()))
        case 1: .suppressed(decision())
        case 2: .postponed(decision(), until: instant())
        case 3:
            .permitGranted(
                PermitGrant(
                    customer: key(), action: action(), attempt: attempt(), rule: rule(), channel: pick(Channel.allCases),
                    address: text(), template: text(), fields: list(upTo: 5) { $0.trait() }, deadline: instant()))
        case 4: .permitDenied(customer: key(), action: action(), attempt: attempt(), reason: pick(Reason.allCases))
        case 5:
            .actionClosed(
                ActionClosed(
                    customer: key(), action: action(), rule: rule(), outcome: pick(Outcome.allCases),
                    reason: pick(Reason.allCases), time: instant(), detail: text()))
        case 6:
            .attributed(
                Attribution(
                    customer: key(), action: action(), rule: rule(), orderID: text(), kind: pick(Attribution.Kind.allCases),
                    revenue: signed(), sales: signed(), conversions: signed(), time: instant()))
        case 7: .setAside(setAside())
        case 8:
            .actionMoved(
                ActionOpened(
                    customer: key(), action: action(), rule: rule(), channel: pick(Channel.allCases), due: instant(),
                    decided: instant(), deadline: instant(), subject: text()))
        case 9: .messageSent(to: shard(), counter: unsigned(), body: message().encoded())
        case 10: .messagesDelivered(to: shard(), through: unsigned())
        case 11: .messageApplied(from: shard(), counter: unsigned())
        case 12: .merged(key(), into: key(), time: instant())
        case 13: .duplicateOffered(key(), key(), identifier: key())
        case 14: .replayed(number: unsigned())
        default:
            .sums(list(upTo: 6) { SumDelta($0.pick(Counter.allCases), rule: $0.rule(), amount: $0.signed()) })
        }
    }

    mutating func setAside() -> SetAside {
        SetAside(
            number: unsigned(), inputSequence: unsigned(), index: UInt32(truncatingIfNeeded: next()), arrived: instant(),
            reason: text(), replayOf: unsigned(), message: list(upTo: 40) { UInt8(truncatingIfNeeded: $0.next()) })
    }

    mutating func place() -> Place {
        below(2) == 0
            ? .event(inputSequence: unsigned(), index: UInt32(truncatingIfNeeded: next()))
            : .wakeUp(due: instant(), slot: UInt32(truncatingIfNeeded: next()))
    }

    mutating func step() -> Step {
        var writer = ByteWriter()
        for _ in 0..<below(5) { effect(below(Self.effectKinds)).write(to: &writer) }
        return Step(
            inputSequence: unsigned(), eventsThrough: UInt32(truncatingIfNeeded: next()), clock: instant(),
            wakeUps: UInt32(truncatingIfNeeded: next()), lateWakeUps: UInt32(truncatingIfNeeded: next()),
            swept: UInt32(truncatingIfNeeded: next()), configuration: unsigned(), effects: writer.bytes)
    }

    mutating func commit() -> Commit {
        Commit(
            kind: pick(Commit.Kind.allCases), shard: ShardID(UInt16(truncatingIfNeeded: next())), epoch: unsigned(),
            number: unsigned(), previousHash: wide(), brain: UInt32(truncatingIfNeeded: next()), owner: text(),
            takeover: below(2) == 0
                ? nil
                : Takeover(
                    inputSequence: unsigned(), eventsThrough: UInt32(truncatingIfNeeded: next()),
                    stalled: UInt32(truncatingIfNeeded: next()), caution: pick(Takeover.Caution.allCases)),
            attempt: below(2) == 0 ? nil : Attempt(place: place(), signal: UInt8(truncatingIfNeeded: next())),
            steps: list(upTo: 4) { $0.step() })
    }
}

extension RandomValues {
    mutating func goods() -> Goods {
        Goods(
            products: list(upTo: 3) { $0.text() }, categories: list(upTo: 3) { $0.text() }, brands: list(upTo: 3) { $0.text() })
    }

    /// Conditions that say something of a customer themselves.
    static let testKinds = 13

    mutating func test(_ kind: Int) -> Condition {
        let comparison = pick(Comparison.allCases)
        return switch kind {
        case 0: .orders(pick(OrderFigure.allCases), within: optional { $0.signed() }, comparison, signed())
        case 1: .sinceLastOrder(comparison, milliseconds: signed())
        case 2: .sinceFirstOrder(comparison, milliseconds: signed())
        case 3: .acts(pick(Act.allCases), goods(), within: optional { $0.signed() }, comparison, signed())
        case 4: .sinceAct(pick(Act.allCases), goods(), comparison, milliseconds: signed())
        case 5: .rhythm(comparison, percent: signed())
        case 6: .pace(comparison, percent: signed())
        case 7: .trait(text(), traitTest())
        case 8: .anniversary(trait: text(), daysBefore: signed(), daysAfter: signed())
        case 9: .sinceEngagement(pick(EngagementSign.allCases), comparison, milliseconds: signed())
        case 10: .consent(pick(Channel.allCases), pick(ConsentState.allCases))
        case 11: .reachable(pick(Channel.allCases))
        default: .interest(goods(), comparison, signed())
        }
    }

    private mutating func traitTest() -> TraitTest {
        switch below(4) {
        case 0: .exists
        case 1: .isOneOf(list(upTo: 3) { $0.text() })
        case 2: .number(pick(Comparison.allCases), signed())
        default: .contains(text())
        }
    }

    mutating func condition(depth: Int = 0) -> Condition {
        guard depth < Condition.depthMax - 1 && chance(40) else { return test(below(Self.testKinds)) }
        return switch below(3) {
        case 0: .not(condition(depth: depth + 1))
        case 1: .all(list(upTo: 2) { $0.condition(depth: depth + 1) })
        default: .any(list(upTo: 2) { $0.condition(depth: depth + 1) })
        }
    }

    /// Numbers as after some revisions: in no order, with gaps.
    mutating func number(_ set: inout RuleSet) {
        let first = UInt16(below(60_000))
        for index in set.segments.indices { set.segments[index].number = first + UInt16(set.segments.count - index) * 3 }
        set.nextSegmentNumber = first + 100
    }

    static let mechanicKinds = 8

    /// Of a rule set with so many segments.
    mutating func mechanic(_ kind: Int, segments: Int) -> Mechanic {
        switch kind {
        case 0:
            .regularConsumption(
                ConsumptionPeriods(
                    defaultMilliseconds: optional { $0.signed() },
                    perProduct: list(upTo: 4) { ProductPeriod(product: $0.text(), milliseconds: $0.signed()) },
                    isPerPiece: chance(50)),
                aheadMilliseconds: signed())
        case 1: .timeSinceLastPurchase(afterMilliseconds: signed(), rhythmPercent: optional { $0.signed() })
        case 2: .upsell(afterMilliseconds: signed(), offers: goods())
        case 3: .personalDate(trait: text(), daysBefore: signed(), minute: UInt16(below(1440)))
        case 4: .viewedProducts(times: signed(), within: signed(), afterMilliseconds: signed())
        case 5: .abandonedCart(afterMilliseconds: signed())
        case 6 where segments > 0: .segmentEntered(UInt16(below(segments)), afterMilliseconds: signed())
        default: .reviewRequest(afterMilliseconds: signed())
        }
    }

    private mutating func rate() -> RateLimit { RateLimit(count: signed(), windowMilliseconds: signed()) }

    mutating func zone() -> ZoneTable {
        ZoneTable(
            name: text(), initialOffsetSeconds: Int32(below(172_799)) - 86_399,
            transitions: list(upTo: 4) {
                ZoneTable.Transition(at: $0.instant(), offsetSeconds: Int32($0.below(172_799)) - 86_399)
            })
    }

    mutating func ruleOfSegments(_ segments: Int) -> Rule {
        func indices(_ values: inout RandomValues) -> [UInt16] {
            segments == 0 ? [] : values.list(upTo: 3) { UInt16($0.below(segments)) }
        }
        return Rule(
            name: text() + "n", title: text() + "t", mechanic: mechanic(below(Self.mechanicKinds), segments: segments),
            enabled: chance(50), goods: goods(),
            inAll: indices(&self), inAny: indices(&self), inNone: indices(&self),
            hours: optional {
                AllowedHours(
                    fromMinute: UInt16($0.below(1440)), toMinute: UInt16($0.below(1440)), weekdays: UInt8(1 + $0.below(127)))
            },
            postponeMilliseconds: signed(), action: chance(50) ? .record : .email(template: text()),
            conversion: optional { Conversion(windowMilliseconds: $0.signed()) }, repeatLimit: optional { $0.rate() },
            isTransactional: chance(50))
    }

    mutating func ruleSet() -> RuleSet {
        let segments = list(upTo: 4) { Segment(name: $0.text() + "n", title: $0.text() + "t", condition: $0.condition()) }
        var set = RuleSet(
            revision: unsigned(), currency: text(upTo: 3), currencyDigits: UInt8(below(4)), fulfilledOnPlaced: chance(50),
            consentAssumed: chance(50), zone: zone(), otherZones: list(upTo: 2) { $0.zone() },
            memory: Memory(purchasesMilliseconds: signed(), browsingMilliseconds: signed()),
            contactLimits: list(upTo: 3) { values in
                ContactLimit(channel: values.optional { $0.pick(Channel.allCases) }, rate: values.rate())
            },
            segments: segments,
            rules: list(upTo: 4) { $0.ruleOfSegments(segments.count) },
            templates: list(upTo: 3) {
                MessageTemplate(name: $0.text(), subject: $0.text(), text: $0.text(), html: $0.text(), from: $0.text())
            })
        number(&set)
        return set
    }
}
