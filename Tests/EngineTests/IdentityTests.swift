import Engine
import Model
import Testing

@Suite("A3 A customer is found by any identifier")
struct IdentityTests {
    static func seen(_ customer: CustomerKey, _ identifiers: [Identifier], at time: Instant = Story.start) -> Event {
        Event(customer: customer, time: time, identifiers: identifiers, body: .named(name: "Seen", properties: []))
    }

    private let card = CustomerKey("card:77")
    private let mail = CustomerKey("email:ann@example.org")

    @Test("A3 a till receipt with a card only, before and after its customer is known by the card")
    func receipts() async throws {
        let network = try ShardNetwork(shards: 8)
        await network.accept(Story.order("t1", .placed, 500, at: Story.start, by: card))
        try await network.finish()
        #expect(await network.view(card).orderSum == 500)
        #expect(await network.customers() == 1)
        await network.setTime(Story.day(1))
        await network.accept(Self.seen(Story.anna, [Identifier(card)], at: Story.day(1)))
        await network.accept(Story.order("w1", .placed, 300, at: Story.day(1), by: Story.anna))
        try await network.finish()
        await network.setTime(Story.day(2))
        await network.accept(Story.order("t2", .placed, 200, at: Story.day(2), id: 9, by: card))
        await network.accept(Story.order("t2", .placed, 200, at: Story.day(2), id: 9, by: card))
        try await network.finish()
        let view = await network.view(card)
        #expect(view.customer == "u:anna" && view.found)
        #expect(view.orderCount == 3 && view.orderSum == 1000)
        #expect(view.orders.map(\.id) == ["t1", "w1", "t2"])
        #expect(view.orders.map(\.placedMilliseconds) == [Story.start, Story.day(1), Story.day(2)].map(\.milliseconds))
        #expect(view.identifiers == ["card:77"] && view.merged == ["card:77"])
        #expect(await network.customers() == 1)
        let effects = try await network.effects()
        #expect(effects.sum(.customers) == 1 && effects.sum(.orders) == 3 && effects.sum(.revenue) == 1000)
        #expect(effects.sum(.repeats) == 1 && effects.sum(.events) == 4)
        #expect(try await network.replays())
    }

    @Test("an identifier is claimed once, however often it is seen, and five of a kind at most")
    func claimedOnce() async throws {
        let network = try ShardNetwork(shards: 4)
        for round in 0..<20 {
            await network.accept(Self.seen(Story.anna, [Identifier(CustomerKey("card:\(round % 8)")), Identifier(mail)]))
        }
        try await network.finish()
        let sent = try await network.effects().filter { if case .messageSent = $0 { true } else { false } }
        #expect(sent.count == Limits.identifiersPerKindMax + 1)
        #expect(await network.view(Story.anna).identifiers.count == Limits.identifiersPerKindMax + 1)
        #expect(await network.view(CustomerKey("card:7")).found == false)
    }

    @Test("A4 the first claim stands; who shares an identifier is offered to a manager, and merged when it is verified")
    func doubtful() async throws {
        let network = try ShardNetwork(shards: 4)
        let bob = CustomerKey.user("bob")
        for customer in [Story.anna, bob] {
            await network.accept(Story.order("o-\(customer)", .placed, 100, at: Story.start, by: customer))
            await network.accept(Self.seen(customer, [Identifier(mail)]))
            try await network.finish()
        }
        #expect(await network.duplicates() == [.init(identifier: mail.text, customers: ["u:anna", "u:bob"])])
        #expect(await network.view(mail).customer == "u:anna")
        #expect(await network.customers() == 2)
        let offered = try await network.effects().filter { if case .duplicateOffered = $0 { true } else { false } }
        #expect(offered == [.duplicateOffered(Story.anna, bob, identifier: mail)])
        await network.accept(Self.seen(bob, [Identifier(mail, isVerified: true)]))
        try await network.finish()
        #expect(await network.view(mail).customer == "u:bob", "a verified claim goes before one that is not")
        #expect(await network.customers() == 2, "one word is not enough")
        await network.accept(Self.seen(Story.anna, [Identifier(mail, isVerified: true)]))
        try await network.finish()
        let view = await network.view(bob)
        #expect(view.customer == "u:anna" && view.orderCount == 2 && view.merged == ["u:bob"])
        #expect(await network.duplicates().isEmpty)
        #expect(await network.customers() == 1)
        #expect(try await network.replays())
    }

    @Test("an anonymous visitor becomes the user that it turns out to be; a shared browser merges nobody")
    func anonymous() async throws {
        let network = try ShardNetwork(shards: 4)
        let visitor = CustomerKey.anonymous("x")
        await network.accept(Story.view(at: Story.start, by: visitor))
        await network.accept(Self.seen(visitor, [Identifier(mail)]))
        await network.accept(Self.seen(Story.anna, [Identifier(visitor), Identifier(mail)]))
        try await network.finish()
        #expect(await network.view(mail).customer == "u:anna")
        #expect(await network.view(visitor).views == 1)
        #expect(await network.duplicates().isEmpty)
        await network.accept(Self.seen(.user("bob"), [Identifier(visitor)]))
        try await network.finish()
        #expect(await network.customers() == 2)
        #expect(await network.duplicates().isEmpty)
        #expect(await network.view(.user("bob")).customer == "u:bob")
    }

    @Test("an identifier that many claim leads to nobody")
    func shared() async throws {
        let network = try ShardNetwork(shards: 4)
        for number in 0..<12 {
            await network.accept(Self.seen(.user("\(number)"), [Identifier(card, isVerified: number > 8)]))
        }
        try await network.finish()
        #expect(await network.customers() == 12)
        #expect(await network.duplicates().isEmpty)
        await network.accept(Story.order("t", .placed, 5, at: Story.start, by: card))
        try await network.finish()
        #expect(await network.view(card).customer == card.text)
        #expect(await network.view(card).orderSum == 5)
        #expect(try await network.replays())
    }
}
