import Foundation
import Model
import Testing
import Workload

@Suite struct ReferenceWorkloadTests {
    @Test func `the generator gives splitmix64's values`() {
        let random = SplitMix(seed: 42)
        #expect(
            (0..<4).map { random.value(at: $0) } == [
                13_679_457_532_755_275_413, 2_949_826_092_126_892_291, 5_139_283_748_462_763_858, 6_349_198_060_258_255_764,
            ])
        #expect(SplitMix(seed: 0).value(at: 0) == 16_294_208_416_658_607_535)
    }

    @Test func `events are those of the specification, the last one too`() throws {
        let workload = try #require(ReferenceWorkload(customers: 1000, events: 100_000))
        let expected: [(UInt64, UInt64, ReferenceEvent.Kind, UInt64, Int64, Int64)] = [
            (0, 413, .order, 673, 36_470, 1_704_067_200_000), (1, 858, .view, 811, 95_090, 1_704_067_355_520),
            (2, 250, .order, 51, 65_824, 1_704_067_511_040), (3, 925, .view, 999, 58_114, 1_704_067_666_560),
            (99_999, 701, .order, 609, 95_418, 1_719_619_044_480),
        ]
        for (index, customer, kind, product, amount, time) in expected {
            let event = workload.event(at: index)
            #expect(event.index == index)
            #expect(event.customer == customer)
            #expect(event.kind == kind)
            #expect(event.product == product)
            #expect(event.amount == amount)
            #expect(event.time.milliseconds == time)
        }
    }

    @Test func `times start at START, never go back and end before the closing`() throws {
        let workload = try #require(ReferenceWorkload(customers: 10, events: 1000, seed: 7))
        var before = ReferenceWorkload.start
        for index in 0..<workload.events {
            let time = workload.event(at: index).time
            #expect(time >= before)
            before = time
        }
        #expect(workload.event(at: 0).time == ReferenceWorkload.start)
        #expect(before < ReferenceWorkload.closing)
        #expect(ReferenceWorkload.closing.milliseconds == 1_719_619_200_000)
    }

    @Test func `sizes that could overflow are refused`() {
        #expect(ReferenceWorkload(customers: 0, events: 1) == nil)
        #expect(ReferenceWorkload(customers: 1_000_000_001, events: 1) == nil)
        #expect(ReferenceWorkload(customers: 1, events: 1_000_000_001) == nil)
        let largest = ReferenceWorkload(customers: 1_000_000_000, events: 1_000_000_000)
        #expect(largest?.event(at: 999_999_999).time.milliseconds == 1_719_619_199_984)
    }

    @Test func `an order becomes an order that is placed, with one line`() throws {
        let workload = try #require(ReferenceWorkload(customers: 1000, events: 100_000))
        let index = try #require((0..<100).first { workload.event(at: $0).kind == .order })
        let event = workload.event(at: index)
        let input = event.input(seed: 42)
        #expect(input.customer.text == "u:\(event.customer)")
        #expect(input.time == event.time)
        let line = OrderLine(product: Product(id: "p\(event.product)"), quantity: 1, price: event.amount)
        #expect(
            input.body == .order(OrderEvent(orderID: "o\(index)", change: .placed, revenue: event.amount, lines: [line])))
    }

    @Test func `views and clicks keep their product and channel`() throws {
        let workload = try #require(ReferenceWorkload(customers: 1000, events: 100_000))
        let view = try #require((0..<100).map(workload.event).first { $0.kind == .view })
        #expect(view.input(seed: 42).body == .product(ProductEvent(kind: .viewed, product: Product(id: "p\(view.product)"))))
        let click = try #require((0..<100).map(workload.event).first { $0.kind == .click })
        #expect(click.input(seed: 42).body == .engagement(Engagement(kind: .clicked, channel: .email)))
    }

    @Test func `message ids are unique and never 0`() throws {
        let workload = try #require(ReferenceWorkload(customers: 3, events: 20_000, seed: 1))
        let ids = Set((0..<workload.events).map { workload.event(at: $0).input(seed: workload.seed).messageID })
        #expect(ids.count == 20_000)
        #expect(!ids.contains(0))
        #expect(workload.event(at: 0).input(seed: 1).messageID != workload.event(at: 0).input(seed: 2).messageID)
    }

    @Test func `every event goes through the binary form unchanged`() throws {
        let workload = try #require(ReferenceWorkload(customers: 50, events: 500, seed: 3))
        let events = (0..<workload.events).map { workload.event(at: $0).input(seed: 3) }
        #expect(try InputMessage.decoded(InputMessage.events(events).encoded()) == .events(events))
    }
}

@Suite struct ReferenceRulesTests {
    @Test func `the rule set is what CONFIG takes`() throws {
        let rules = ReferenceRules.ruleSet
        let bytes = rules.encoded()
        #expect(bytes.count <= Limits.configurationBytesMax)
        #expect(try RuleSet.decoded(bytes, revision: 0) == rules)
        #expect(rules.rules.map(\.name) == ["lapsed", "reorder", "review"])
        #expect(Set(rules.rules.map(\.id)).count == 3)
        #expect(rules.rules.allSatisfy { $0.action == .record && $0.hours == nil && $0.conversion == nil && $0.enabled })
        #expect(rules.fulfilledOnPlaced)
    }

    @Test func `every product has its period, in the order of the ids' bytes`() throws {
        let rule = try #require(ReferenceRules.ruleSet.rules.first { $0.name == "reorder" })
        guard case .regularConsumption(let periods, aheadMilliseconds: 0) = rule.mechanic else {
            Issue.record("another mechanic: \(rule.mechanic)")
            return
        }
        #expect(periods.perProduct.count == 1000)
        #expect(periods.defaultMilliseconds == nil)
        let ids = periods.perProduct.map { Array($0.product.utf8) }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
        let days = Dictionary(uniqueKeysWithValues: periods.perProduct.map { ($0.product, $0.milliseconds / Milliseconds.day) })
        #expect(days["p0"] == 15 && days["p40"] == 55 && days["p41"] == 15 && days["p999"] == 30)
    }
}

@Suite struct ReferenceAnswersTests {
    @Test func `the plain interpreter finds the known answers of 1,000 customers and 100,000 events`() throws {
        let workload = try #require(ReferenceWorkload(customers: 1000, events: 100_000))
        #expect(ReferenceInterpreter.answers(for: workload) == ReferenceAnswers.known(for: workload))
    }

    @Test func `the plain interpreter finds the known answers of 100,000 customers and a million events`() throws {
        let workload = try #require(ReferenceWorkload(customers: 100_000, events: 1_000_000))
        #expect(ReferenceInterpreter.answers(for: workload) == ReferenceAnswers.known(for: workload))
    }

    @Test func `other sizes and seeds have no known answers`() throws {
        #expect(ReferenceAnswers.known(for: try #require(ReferenceWorkload(customers: 1000, events: 100_000, seed: 43))) == nil)
        #expect(ReferenceAnswers.known(for: try #require(ReferenceWorkload(customers: 1000, events: 100_001))) == nil)
    }

    @Test func `the JSON has the names and numbers of the specification`() throws {
        let workload = try #require(ReferenceWorkload(customers: 1_000_000, events: 10_000_000))
        let text = """
            {"armed":1261026,"fired.lapsed":735992,"fired.reorder":2418050,"fired.review":2949386,"orders":2999344,\
            "revenue":150251475219,"sum.lapsed":1261812384613689008,"sum.reorder":4142852195779084430,\
            "sum.review":5049267796106477876}
            """
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let answers = try #require(ReferenceAnswers.known(for: workload))
        #expect(String(decoding: try encoder.encode(answers), as: UTF8.self) == text)
        #expect(try JSONDecoder().decode(ReferenceAnswers.self, from: Data(text.utf8)) == answers)
    }
}
