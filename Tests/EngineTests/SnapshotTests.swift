import Engine
import Model
import Testing

/// F5, I4: a snapshot is the state at the moment of its capture, whole or in parts, whatever happens meanwhile.
@Suite("Snapshots of a shard")
struct SnapshotTests {
    private let rules = Story.rules([
        Story.lapse(window: 20), Story.review(action: .record, window: 15), Story.reorder(window: 9),
    ])

    private func events(_ dice: inout Dice, _ now: Instant) -> [Event] {
        (0..<dice.below(30)).map { _ in
            let customer = CustomerKey.user("c\(dice.below(400))")
            let message: UInt128 = dice.chance(30) ? 0 : UInt128(dice.below(5000)) + 1
            switch dice.below(4) {
            case 0: return Story.identify([Trait("city", "x\(dice.below(99))")], at: now, by: customer)
            case 1: return Story.view(at: now, by: customer)
            default:
                var event = Story.order(
                    "o\(dice.below(3000))", dice.pick(OrderEvent.Change.allCases), dice.below(Int64(900)), at: now, id: message,
                    by: customer)
                if case .order(var order) = event.body {
                    let product = Product(
                        id: "p\(dice.below(60))", name: "n\(dice.below(2))", category: "k\(dice.below(3))")
                    order.lines = [OrderLine(product: product, quantity: 1, price: 100)]
                    event = Event(messageID: message, customer: customer, time: now, body: .order(order))
                }
                return event
            }
        }
    }

    @Test(
        "I4 snapshot and tail give the whole replay, over random histories with captures at any step",
        arguments: 0..<6 as Range<UInt64>)
    func random(seed: UInt64) async throws {
        var dice = Dice(seed: seed)
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        let id = ShardID(0)
        var now = Story.start
        var parts: [[[UInt8]]] = []
        var at = 0
        var increments = 0
        for round in 0..<60 {
            now = now + dice.below(Story.days)
            let batch = events(&dice, now)
            try await harness.feed(batch, at: now)
            try await harness.tick(now, id)
            if round == 30 {
                var next = rules
                next.revision = 4
                next.rules.removeLast()
                try await harness.adopt(next)
                try await harness.feed(events(&dice, now), at: now)
            }
            guard dice.chance(40) else { continue }
            let whole = parts.isEmpty || dice.chance(20)
            let written = dice.chance(80)
            let steps = await harness.steps[id]?.count ?? 0
            let later = (0..<40).map { _ in events(&dice, now) }
            let captured = try await harness.captureWhileFeeding(whole: whole, written: written, later, at: now)
            guard written else { continue }
            parts = whole ? [captured.part] : parts + [captured.part]
            at = steps
            increments += whole ? 0 : 1
            #expect(try await harness.restored(parts) == captured.state, "round \(round): what is restored is what was captured")
        }
        #expect(increments > 3)
        #expect(try await harness.replay(id, parts: parts, behind: at))
    }

    @Test("what changes between two chunks is written as it was, and again in the next increment")
    func copyBeforeChange() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        let long = String(repeating: "x", count: 400)
        let customers = (0..<3000).map { CustomerKey.user("c\($0)") }
        for part in 0..<6 {
            try await harness.feed(
                customers[part * 500..<(part + 1) * 500].map { Story.identify([Trait("city", long)], at: Story.start, by: $0) },
                at: Story.start)
        }
        // Each round changes customers from the end: they are written before their turn.
        let changes = (0..<6).map { round in
            customers.suffix(200 * (round + 1)).map { Story.identify([Trait("city", "y\(round)")], at: Story.start, by: $0) }
        }
        let first = try await harness.captureWhileFeeding(whole: true, written: true, changes, at: Story.start)
        #expect(first.part.count >= 4, "several chunks, or nothing could change between them")
        #expect(try await harness.restored([first.part]) == first.state)
        let second = try await harness.capture(whole: false)
        let bytes = second.part.reduce(0) { $0 + $1.count }
        #expect(bytes < first.part.reduce(0) { $0 + $1.count } / 4, "\(bytes) bytes: only what changed")
        #expect(try await harness.restored([first.part, second.part]) == second.state)
    }

    @Test("an increment in which nothing changed is small, and one after a failed one holds what that one held")
    func failed() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        try await harness.feed((0..<500).map { Story.view(at: Story.start, by: .user("a\($0)")) }, at: Story.start)
        let whole = try await harness.capture(whole: true)
        let empty = try await harness.capture(whole: false)
        #expect(empty.part.reduce(0) { $0 + $1.count } < 100)
        try await harness.feed(
            (0..<9).map { Story.order("o\($0)", .placed, 5, of: ["p"], at: Story.start, id: 77, by: .user("a\($0)")) },
            at: Story.start)
        _ = try await harness.capture(whole: false, written: false)
        let again = try await harness.capture(whole: false)
        #expect(try await harness.restored([whole.part, empty.part, again.part]) == again.state)
    }

    @Test("parts in another order, of another shard, cut or damaged are refused")
    func refused() async throws {
        let harness = try ShardHarness(shards: 2, timeMode: .live, rules: rules)
        try await harness.feed((0..<100).map { Story.view(at: Story.start, by: .user("a\($0)")) }, at: Story.start)
        let whole = try await harness.capture(whole: true).part
        try await harness.feed((0..<10).map { Story.view(at: Story.start, by: .user("b\($0)")) }, at: Story.start)
        let increment = try await harness.capture(whole: false).part
        for wrong in [[increment], [whole, whole], [increment, whole], [[]], [whole, Array(increment.prefix(1))], []] {
            await #expect(throws: FormatError.self) { try await harness.restored(wrong) }
        }
        await #expect(throws: FormatError.self) { try await harness.restored([whole], ShardID(1)) }
        for position in stride(from: 0, to: whole[0].count, by: 1) {
            var damaged = whole
            damaged[0].removeLast(whole[0].count - position)
            await #expect(throws: FormatError.self) { try await harness.restored([damaged]) }
        }
        var cut = whole
        cut[cut.count - 1].removeLast()
        await #expect(throws: FormatError.self) { try await harness.restored([cut]) }
    }
}

extension ShardHarness {
    /// A capture between whose chunks events are fed.
    func captureWhileFeeding(
        _ id: ShardID = ShardID(0), whole: Bool, written: Bool, _ batches: [[Event]], at now: Instant
    ) throws -> (part: [[UInt8]], state: [[UInt8]]) {
        var rest = batches[...]
        return try capture(id, whole: whole, written: written) { harness in
            if let batch = rest.popFirst() { try harness.feed(batch, at: now) }
        }
    }
}
