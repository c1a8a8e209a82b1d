import Checkers
import Engine
import Model
import Testing

/// Segments of random conditions over random lives of customers: at every instant that is tried the memberships that the
/// actors have are those that come out from nothing.
@Suite("B1 B3 B4 segments")
struct SegmentTests {
    @Test("B1 memberships at every instant are those evaluated from nothing", arguments: 0..<30)
    func exact(_ seed: Int) async throws {
        var life = RandomLife(seed: UInt64(seed))
        let rules = life.rules()
        let harness = try ShardHarness(rules: rules)
        var now = life.start
        for _ in 0..<60 {
            for instant in life.instants(from: now, through: life.next(after: now), rules) {
                try await harness.put(.clock(instant))
                now = instant
                try await Self.compare(harness, life, rules, at: now)
            }
            now = life.now
            let events = life.happen()
            try await harness.put(.events(events))
            try await Self.compare(harness, life, rules, at: now)
        }
        #expect(try await harness.replay())
        #expect(try await harness.replay(from: 40))
        // The sums are the memberships.
        let (sizes, reachable) = (try await Self.sums(harness, .members), try await Self.sums(harness, .reachableMembers))
        for segment in rules.segments {
            let members = life.customers.filter { $0.isKnown && $0.facts.holds(segment.condition, at: now, rules) }
            let key = SumDelta.key(ofSegment: segment.number)
            #expect(sizes[key] ?? 0 == Int64(members.count), "size of \(segment.condition)")
            let reached = members.filter { $0.facts.holds(.any([.reachable(.email), .reachable(.sms)]), at: now, rules) }
            #expect(reachable[key] ?? 0 == Int64(reached.count), "reachable size of \(segment.condition)")
        }
    }

    @Test("B1 C17 another configuration reaches every customer by itself, and its sums are right", arguments: 0..<10)
    func sweep(_ seed: Int) async throws {
        var life = RandomLife(seed: 1000 + UInt64(seed))
        let first = life.rules()
        let harness = try ShardHarness(rules: first)
        for _ in 0..<60 {
            life.now = life.next(after: life.now)
            try await harness.put(.clock(life.now))
            try await harness.put(.events(life.happen()))
        }
        var second = life.rules()
        // Some segments stay under their names, some with another condition, some go.
        second.segments = first.segments.enumerated().map { index, segment in
            index % 3 == 0 ? segment : Segment(name: segment.name, condition: second.segments[index].condition)
        }
        second.segments.removeFirst(2)
        second.segments.append(Segment(name: "new", condition: .orderCount(.atMost, 1)))
        second.revision = first.revision + 1
        // A longer memory would begin with what the shorter one has kept.
        second.memory = first.memory
        let isNumbered = second.numberSegments(after: first)
        #expect(isNumbered)
        try await harness.adopt(second)
        // Time stands still: nothing but the sweep runs.
        try await harness.put(.clock(life.now))
        try await harness.put(.clock(life.now))
        try await Self.compare(harness, life, second, at: life.now)
        let sizes = try await Self.sums(harness, .members)
        let expected = second.segments.map { segment in
            life.customers.filter { $0.isKnown && $0.facts.holds(segment.condition, at: life.now, second) }.count
        }
        #expect(second.segments.map { sizes[SumDelta.key(ofSegment: $0.number)] ?? 0 } == expected.map(Int64.init))
        for segment in first.segments.prefix(2) { #expect(sizes[SumDelta.key(ofSegment: segment.number)] ?? 0 == 0) }
        #expect(try await harness.replay())
        #expect(try await harness.replay(from: 30))
    }

    private static func sums(_ harness: ShardHarness, _ counter: Counter) async throws -> [RuleID: Int64] {
        var sums: [RuleID: Int64] = [:]
        for case .sums(let deltas) in try await harness.effects() {
            for delta in deltas where delta.counter == counter { sums[delta.rule, default: 0] += delta.amount }
        }
        return sums
    }

    private static func compare(_ harness: ShardHarness, _ life: RandomLife, _ rules: RuleSet, at now: Instant) async throws {
        for customer in life.customers where customer.isKnown {
            let expected = rules.segments.filter { customer.facts.holds($0.condition, at: now, rules) }.map(\.name)
            let found = await harness.view(customer.key).segments
            if found != expected {
                let wrong = rules.segments.first { found.contains($0.name) != expected.contains($0.name) }
                let isIn = expected.contains(wrong?.name ?? "")
                Issue.record("\(customer.key) at \(now.milliseconds): \(String(describing: wrong)) should be \(isIn)")
                throw CancellationError()
            }
        }
    }
}

/// Random customers, what happens to them, and rules about them.
struct RandomLife {
    struct Customer {
        let key: CustomerKey
        var facts = ReferenceFacts()
        var orders: [(id: String, placed: Instant, revenue: Int64, stands: Bool, products: [Product])] = []
        var browsed: [ReferenceFacts.Done] = []
        var isKnown = false

        mutating func tell() {
            facts.orders = orders.filter(\.stands).map { ReferenceFacts.Order(placed: $0.placed, revenue: $0.revenue) }
            facts.done =
                browsed
                + orders.filter(\.stands).flatMap { order in
                    Set(order.products).map { ReferenceFacts.Done(act: .bought, product: $0, time: order.placed) }
                }
        }
    }

    let start = Instant(milliseconds: 1_704_067_200_000)
    var dice: Dice
    var now: Instant
    var customers: [Customer] = (0..<4).map { Customer(key: .user("c\($0)")) }
    private var orders = 0
    static let products = (0..<6).map {
        Product(id: "p\($0)", category: ["lenses", "care"][$0 % 2], brand: ["alpha", "beta", "gamma"][$0 % 3])
    }

    init(seed: UInt64) {
        dice = Dice(seed: seed)
        now = start
    }

    // MARK: Rules

    mutating func rules() -> RuleSet {
        let memory = dice.pick([
            Memory(purchasesMilliseconds: 60 * Milliseconds.day, browsingMilliseconds: 20 * Milliseconds.day),
            Memory(purchasesMilliseconds: 400 * Milliseconds.day, browsingMilliseconds: 90 * Milliseconds.day),
        ])
        // Berlin, more or less; its clocks change at local times, over midnight too.
        var summer: [ZoneTable.Transition] = []
        for year in 0..<4 as Range<Int64> {
            let begins = start + (year * 366 + 90) * Milliseconds.day + -Milliseconds.hour
            let ends = start + (year * 366 + 300) * Milliseconds.day + -2 * Milliseconds.hour
            summer.append(ZoneTable.Transition(at: begins, offsetSeconds: 7200))
            summer.append(ZoneTable.Transition(at: ends, offsetSeconds: 3600))
        }
        let zone =
            dice.chance(50) ? ZoneTable.utc : ZoneTable(name: "Europe/Berlin", initialOffsetSeconds: 3600, transitions: summer)
        let segments = (0..<12).map { Segment(name: "s\($0)", condition: condition(depth: 0)) }
        return RuleSet(revision: 1, consentAssumed: dice.chance(50), zone: zone, memory: memory, segments: segments)
    }

    private mutating func comparison() -> Comparison { dice.pick(Comparison.allCases) }
    private mutating func period() -> Int64 {
        dice.pick([1, 7, 30, 61, 365]) * Milliseconds.day + dice.pick([0, 0, 1, 3_600_000])
    }
    private mutating func goods() -> Goods {
        switch dice.below(4) {
        case 0: Goods()
        case 1: Goods(products: [dice.pick(Self.products).id])
        case 2: Goods(categories: [dice.pick(["lenses", "care"])])
        default: Goods(products: ["p1"], brands: [dice.pick(["alpha", "beta"])])
        }
    }

    private mutating func condition(depth: Int) -> Condition {
        if depth < 3 && dice.chance(45) {
            let parts = (0..<1 + dice.below(3)).map { _ in condition(depth: depth + 1) }
            switch dice.below(3) {
            case 0: return .all(parts)
            case 1: return .any(parts)
            default: return .not(parts[0])
            }
        }
        switch dice.below(16) {
        case 0, 1:
            return .orders(dice.pick(OrderFigure.allCases), within: period(), comparison(), dice.pick([0, 1, 2, 3, 500, 1000]))
        case 2: return .orders(dice.pick(OrderFigure.allCases), within: nil, comparison(), dice.pick([0, 1, 2, 5, 700]))
        case 3: return .sinceLastOrder(comparison(), milliseconds: period())
        case 4: return .sinceFirstOrder(comparison(), milliseconds: period())
        case 5, 6:
            return .acts(
                dice.pick(Act.allCases), goods(), within: dice.chance(70) ? period() : nil, comparison(), Int64(dice.below(4)))
        case 7: return .sinceAct(dice.pick(Act.allCases), goods(), comparison(), milliseconds: period())
        case 8: return .rhythm(comparison(), percent: dice.pick([50, 100, 150, 200]))
        case 9: return .pace(comparison(), percent: dice.pick([50, 100, 200]))
        case 10:
            return .trait(
                dice.pick(["city", "points"]),
                dice.pick([.exists, .isOneOf(["Berlin", "Paris"]), .number(comparison(), 100_5000), .contains("er")]))
        case 11: return .anniversary(trait: "birthday", daysBefore: Int64(dice.below(9)), daysAfter: Int64(dice.below(4)))
        case 12: return .sinceEngagement(dice.pick([.opened, .clicked]), comparison(), milliseconds: period())
        case 13: return .consent(.email, dice.pick(ConsentState.allCases))
        case 14: return .reachable(.email)
        default: return .interest(goods(), comparison(), dice.pick([50, 100, 250, 400, 900]))
        }
    }

    // MARK: Events

    mutating func next(after instant: Instant) -> Instant {
        instant + dice.pick([1, Milliseconds.hour, Milliseconds.day, 5 * Milliseconds.day, 40 * Milliseconds.day]) + dice.below(3)
    }

    /// Instants to look at on the way: random ones, and those about which a period of something ends.
    mutating func instants(from: Instant, through end: Instant, _ rules: RuleSet) -> [Instant] {
        now = end
        var found: Set<Instant> = [from + dice.below(end - from + 1), end]
        let customer = dice.pick(customers)
        var times = customer.orders.map(\.placed)
        times += customer.browsed.map(\.time)
        times += customer.facts.engaged.values
        for _ in 0..<12 where !times.isEmpty {
            let instant = dice.pick(times) + (period() + dice.below(Int64(3)) - 1)
            if instant > from && instant < end { found.insert(instant) }
        }
        // About midnight of the zone.
        let day = from + (Milliseconds.day - from.milliseconds % Milliseconds.day)
        for offset in [-7200, -3600, 0] as [Int64] {
            for around in [-1, 0, 1] as [Int64] {
                let instant = day + offset * 1000 + around
                if instant > from && instant < end { found.insert(instant) }
            }
        }
        return found.sorted()
    }

    mutating func happen() -> [Event] {
        let place = dice.below(customers.count)
        let body = body(of: place)
        customers[place].isKnown = true
        customers[place].tell()
        return [Event(customer: customers[place].key, time: now, body: body)]
    }

    private mutating func body(of place: Int) -> Event.Body {
        switch dice.below(10) {
        case 0...2:
            orders += 1
            let products = (0..<dice.below(4)).map { _ in dice.pick(Self.products) }
            let revenue = dice.below(Int64(900))
            customers[place].orders.append((id: "o\(orders)", placed: now, revenue: revenue, stands: true, products: products))
            return .order(
                OrderEvent(
                    orderID: "o\(orders)", change: .placed, revenue: revenue,
                    lines: products.map { OrderLine(product: $0, price: 1) }))
        case 3 where !customers[place].orders.isEmpty:
            let index = dice.below(customers[place].orders.count)
            let order = customers[place].orders[index]
            if dice.chance(50) && order.stands {
                customers[place].orders[index].stands = false
                return .order(OrderEvent(orderID: order.id, change: .cancelled, revenue: nil))
            }
            // Changed, or come back.
            let products = [dice.pick(Self.products)]
            customers[place].orders[index].revenue = 333
            customers[place].orders[index].stands = true
            customers[place].orders[index].products = products
            return .order(
                OrderEvent(orderID: order.id, change: .updated, revenue: 333, lines: products.map { OrderLine(product: $0) }))
        case 4:
            let (name, value) = dice.pick([
                ("city", "Berlin"), ("city", "Amsterdam"), ("points", "100.5"), ("points", "99"), ("points", "many"),
                ("birthday", "1990-02-29"), ("birthday", "1980-07-01"), ("birthday", "--01-01"), ("birthday", "soon"),
                ("email", "a@example.org"), ("email", "b@example.org"), ("city", ""), ("time_zone", "Asia/Tokyo"),
                ("time_zone", "Mars"),
            ])
            if name == "email", let known = customers[place].facts.traits[name], known != value {
                customers[place].facts.suppressed.remove(.email)
            }
            customers[place].facts.traits[name] = value.isEmpty ? nil : value
            let consent: Bool? = dice.pick([nil, true, false])
            if let consent { customers[place].facts.consents[.email] = consent }
            return .identify(
                Identify(traits: [Trait(name, value)], consents: consent.map { [Consent(.email, granted: $0)] } ?? []))
        case 5:
            let kind: Engagement.Kind = dice.pick([.opened, .clicked, .bounced])
            switch kind {
            case .opened: customers[place].facts.engaged[.opened] = now
            case .clicked: customers[place].facts.engaged[.clicked] = now
            default: customers[place].facts.suppressed.insert(.email)
            }
            return .engagement(Engagement(kind: kind))
        default:
            let owner = place
            let kind: ProductEvent.Kind = dice.pick([.viewed, .clicked, .addedToCart, .reviewed, .removedFromCart])
            let product = dice.pick(Self.products)
            switch kind {
            case .viewed, .clicked: customers[place].browsed.append(.init(act: .viewed, product: product, time: now))
            case .addedToCart: customers[place].browsed.append(.init(act: .addedToCart, product: product, time: now))
            case .removedFromCart:
                let place = customers[place].browsed.lastIndex { $0.act == .addedToCart && $0.product.id == product.id }
                if let known = place { customers[owner].browsed.remove(at: known) }
            default: break
            }
            return .product(ProductEvent(kind: kind, product: product))
        }
    }
}
