import Engine
import Model
import Testing

@Suite("I7 what is set aside")
struct SetAsideTests {
    private let rules = Story.rules([Story.lapse(action: .record)])
    private func good(_ id: String) -> Event { Story.order(id, .placed, 100, at: Story.day(1)) }

    /// Puts `messages` between two good ones and gives the effects of all.
    private func around(
        _ messages: [[UInt8]], mode: Installation.TimeMode = .eventTime, shards: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Effect] {
        let harness = try ShardHarness(shards: shards, timeMode: mode, rules: rules)
        let id = harness.installation.shards.shard(of: Story.anna)
        let first = InputMessage.events([good("a")]).encoded()
        let last = InputMessage.events([good("b")]).encoded()
        let effects = try await harness.put(bytes: [first] + messages + [last], at: Story.day(1), to: id)
        #expect(await harness.view(Story.anna).orderCount == 2, "the neighbours went on", sourceLocation: sourceLocation)
        #expect(await harness.customers(id) == 1, "nobody else is known", sourceLocation: sourceLocation)
        #expect(effects.sum(.setAside) == Int64(effects.setAside.count), sourceLocation: sourceLocation)
        #expect(try await harness.replay(id), sourceLocation: sourceLocation)
        return effects
    }

    @Test("I7 I8 many damaged messages at once are set aside whole, in steps that a commit holds")
    func manyDamaged() async throws {
        let harness = try ShardHarness(rules: Story.rules([]))
        let damaged = [UInt8](repeating: 9, count: Limits.setAsideBytesMax)
        let order = InputMessage.events([Story.order("o", .placed, 100, at: Story.day(1))]).encoded()
        let effects = try await harness.put(bytes: Array(repeating: damaged, count: 9) + [order])
        #expect(effects.setAside.count == 9 && effects.sum(.orders) == 1)
        for step in await harness.steps[ShardID(0)] ?? [] { #expect(step.effects.count <= Limits.stepEffectBytesMax) }
        #expect(try await harness.replay())
        for step in 1...3 { #expect(try await harness.replay(from: step)) }
    }

    @Test("I7 damaged and cut messages")
    func damaged() async throws {
        let message = InputMessage.events([good("x"), good("y")]).encoded()
        var flipped = message
        flipped[20] ^= 1
        let effects = try await around([flipped, Array(message.dropLast(3)), [], [1, 2, 3], message.reversed()])
        #expect(effects.setAside.count == 5)
    }

    /// A message of events given by kind and body, correctly framed.
    private func message(_ events: [(kind: UInt8, body: [UInt8])], tail: [UInt8] = []) -> [UInt8] {
        var writer = ByteWriter()
        writer.bytes = Array(InputMessage.events([]).encoded().prefix(3))
        writer.instant(Story.day(1))
        writer.count(events.count)
        for event in events {
            writer.byte(event.kind)
            writer.bool(false)
            writer.signed(0)
            writer.string("u:nobody")
            writer.block(event.body)
        }
        writer.bytes += tail
        writer.fixed(Hashing.hash64(writer.bytes))
        return writer.bytes
    }

    @Test("I7 events whose body is broken, and kinds that nobody knows")
    func brokenBody() async throws {
        let body = try await around([message([(1, [9, 9]), (2, []), (3, [255])])])
        #expect(body.setAside.count == 3, "one by one")
        #expect(try await around([message([(99, []), (1, [])])]).setAside.count == 1, "the rest of it as one")
    }

    @Test("I4 a message with a tail is set aside alike wherever steps end")
    func tail() async throws {
        let views = (0..<Limits.stepEventsMax).map { _ in (kind: UInt8(4), body: [1, 1, 0] as [UInt8]) }
        let harness = try ShardHarness(rules: rules)
        let next = InputMessage.events([good("b")]).encoded()
        let effects = try await harness.put(bytes: [message(views, tail: [0]), next])
        #expect(effects.setAside.count == 1)
        #expect(await harness.view(Story.anna).orderCount == 1)
        #expect(try await harness.replay())
    }

    @Test("I7 a customer of another shard")
    func wrongShard() async throws {
        let map = try #require(ShardMap(shards: 2))
        let stranger = try #require(
            (0..<99).map { CustomerKey.user("\($0)") }.first { map.shard(of: $0) != map.shard(of: Story.anna) })
        let effects = try await around([InputMessage.events([Story.view(at: Story.day(1), by: stranger)]).encoded()], shards: 2)
        #expect(effects.setAside == ["its customer belongs to shard \(map.shard(of: stranger))"])
    }

    static let beyond: [Event.Body] = [
        Event.Body.order(OrderEvent(orderID: "f", change: .placed, revenue: 1, currency: "CHF")),
        .order(OrderEvent(orderID: "f", change: .placed, revenue: Limits.moneyMax + 1)),
        .order(OrderEvent(orderID: "f", change: .placed, revenue: .min)),
        .order(OrderEvent(orderID: String(repeating: "x", count: 129), change: .placed, revenue: 1)),
        .identify(Identify(traits: [Trait("city", String(repeating: "x", count: 600))])),
        .identify(Identify(traits: [Trait(String(repeating: "x", count: 300), "y")])),
    ]

    @Test("I7 values beyond their bounds change nothing", arguments: beyond)
    func bounds(body: Event.Body) async throws {
        let events = [Story.anna, .user("new")].map { Event(customer: $0, time: Story.day(1), body: body) }
        let effects = try await around([InputMessage.events(events).encoded()])
        #expect(effects.setAside.count == 2 && effects.sum(.customers) == 1)
    }

    @Test("I7 I10 an event with more identifiers than one may have is set aside whole: its order counts nowhere")
    func identifiers() async throws {
        let many = (0..<40).map { Identifier(CustomerKey("card:\($0)")) }
        let events = [Story.anna, .user("new")].map { customer in
            Event(
                customer: customer, time: Story.day(1), identifiers: many,
                body: .order(OrderEvent(orderID: "many", change: .placed, revenue: 777)))
        }
        let plain = try await around([])
        let effects = try await around([InputMessage.events(events).encoded()])
        #expect(effects.setAside.count == 2)
        #expect(effects.sum(.orders) == plain.sum(.orders) && effects.sum(.revenue) == plain.sum(.revenue))
    }

    static let outside: [Int64] = [.min / 2, -1, 0, Limits.timeMax.milliseconds, .max / 2]

    @Test("I7 times that no calendar holds", arguments: outside)
    func times(milliseconds: Int64) async throws {
        let time = Instant(milliseconds: milliseconds)
        let effects = try await around([InputMessage.events([Story.order("t", .placed, 1, at: time)]).encoded()])
        #expect(effects.setAside.count == 1)
    }

    @Test("I7 a clock record in a live installation, and one beyond all time in the other")
    func clocks() async throws {
        #expect(try await around([InputMessage.clock(Story.day(2)).encoded()], mode: .live).setAside.count == 1)
        #expect(try await around([InputMessage.clock(Instant(milliseconds: .max)).encoded()]).setAside.count == 1)
    }

    @Test("I7 more traits than are kept change nothing")
    func traits() async throws {
        let harness = try ShardHarness(rules: rules)
        let full = (0..<Limits.traitsMax).map { Trait("t\($0 + 100)", "v") }
        try await harness.put(.events([Story.identify(full)]))
        let effects = try await harness.put(.events([Story.identify([Trait("a", "1"), Trait("t100", "new")])]))
        #expect(effects.setAside.count == 1)
        #expect(await harness.view(Story.anna).traits["t100"] == "v")
        let swapped = try await harness.put(.events([Story.identify([Trait("t100", ""), Trait("z", "1")])]))
        #expect(swapped.setAside.isEmpty)
    }
}
