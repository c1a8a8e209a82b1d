import Foundation
import Model
import Testing

@testable import Workload

@Suite struct ShopTests {
    private func play(
        _ customers: Int, days: Int, seed: UInt64 = 42, _ see: (Event) -> Void = { _ in }
    ) throws -> ShopTally {
        var shop = Shop(try #require(ShopWorkload(customers: customers, days: days, seed: seed)))
        while shop.nextHour(see) {}
        return shop.tally
    }

    /// Over what each event says, apart from the form in which it stands in a log.
    private func hash(_ customers: Int, days: Int, seed: UInt64) throws -> UInt64 {
        var text = ""
        _ = try play(customers, days: days, seed: seed) { event in
            text += "\(event.customer.text) \(event.time.milliseconds) \(event.messageID) "
            switch event.body {
            case .order(let order): text += "\(order.orderID) \(order.change) \(order.revenue ?? 0) \(order.lines.count)\n"
            case .product(let product): text += "\(product.kind) \(product.product.id) \(product.price)\n"
            case .identify(let identify): text += identify.traits.map(\.value).joined(separator: " ") + "\n"
            case .engagement(let engagement): text += "\(engagement.kind)\n"
            default: text += "?\n"
            }
        }
        return Hashing.hash64(Array(text.utf8))
    }

    @Test func `the same numbers make the same shop on every machine, others another one`() throws {
        let found = try hash(300, days: 120, seed: 1)
        #expect(found == 13_116_596_538_217_349_271)
        #expect(try hash(300, days: 120, seed: 2) != hash(300, days: 120, seed: 1))
    }

    @Test func `a customer's events come in the order of time, before the closing, each with an id of its own`() throws {
        var last: [CustomerKey: Instant] = [:]
        var ids: Set<UInt128> = []
        let closing = try #require(ShopWorkload(customers: 2000, days: 60)).closing
        let tally = try play(2000, days: 60) { event in
            #expect(event.time >= last[event.customer] ?? ShopWorkload.start && event.time < closing)
            last[event.customer] = event.time
            #expect(event.messageID != 0 && ids.insert(event.messageID).inserted)
        }
        #expect(ids.count == Int(tally.events))
        #expect(last.count == Int(tally.customers))
    }

    @Test func `what is counted is what the events say`() throws {
        var placed: [String: Int64] = [:]
        var seen = ShopTally()
        let tally = try play(3000, days: 90) { event in
            seen.events += 1
            switch event.body {
            case .order(let order) where order.change == .placed:
                let worth = order.lines.reduce(0) { $0 + $1.price * $1.quantity }
                #expect(order.revenue == worth)
                #expect(placed.updateValue(worth, forKey: order.orderID) == nil)
            case .order(let order):
                #expect(order.change == .cancelled)
                #expect(placed.removeValue(forKey: order.orderID) != nil)
                seen.cancelled += 1
            case .product(let product):
                if product.kind == .viewed { seen.views += 1 }
                if product.kind == .addedToCart { seen.addedToCart += 1 }
            case .identify: seen.identified += 1
            case .engagement(let engagement):
                if engagement.kind == .opened { seen.opened += 1 }
                if engagement.kind == .clicked { seen.clicked += 1 }
                if engagement.kind == .unsubscribed { seen.unsubscribed += 1 }
            default: Issue.record("no shop sends \(event.body)")
            }
        }
        seen.orders = Int64(placed.count)
        seen.revenue = placed.values.reduce(0, +)
        seen.customers = tally.customers
        seen.reviews = tally.reviews
        #expect(seen == tally)
        #expect(tally.cancelled > 0 && tally.unsubscribed > 0 && tally.reviews > 0 && tally.reviews < tally.orders)
    }

    @Test func `buyers differ: many buy once, few buy often, and most carts are left`() throws {
        var orders: [CustomerKey: Int] = [:]
        let tally = try play(20_000, days: 360) { event in
            if case .order(let order) = event.body, order.change == .placed { orders[event.customer, default: 0] += 1 }
        }
        let once = orders.values.count { $0 == 1 }
        let often = orders.values.count { $0 >= 10 }
        #expect(once * 4 > orders.count && once < orders.count)
        #expect(often * 200 > orders.count && often * 4 < orders.count)
        #expect(tally.views > 3 * tally.orders)
        #expect(tally.customers > 19_000)
    }

    @Test func `the tables rise, or fall, and end where they should`() {
        let tables = [ShopTables.exponential, ShopTables.dropout, ShopTables.purchaseMinutes.reversed()]
        for table in tables {
            #expect(table.count == 256)
            #expect(zip(table, table.dropFirst()).allSatisfy { $0 <= $1 })
        }
        // The mean of the exponential distribution, less what lies beyond the last quantile.
        let mean = ShopTables.exponential.reduce(0) { $0 + Int($1) } / 256
        #expect((4050...4096).contains(mean))
        #expect(ShopTables.value(ShopTables.exponential, at: .max) == Int64(ShopTables.exponential[255]))
        #expect(ShopTables.value(ShopTables.exponential, at: 0) == 8)
    }

    @Test func `what is used up lasts as long as the example's table of periods says`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/examples/shop/periods.csv"), encoding: .utf8)
        let expected = (0..<ShopGoods.products).compactMap { product in
            ShopGoods.periodDays(product).map { "p\(product),\($0)" }
        }
        #expect(text == (["product,days"] + expected).joined(separator: "\n") + "\n")
        for product in 0..<ShopGoods.products { #expect((99...18_098).contains(ShopGoods.price(product))) }
    }

    @Test func `sizes that cannot be played are refused`() {
        #expect(ShopWorkload(customers: 0, days: 1) == nil)
        #expect(ShopWorkload(customers: 1, days: 0) == nil)
        #expect(ShopWorkload(customers: ShopWorkload.customersMax + 1, days: 1) == nil)
        #expect(ShopWorkload(customers: 1, days: ShopWorkload.daysMax + 1) == nil)
    }
}
