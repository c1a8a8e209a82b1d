import Model
import Testing

@testable import Engine

@Suite("Figures that conditions and rules compute")
struct FigureTests {
    @Test(
        "B3 a trait's number: digits before the point and behind it are bounded apart",
        arguments: [
            ("12.5", 125_000), ("-0.0001", -1), ("0", 0), ("007", 70_000), ("1.23456789", 12_345),
            ("99999999999999", 999_999_999_999_990_000), ("99999999999999.9999", 999_999_999_999_999_999),
            ("-99999999999999.99999999999999999999", -999_999_999_999_999_999), ("100000000000000", nil),
            ("100000000000.1234", 1_000_000_000_001_234), ("000000000000000000000012.5", 125_000), ("", nil), ("-", nil),
            (".5", nil), ("5.", nil), ("1e3", nil), ("1,5", nil), ("--1", nil), ("+1", nil), ("1.2.3", nil),
        ] as [(String, Int64?)])
    func numbers(text: String, expected: Int64?) {
        #expect(TraitTest.number(text) == expected)
    }

    @Test("C9 a product whose brand or category becomes known later is among a rule's goods from then on")
    func goodsKnownLater() {
        for goods in [Goods(brands: ["B"]), Goods(categories: ["C"])] {
            let periods = ConsumptionPeriods(defaultMilliseconds: 30)
            let rule = Rule(
                name: "r", mechanic: .regularConsumption(periods, aheadMilliseconds: 0), goods: goods, action: .record)
            let rules = CompiledRules(RuleSet(rules: [rule]))
            var table = ProductTable()
            #expect(table.index(of: Product(id: "p")) == 0)
            #expect(table.reminderDelay(0, consumptionRule: 0, rules: rules) == nil)
            #expect(table.index(of: Product(id: "p", category: "C", brand: "B")) == 0)
            #expect(table.reminderDelay(0, consumptionRule: 0, rules: rules) == 30)
            #expect(table.index(of: Product(id: "p", category: "D", brand: "A")) == 0)
            #expect(table.reminderDelay(0, consumptionRule: 0, rules: rules) == nil)
        }
    }
}
