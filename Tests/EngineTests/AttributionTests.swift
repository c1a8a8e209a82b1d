import Engine
import Model
import Testing

/// Folds orders and messages in the plainest way: what each message has in the end.
private struct Ledger {
    struct Order {
        var revenue: Int64
        var stands: Bool
        var placed: Instant
        var changed: Instant
        var credit: ActionID?
        var saysNothing: Bool
    }
    struct Message {
        let action: ActionID
        let sent: Instant
        let end: Instant
    }

    var orders: [String: Order] = [:]
    var messages: [Message] = []

    mutating func apply(_ event: OrderEvent, at now: Instant) {
        guard var order = orders[event.orderID] else {
            let stands = event.change != .cancelled && event.change != .refunded
            var new = Order(
                revenue: stands ? event.revenue ?? 0 : 0, stands: stands, placed: now, changed: now, credit: nil,
                saysNothing: event.revenue == nil)
            if stands { new.credit = owner(new, at: now) }
            orders[event.orderID] = new
            return
        }
        defer { orders[event.orderID] = order }
        switch event.change {
        case .placed, .updated:
            if order.stands {
                if event.change == .updated || order.saysNothing, let revenue = event.revenue {
                    order.revenue = revenue
                    order.saysNothing = false
                }
            } else if now > order.changed {
                order.stands = true
                order.changed = now
                order.revenue = event.revenue ?? 0
                order.saysNothing = event.revenue == nil
                if order.credit == nil { order.credit = owner(order, at: now) }
            }
        case .paid, .shipped, .fulfilled: break
        case .cancelled, .refunded:
            guard order.stands else { return }
            if event.change == .refunded, let amount = event.revenue, amount < order.revenue {
                order.revenue -= amount
                order.saysNothing = amount == 0 && order.saysNothing
            } else {
                order.stands = false
                order.changed = now
            }
        }
    }

    /// The first message whose window holds the order, of those that are remembered.
    private func owner(_ order: Order, at now: Instant) -> ActionID? {
        let credited = Set(orders.values.compactMap(\.credit))
        return messages.filter {
            $0.sent <= order.placed && order.placed < $0.end && ($0.end > now || credited.contains($0.action))
        }.min { ($0.sent, $0.action) < ($1.sent, $1.action) }?.action
    }
}

@Suite("I10 money reconciles")
struct AttributionTests {
    private let windows: [RuleID: Int64] = [
        RuleID(name: "lapse"): 3 * Story.days, RuleID(name: "review"): 9 * Story.days, RuleID(name: "reorder"): 20 * Story.days,
    ]
    private let rules = Story.rules([
        Story.lapse(after: 4, window: 3), Story.review(after: 1, window: 9), Story.reorder(after: 6, window: 20),
    ])

    private func randomOrder(_ dice: inout Dice) -> OrderEvent {
        let change = dice.pick([
            OrderEvent.Change.placed, .placed, .updated, .paid, .fulfilled, .fulfilled, .cancelled, .refunded,
        ])
        let revenue: Int64? =
            switch change {
            case .placed: 1 + dice.below(Int64(1000))
            case .updated, .refunded: dice.chance(70) ? dice.below(Int64(1000)) : nil
            default: nil
            }
        return OrderEvent(
            orderID: "o\(dice.below(9))", change: change, revenue: revenue,
            lines: change == .fulfilled ? [OrderLine(product: Product(id: dice.pick(["tea", "rice"])))] : [])
    }

    @Test("I10 effects add up to the final state, over random lives of orders", arguments: 0..<60 as Range<UInt64>)
    func random(seed: UInt64) async throws {
        var dice = Dice(seed: seed)
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        var ledger = Ledger()
        var effects: [Effect] = []
        var number: UInt64 = 0
        var now = Story.start
        try await harness.put(.events([Story.identify()]), at: now)
        for _ in 0..<50 {
            now = now + 1 + dice.below(2 * Milliseconds.day)
            var fresh = try await harness.tick(now)
            for opened in fresh.opened where dice.chance(80) {
                number += 1
                fresh += try await harness.put(
                    .events([Story.request(opened.action, number), Story.outcome(opened.action, .sent, number)]), at: now)
            }
            for closed in fresh.closed where closed.outcome == .sent {
                let window = try #require(windows[closed.rule])
                ledger.messages.append(Ledger.Message(action: closed.action, sent: closed.time, end: closed.time + window))
            }
            effects += fresh
            let order = randomOrder(&dice)
            for _ in 0..<(dice.chance(20) && order.change != .refunded ? 2 : 1) {
                effects += try await harness.put(.events([Event(customer: Story.anna, time: now, body: .order(order))]), at: now)
                ledger.apply(order, at: now)
            }
        }
        check(effects, against: ledger)
        #expect(effects.sum(.revenue) == ledger.orders.values.filter(\.stands).reduce(0) { $0 + $1.revenue })
        #expect(effects.sum(.orders) == Int64(ledger.orders.values.filter(\.stands).count))
        #expect(try await harness.replay(from: 7))
    }

    private func check(_ effects: [Effect], against ledger: Ledger) {
        var revenue: [ActionID: Int64] = [:]
        var sales: [ActionID: Int64] = [:]
        var conversions: [ActionID: Int64] = [:]
        for attribution in effects.attributed {
            revenue[attribution.action, default: 0] += attribution.revenue
            sales[attribution.action, default: 0] += attribution.sales
            conversions[attribution.action, default: 0] += attribution.conversions
            #expect((sales[attribution.action] ?? 0) >= 0 && (0...1).contains(conversions[attribution.action] ?? 0))
            #expect((conversions[attribution.action] == 1) == ((sales[attribution.action] ?? 0) > 0))
        }
        for message in ledger.messages {
            let own = ledger.orders.values.filter { $0.stands && $0.credit == message.action }
            #expect(revenue[message.action] ?? 0 == own.reduce(0) { $0 + $1.revenue })
            #expect(sales[message.action] ?? 0 == Int64(own.count))
        }
        #expect(Set(revenue.keys).isSubset(of: Set(ledger.messages.map(\.action))))
    }

    @Test("I10 random lives reach every kind of attribution")
    func reached() async throws {
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        try await harness.put(
            .events([Story.identify(), Story.order("a", .fulfilled, 100, at: Story.start)]), at: Story.start)
        let action = try #require(try await harness.tick(Story.day(1)).opened.first).action
        try await harness.put(.events([Story.request(action), Story.outcome(action, .sent)]), at: Story.day(1))
        let life: [(OrderEvent.Change, Int64?)] = [
            (.placed, 100), (.updated, 150), (.refunded, 50), (.cancelled, nil), (.placed, 70),
        ]
        var attributed: [Attribution] = []
        for (index, (change, revenue)) in life.enumerated() {
            let time = Story.day(2, Int64(index))
            attributed += try await harness.put(.events([Story.order("b", change, revenue, at: time)]), at: time).attributed
        }
        #expect(attributed.map(\.kind) == [.converted, .changed, .changed, .reversed, .converted])
        #expect(attributed.map(\.revenue) == [100, 50, -50, -100, 70])
        #expect(attributed.map(\.conversions) == [1, 0, 0, -1, 1])
        #expect(attributed.allSatisfy { $0.action == action && $0.orderID == "b" })
    }
}
