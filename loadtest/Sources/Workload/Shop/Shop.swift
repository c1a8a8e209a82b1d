package import Model

/// Plays the shop hour by hour. Of one customer the events come in the order of their time, of all of them in that of the
/// hours in which visits begin. A value type; what it keeps is some 60 bytes a customer.
package struct Shop {
    package let workload: ShopWorkload
    /// Of all hours so far.
    package private(set) var tally = ShopTally()
    private var hour = 0
    private var buyers: [Buyer]
    /// Who comes in an hour: a chain from its first visitor on.
    private var first: [UInt32]
    private var following: [UInt32]

    private static let nobody = UInt32.max
    private static let cities = ["Berlin", "Hamburg", "Wien", "Köln", "Zürich", "Leipzig", "Bremen", "Graz"]
    private static let names = ["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas"]

    package init(_ workload: ShopWorkload) {
        self.workload = workload
        buyers = Array(repeating: Buyer(), count: workload.customers)
        first = Array(repeating: Self.nobody, count: workload.hours)
        following = Array(repeating: Self.nobody, count: workload.customers)
        for customer in buyers.indices.reversed() {
            let character = Character(seed: workload.seed, customer: customer, minutes: workload.hours * 60)
            buyers[customer].browse = character.arrives
            if character.buysAtOnce { buyers[customer].purchase = character.arrives }
            expect(customer)
        }
    }

    /// The visits that begin in the next hour; false = the time is over.
    package mutating func nextHour(_ emit: (Event) -> Void) -> Bool {
        guard hour < workload.hours else { return false }
        var customer = first[hour]
        first[hour] = Self.nobody
        hour += 1
        while customer != Self.nobody {
            let number = Int(customer)
            customer = following[number]
            visit(number, emit)
            expect(number)
        }
        return true
    }

    /// Notes when it comes next, if that is within the time.
    private mutating func expect(_ customer: Int) {
        let hour = Int(buyers[customer].next) / 60
        // A visit takes an hour at most, and everything happens before the closing.
        guard hour < first.count - 1 else { return }
        following[customer] = first[hour]
        first[hour] = UInt32(customer)
    }

    private mutating func visit(_ customer: Int, _ emit: (Event) -> Void) {
        let character = Character(seed: workload.seed, customer: customer, minutes: workload.hours * 60)
        var buyer = buyers[customer]
        var visit = Visit(
            customer: customer, began: buyer.next, seed: workload.seed,
            draws: Draws(seed: workload.seed, customer: customer, visit: buyer.visits), events: buyer.events)
        let buys = buyer.purchase <= buyer.next
        let refills = buyer.refill <= buyer.next
        if buyer.visits == 0 { begin(&buyer, character, &visit, emit) }
        cancel(&buyer, &visit, emit)
        let stays = readMail(&buyer, &visit, emit)
        if stays || buys || refills {
            lookAround(character, &visit, emit)
            if buys || refills {
                order(&buyer, character, refill: refills ? Int(buyer.refillProduct) : nil, &visit, emit)
            } else if visit.draws.happens(150) {
                let product = visit.product(of: character)
                touch(.addedToCart, product, &visit, emit)
                tally.addedToCart += 1
                if visit.draws.happens(200) {
                    touch(.removedFromCart, product, &visit, emit)
                }
            }
        }
        plan(&buyer, character, bought: buys, &visit)
        buyer.visits += 1
        buyer.events = visit.events
        buyers[customer] = buyer
    }

    /// The first visit.
    private mutating func begin(
        _ buyer: inout Buyer, _ character: Character, _ visit: inout Visit, _ emit: (Event) -> Void
    ) {
        tally.customers += 1
        guard character.isRegistered else { return }
        let traits = [
            Trait("city", Self.cities[visit.draws.below(Self.cities.count)]),
            Trait("email", "c\(visit.customer)@shop.example"),
            Trait("first_name", Self.names[visit.draws.below(Self.names.count)]),
        ]
        send(.identify(Identify(traits: traits, consents: [Consent(.email, granted: character.consents)])), &visit, emit)
        tally.identified += 1
        buyer.reads = character.consents
    }

    /// One order in fifty is cancelled when its buyer comes next.
    private mutating func cancel(_ buyer: inout Buyer, _ visit: inout Visit, _ emit: (Event) -> Void) {
        guard buyer.mayCancel else { return }
        buyer.mayCancel = false
        guard visit.draws.happens(20) else { return }
        let time = send(
            .order(OrderEvent(orderID: "o\(visit.customer)-\(buyer.orders)", change: .cancelled, revenue: nil, lines: [])),
            &visit,
            emit)
        tally.orders -= 1
        tally.revenue -= Int64(buyer.orderedFor)
        tally.cancelled += 1
        let due = visit.instant(buyer.orderedAt) + Visit.orderMilliseconds + ShopWorkload.reviewMilliseconds
        if due <= workload.closing && due > time { tally.reviews -= 1 }
    }

    /// Every fifth visit of those who may be written to begins with an e-mail. False when it ends with it, too.
    private mutating func readMail(_ buyer: inout Buyer, _ visit: inout Visit, _ emit: (Event) -> Void) -> Bool {
        guard buyer.reads, visit.draws.happens(200) else { return true }
        send(.engagement(Engagement(kind: .opened)), &visit, emit)
        tally.opened += 1
        if visit.draws.happens(20) {
            send(.engagement(Engagement(kind: .unsubscribed)), &visit, emit)
            tally.unsubscribed += 1
            buyer.reads = false
            return false
        }
        guard visit.draws.happens(600) else { return false }
        send(.engagement(Engagement(kind: .clicked)), &visit, emit)
        tally.clicked += 1
        return true
    }

    private mutating func lookAround(_ character: Character, _ visit: inout Visit, _ emit: (Event) -> Void) {
        for _ in 0...visit.draws.below(4) {
            let product = visit.product(of: character)
            touch(.viewed, product, &visit, emit)
            tally.views += 1
        }
    }

    private mutating func order(
        _ buyer: inout Buyer, _ character: Character, refill: Int?, _ visit: inout Visit, _ emit: (Event) -> Void
    ) {
        var products = [refill ?? visit.product(of: character)]
        while products.count < 4 && visit.draws.happens(350) {
            let more = visit.product(of: character)
            if !products.contains(more) { products.append(more) }
        }
        var lines: [OrderLine] = []
        for product in products {
            let quantity = visit.draws.happens(150) ? 2 : 1
            let price = ShopGoods.price(product)
            touch(.addedToCart, product, &visit, emit)
            tally.addedToCart += 1
            lines.append(OrderLine(product: ShopGoods.all[product], quantity: Int64(quantity), price: price))
        }
        let revenue = lines.reduce(0) { $0 + $1.quantity * $1.price }
        buyer.orders += 1
        let time = visit.atOrder()
        send(
            .order(OrderEvent(orderID: "o\(visit.customer)-\(buyer.orders)", change: .placed, revenue: revenue, lines: lines)),
            &visit, emit)
        buyer.orderedAt = visit.began
        buyer.orderedFor = UInt32(revenue)
        buyer.mayCancel = true
        tally.orders += 1
        tally.revenue += revenue
        if time + ShopWorkload.reviewMilliseconds <= workload.closing { tally.reviews += 1 }
        buyer.refill = Buyer.never
        if let consumable = products.first(where: { ShopGoods.periodDays($0) != nil }),
            let days = ShopGoods.periodDays(consumable), visit.draws.happens(650)
        {
            // From a little early to a good while late.
            let minutes = days * 1440 * (850 + visit.draws.below(400)) / 1000
            buyer.refill = visit.began + UInt32(minutes)
            buyer.refillProduct = UInt16(consumable)
        }
    }

    /// When it comes next, and whether it still buys.
    private mutating func plan(_ buyer: inout Buyer, _ character: Character, bought: Bool, _ visit: inout Visit) {
        // No visit begins before the last one is over.
        let over = visit.began + 60
        func later(_ minutes: Int64) -> UInt32 { UInt32(clamping: Int64(over) + minutes) }
        if bought {
            buyer.purchase = Buyer.never
            if Int64(visit.draws.next() >> 48) < character.dropout {
                buyer.hasLeft = true
                buyer.refill = Buyer.never
            } else {
                buyer.purchase = later(visit.draws.waiting(mean: character.purchaseMinutes))
            }
        } else if buyer.visits == 0 && buyer.purchase == Buyer.never {
            buyer.purchase = later(visit.draws.waiting(mean: character.purchaseMinutes))
        }
        if buyer.browse <= visit.began {
            buyer.browse = later(visit.draws.waiting(mean: character.browseMinutes * (buyer.hasLeft ? 8 : 1)))
        }
        buyer.browse = max(buyer.browse, over)
        if buyer.refill != Buyer.never { buyer.refill = max(buyer.refill, over) }
        if buyer.purchase != Buyer.never { buyer.purchase = max(buyer.purchase, over) }
    }

    private mutating func touch(_ kind: ProductEvent.Kind, _ product: Int, _ visit: inout Visit, _ emit: (Event) -> Void) {
        let price = ShopGoods.price(product)
        send(.product(ProductEvent(kind: kind, product: ShopGoods.all[product], price: price)), &visit, emit)
    }

    @discardableResult
    private mutating func send(_ body: Event.Body, _ visit: inout Visit, _ emit: (Event) -> Void) -> Instant {
        let event = visit.event(body)
        tally.events += 1
        emit(event)
        return event.time
    }
}

/// One stay in the shop.
private struct Visit {
    /// An order is placed so long after the visit's beginning, when everything else has happened.
    static let orderMilliseconds = 50 * Milliseconds.minute

    let customer: Int
    let began: UInt32
    let seed: UInt64
    var draws: Draws
    /// Of the customer so far; numbers the next one.
    var events: UInt32
    private var time: Instant

    init(customer: Int, began: UInt32, seed: UInt64, draws: Draws, events: UInt32) {
        self.customer = customer
        self.began = began
        self.seed = seed
        self.draws = draws
        self.events = events
        time = ShopWorkload.start + Int64(began) * Milliseconds.minute
    }

    func instant(_ minute: UInt32) -> Instant { ShopWorkload.start + Int64(minute) * Milliseconds.minute }

    /// Moves on to the moment at which an order is placed.
    mutating func atOrder() -> Instant {
        time = instant(began) + Self.orderMilliseconds
        return time
    }

    /// Of one of its interests, the first most; what is popular there comes more often.
    mutating func product(of character: Character) -> Int {
        let category =
            switch draws.below(10) {
            case 0...5: character.interests.0
            case 6...8: character.interests.1
            default: character.interests.2
            }
        let perCategory = ShopGoods.products / ShopGoods.categories
        return category + ShopGoods.categories * min(draws.below(perCategory), draws.below(perCategory))
    }

    /// The next event, some seconds behind the one before.
    mutating func event(_ body: Event.Body) -> Event {
        events += 1
        let event = Event(
            messageID: UInt128(SplitMix.mix(seed &+ UInt64(customer))) << 64
                | UInt128(SplitMix.mix((UInt64(customer) + 1) << 24 | UInt64(events))),
            customer: .user(String(customer)), time: time, body: body)
        time = time + Int64(5 + draws.below(60)) * Milliseconds.second
        return event
    }
}
