package import Model
internal import SimulatedPorts

// Customers who buy by a card, as somebody unknown, under a name of their own, and turn out to be one; and events that end
// whoever applies them.

extension ShopPlan {
    /// The name of an event that ends the worker that applies it.
    package static let poison = "Poison"

    /// Whether the customer may have identifiers, or be merged into another one.
    @Sendable
    package static func hasIdentifiers(_ customer: CustomerKey) -> Bool { !customer.text.hasPrefix("u:c") }

    /// A person's keys; one in four shares a verified address with the person before.
    mutating func live(person number: Int) {
        let user = CustomerKey.user("m\(number)")
        let card = CustomerKey("card:m\(number)")
        let unknown = CustomerKey.anonymous("m\(number)")
        let shared = draw(4) == 0 ? number / 2 * 2 : number
        let address = CustomerKey("email:m\(shared)@example.com")
        identifiedKeys.formUnion([user, card, unknown, address, CustomerKey("email:m\(number)@example.com")])
        var events = 0
        func add(
            _ at: Int64, _ key: CustomerKey, _ body: Event.Body, _ identifiers: [Identifier] = [], to entries: inout [Entry]
        ) {
            events += 1
            let event = Event(
                messageID: Hashing.hash128("m\(number)/\(events)"), customer: key, time: begin + at, identifiers: identifiers,
                body: body)
            if at < lengthMilliseconds { entries.append(Entry(at: at, event: event)) }
        }
        var own: [Entry] = []
        for order in 0..<(2 + draw(5)) {
            let key = [user, card, card, unknown, address][Int(draw(5))]
            let placed = draw(lengthMilliseconds)
            // Goods of their own: what a shard learns of the others' goods is not theirs.
            let lines = (0...draw(2)).map { _ in
                OrderLine(product: Product(id: "q\(draw(4))", category: "k\(draw(2))"), price: 100 * (1 + draw(90)))
            }
            let id = "m\(number)-\(order)"
            add(placed, key, .order(OrderEvent(orderID: id, change: .placed, revenue: nil, lines: lines)), to: &own)
            // Whom an address leads to changes with who turns out to bear it: an order of it is told of once.
            if draw(2) == 0 && key != address {
                let done = OrderEvent(orderID: id, change: .fulfilled, revenue: nil, lines: lines)
                add(placed + draw(3 * dayMilliseconds), key, .order(done), to: &own)
            }
            if placed < lengthMilliseconds { identifiedOrders.insert(id) }
        }
        let traits = [Trait("email", "m\(number)@example.com")]
        let identify = Event.Body.identify(Identify(traits: traits, consents: [Consent(.email, granted: true)]))
        add(draw(lengthMilliseconds / 2), user, identify, [Identifier(address, isVerified: draw(2) == 0)], to: &own)
        // Whom there is mail for under another key of theirs may be merged while it is under way.
        for key in [card, unknown] where draw(2) == 0 { add(draw(lengthMilliseconds / 4), key, identify, to: &own) }
        for _ in 0..<(1 + draw(3)) {
            let body = Event.Body.named(name: "Seen", properties: [])
            let identifiers = [Identifier(card)] + (draw(2) == 0 ? [Identifier(address, isVerified: true)] : [])
            add(draw(lengthMilliseconds), [user, unknown][Int(draw(2))], body, identifiers, to: &own)
        }
        if draw(2) == 0 { add(draw(lengthMilliseconds), user, .alias(previous: unknown), to: &own) }
        entries += own
    }

    /// Without a message id: each of its copies ends whoever applies it.
    mutating func addPoison() {
        let at = lengthMilliseconds / 10 + draw(lengthMilliseconds / 2)
        let event = Event(
            customer: .user("c\(draw(6))"), time: begin + at, body: .named(name: Self.poison, properties: []))
        entries.append(Entry(at: at, event: event))
    }
}
