package import Model
internal import SimulatedPorts

/// What a shop's customers do, and by which rules they are looked after: a pure function of the seed.
package struct ShopPlan: Sendable {
    /// One event and when it happens, milliseconds from the beginning.
    package struct Entry: Sendable {
        package var at: Int64
        package var event: Event
    }

    /// Ascending by time.
    package internal(set) var entries: [Entry] = []
    /// Orders of customers who have identifiers, by id; each is placed once.
    package internal(set) var identifiedOrders: Set<String> = []
    /// All keys that those may be known by.
    package internal(set) var identifiedKeys: Set<CustomerKey> = []
    /// In the order in which they are applied: the first at the beginning, the others on the way.
    package private(set) var revisions: [RuleSet] = []
    /// How long it lasts.
    package let lengthMilliseconds: Int64
    /// What a day is: a day in event time; a second in live mode, where runs are short.
    package let dayMilliseconds: Int64
    let begin: Instant
    private var random: SplitMix

    /// - Parameters:
    ///   - persons: customers who have identifiers.
    ///   - poisons: events that end whoever applies them.
    package init(
        seed: UInt64, begin: Instant, timeMode: Installation.TimeMode, days: Int64, customers: Int, persons: Int, poisons: Int
    ) {
        random = SplitMix(seed: seed)
        dayMilliseconds = timeMode == .live ? Milliseconds.second : Milliseconds.day
        lengthMilliseconds = days * dayMilliseconds
        self.begin = begin
        let first = Self.rules(&random, day: dayMilliseconds, hours: timeMode == .eventTime)
        revisions = [first, Self.changed(first, &random, day: dayMilliseconds), first]
        for number in 0..<customers { live(customer: number, days: days) }
        for number in 0..<persons { live(person: number) }
        for _ in 0..<poisons { addPoison() }
        entries.sort { ($0.at, $0.event.messageID) < ($1.at, $1.event.messageID) }
    }

    // MARK: Customers

    mutating func draw(_ count: Int64) -> Int64 { Int64(random.next() % UInt64(max(count, 1))) }

    private mutating func live(customer number: Int, days: Int64) {
        let key = CustomerKey.user("c\(number)")
        var events = 0
        func add(_ at: Int64, _ body: Event.Body, to entries: inout [Entry]) {
            events += 1
            let event = Event(
                messageID: Hashing.hash128("\(number)/\(events)"), customer: key, time: begin + at, body: body)
            entries.append(Entry(at: at, event: event))
        }
        var own: [Entry] = []
        if draw(10) < 8 {
            var consents: [Consent] = []
            if draw(10) < 7 { consents.append(Consent(.email, granted: draw(10) < 8)) }
            var traits = [Trait("email", "c\(number)@example.com"), Trait("first_name", "C\(number)")]
            if draw(2) == 0 { traits.insert(Trait("birthday", "1990-0\(1 + draw(9))-1\(draw(10))"), at: 0) }
            if draw(4) == 0 { traits.append(Trait("time_zone", "Asia/Tokyo")) }
            add(draw(2 * dayMilliseconds), .identify(Identify(traits: traits, consents: consents)), to: &own)
        }
        for order in 0..<(1 + draw(6)) {
            let placed = draw(lengthMilliseconds)
            let id = "o\(number)-\(order)"
            let lines = (0...draw(3)).map { _ in
                OrderLine(
                    product: Self.product(draw(6)), quantity: 1 + draw(3),
                    price: 100 * (1 + draw(90)))
            }
            let revenue: Int64? = draw(2) == 0 ? nil : 500 * (1 + draw(40))
            let event = OrderEvent(orderID: id, change: .placed, revenue: revenue, lines: lines)
            add(placed, .order(event), to: &own)
            if draw(6) == 0 { add(placed + draw(dayMilliseconds), .order(event), to: &own) }
            for change in [OrderEvent.Change.paid, .shipped, .fulfilled, .updated, .refunded, .cancelled, .placed] {
                let odds: Int64 = change == .fulfilled ? 2 : 6
                guard draw(odds) == 0 else { continue }
                let late = placed + draw(4 * dayMilliseconds)
                let worth: Int64? = change == .updated || change == .refunded ? 100 * (1 + draw(50)) : nil
                let isWhole = change == .fulfilled || change == .placed
                add(
                    late,
                    .order(OrderEvent(orderID: id, change: change, revenue: worth, lines: isWhole ? lines : [])), to: &own)
            }
        }
        for _ in 0..<draw(8) {
            let at = draw(lengthMilliseconds)
            let kinds: [ProductEvent.Kind] = [.viewed, .viewed, .addedToCart, .removedFromCart]
            let product = ProductEvent(kind: kinds[Int(draw(4))], product: Self.product(draw(6)))
            switch draw(6) {
            case 0: add(at, .engagement(Engagement(kind: .bounced)), to: &own)
            case 1: add(at, .engagement(Engagement(kind: .unsubscribed)), to: &own)
            case 2: add(at, .identify(Identify(consents: [Consent(.email, granted: true)])), to: &own)
            case 3: add(at, .identify(Identify(traits: [Trait("email", "n\(number)@example.com")])), to: &own)
            default: add(at, .product(product), to: &own)
            }
        }
        entries += own.filter { $0.at < lengthMilliseconds }
    }

    /// Of one category all along.
    private static func product(_ number: Int64) -> Product { Product(id: "p\(number)", category: "k\(number % 2)") }

    // MARK: Rules

    private static func rules(_ random: inout SplitMix, day: Int64, hours: Bool) -> RuleSet {
        func draw(_ count: UInt64) -> Int64 { Int64(random.next() % count) }
        let day8to20 = AllowedHours(fromMinute: 480, toMinute: 1200, weekdays: draw(2) == 0 ? 0x7f : 0x1f)
        let night = AllowedHours(fromMinute: 1260, toMinute: 300)
        let conversion = Conversion(windowMilliseconds: (2 + draw(8)) * day)
        let email = ActionKind.email(template: "letter")
        return RuleSet(
            fulfilledOnPlaced: draw(2) == 0, consentAssumed: draw(3) == 0,
            otherZones: [ZoneTable(name: "Asia/Tokyo", initialOffsetSeconds: 32_400)],
            memory: Memory(purchasesMilliseconds: 60 * day, browsingMilliseconds: 20 * day),
            contactLimits: [ContactLimit(channel: nil, rate: RateLimit(count: 1 + draw(3), windowMilliseconds: 5 * day))],
            segments: [
                Segment(name: "regular", condition: .orderCount(.atLeast, 2)),
                Segment(
                    name: "big",
                    condition: .any([.orderSum(.greater, 30_000), .sinceFirstOrder(.greater, milliseconds: 25 * day)])),
                Segment(name: "fresh", condition: .not(.sinceLastOrder(.greater, milliseconds: 9 * day))),
                Segment(
                    name: "busy",
                    condition: .any([
                        .orders(.count, within: 6 * day, .atLeast, 2),
                        .acts(.viewed, Goods(categories: ["k1"]), within: 4 * day, .atLeast, 2),
                    ])),
                Segment(name: "keen", condition: .interest(Goods(), .atLeast, 600)),
            ],
            rules: [
                Rule(
                    name: "lapsed", mechanic: .timeSinceLastPurchase(afterMilliseconds: (4 + draw(8)) * day),
                    inNone: draw(2) == 0 ? [1] : [], hours: hours && draw(2) == 0 ? night : nil,
                    postponeMilliseconds: (1 + draw(3)) * day, action: email, conversion: conversion),
                Rule(
                    name: "reorder",
                    mechanic: .regularConsumption(
                        ConsumptionPeriods(
                            defaultMilliseconds: draw(2) == 0 ? nil : 5 * day,
                            perProduct: [
                                ProductPeriod(product: "p1", milliseconds: 3 * day),
                                ProductPeriod(product: "p2", milliseconds: (4 + draw(3)) * day),
                            ]), aheadMilliseconds: day / 2),
                    goods: Goods(categories: draw(2) == 0 ? ["k0"] : []), inAny: draw(2) == 0 ? [0, 2] : [],
                    postponeMilliseconds: (1 + draw(5)) * day, action: draw(3) == 0 ? .record : email, conversion: conversion),
                Rule(
                    name: "review", mechanic: .reviewRequest(afterMilliseconds: 2 * day),
                    goods: Goods(products: ["p1", "p2", "p3"]),
                    inAll: draw(3) == 0 ? [0] : [], hours: hours ? day8to20 : nil, postponeMilliseconds: (1 + draw(3)) * day,
                    action: email, conversion: draw(2) == 0 ? conversion : nil),
                Rule(
                    name: "complete", mechanic: .upsell(afterMilliseconds: draw(2) * day / 8, offers: Goods(products: ["p5"])),
                    goods: Goods(categories: ["k0"]), postponeMilliseconds: day, action: email, conversion: conversion),
                Rule(
                    name: "cart", mechanic: .abandonedCart(afterMilliseconds: day / 24), postponeMilliseconds: 2 * day,
                    action: draw(2) == 0 ? .record : email, repeatLimit: RateLimit(count: 1, windowMilliseconds: 6 * day)),
                Rule(
                    name: "looked", mechanic: .viewedProducts(times: 2, within: 10 * day, afterMilliseconds: day / 4),
                    inNone: [4], postponeMilliseconds: day, action: .record, isTransactional: true),
                Rule(
                    name: "welcome", mechanic: .segmentEntered(UInt16(draw(4)), afterMilliseconds: draw(2) * day / 2),
                    postponeMilliseconds: 4 * day, action: email, conversion: conversion),
                Rule(
                    name: "birthday", mechanic: .personalDate(trait: "birthday", daysBefore: draw(3) - 1, minute: 600),
                    postponeMilliseconds: 2 * day, action: draw(2) == 0 ? .record : email),
            ],
            templates: [MessageTemplate(name: "letter", subject: "Hello", text: "Hello", from: "shop@example.com")])
    }

    /// The rules as they are for a while in the middle: one is off, one waits longer.
    private static func changed(_ rules: RuleSet, _ random: inout SplitMix, day: Int64) -> RuleSet {
        var changed = rules
        let off = Int(random.next() % UInt64(rules.rules.count))
        changed.rules[off].enabled = false
        if random.next() % 2 == 0 { changed.rules.remove(at: (off + 1) % rules.rules.count) }
        changed.consentAssumed.toggle()
        changed.segments[3].condition = .orders(.sum, within: 8 * day, .atLeast, 9000)
        changed.numberSegments(after: rules)
        return changed
    }
}
