import Foundation
import Model
import Testing

@testable import Engine

@Suite("A customer that sends very much")
struct HotCustomerTests {
    private static let rules = Story.rules([Story.lapse(after: 10, action: .record), Story.reorder(action: .record)])

    /// As much as a profile holds.
    private static func fat(_ customer: CustomerKey) -> [Event] {
        let value = String(repeating: "v", count: Limits.traitValueBytesMax)
        let traits = (0..<Limits.traitsMax).map { Trait("trait \($0)", value) }
        let orders = (0..<Limits.ordersKeptMax).flatMap { index in
            [OrderEvent.Change.placed, .fulfilled].map { change in
                Story.order(
                    "order \(index) " + String(repeating: "o", count: 100), change, 100,
                    of: (0..<4).map { "p\(index * 4 + $0)" }, at: Story.start, by: customer)
            }
        }
        return [Story.identify(traits, at: Story.start, by: customer)] + orders
    }

    @Test("I8 events in a row of one customer unpack and pack it once, and change it as one at a time would")
    func once() async throws {
        let hot = CustomerKey.user("hot")
        let views = (0..<2000).map { Story.view(at: Story.start + Int64($0), by: hot) }
        let together = try ShardHarness(rules: Self.rules)
        let singly = try ShardHarness(rules: Self.rules)
        for harness in [together, singly] { try await harness.put(.events(Self.fat(hot))) }
        let before = await together.activations()
        try await together.put(.events(views))
        #expect(await together.activations() == before + 1)
        for view in views.prefix(200) { try await singly.put(.events([view])) }
        for part in 0..<9 { try await singly.put(.events(Array(views[200 + part * 200..<400 + part * 200]))) }
        #expect(await together.view(hot) == singly.view(hot))
        #expect(await together.view(hot).views == 2000)
        #expect(try await together.replay())
    }

    @Test("I7 a new customer whose first event is set aside is not known; the next one makes it, in the same batch")
    func newcomer() async throws {
        let harness = try ShardHarness(rules: Self.rules)
        let bad = Story.identify([Trait("t", String(repeating: "v", count: 600))], at: Story.start, by: .user("new"))
        let effects = try await harness.put(
            .events([bad, bad, Story.view(at: Story.start, by: .user("new")), bad, Story.view(at: Story.start, by: .user("new"))])
        )
        #expect(effects.setAside.count == 3 && effects.sum(.customers) == 1 && effects.sum(.events) == 2)
        #expect(await harness.view(.user("new")).views == 2)
        #expect(try await harness.replay())
    }

    @Test("I8 a message larger than a batch may be is set aside whole")
    func tooLarge() async throws {
        let harness = try ShardHarness(rules: Self.rules)
        let events = (0..<12_000).map { Story.view(at: Story.start, by: .user("customer \($0)")) }
        let large = InputMessage.events(events).encoded()
        #expect(large.count > Limits.batchBytesMax)
        let effects = try await harness.put(
            bytes: [large, InputMessage.events([Story.view(at: Story.start)]).encoded()])
        #expect(effects.setAside.count == 1 && effects.setAside.first?.contains("\(large.count) bytes") == true)
        #expect(effects.sum(.events) == 1, "its neighbours go on")
        #expect(try await harness.replay())
    }

    @Test(
        "figures: `REPRISE_THROUGHPUT=1`, events of a full profile in a row, and in turn with others",
        .enabled(if: ProcessInfo.processInfo.environment["REPRISE_THROUGHPUT"] != nil))
    func figures() async throws {
        let hot = CustomerKey.user("hot")
        let count = 4000
        func others(_ index: Int) -> Event { Story.view(at: Story.start + Int64(index), by: .user("other \(index % 500)")) }
        func own(_ index: Int) -> Event { Story.view(at: Story.start + Int64(index), by: hot) }
        let cases: [(String, [Event])] = [
            ("thin customers", (0..<count).map(others)),
            ("one full profile in a row", (0..<count).map(own)),
            ("in turn", (0..<count).map { $0 % 2 == 0 ? own($0) : others($0) }),
        ]
        for (name, events) in cases {
            let harness = try ShardHarness(rules: Self.rules)
            try await harness.put(.events(Self.fat(hot)))
            let message = InputMessage.events(events)
            let time = try await ContinuousClock().measure { try await harness.put(message) }
            print("\(name): \(Double(time / .microseconds(1)) / Double(count)) us an event")
        }
    }
}
