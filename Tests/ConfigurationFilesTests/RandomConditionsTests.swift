import Model
import Testing

@testable import ConfigurationFiles

/// Rule sets with any conditions that files can state.
struct RandomSets {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int64) -> Int64 { Int64(next() % UInt64(bound)) }
    mutating func pick<Values: Collection>(_ values: Values) -> Values.Element {
        values[values.index(values.startIndex, offsetBy: Int(below(Int64(values.count))))]
    }

    /// Of every magnitude, `1...max`.
    mutating func upTo(_ max: Int64) -> Int64 { 1 + below(Swift.max(max >> below(Int64(64 - max.leadingZeroBitCount)), 1)) }

    mutating func text() -> String {
        let words = [
            "a", "Berlin", "yes", "no", "null", "~", "0", "007", "1.5", "-", "- x", "a: b", "a #b", "'", "\"", "\\", "{", "[x]",
            "*a", "&b", "!t", "|", ">", "%", "@", "`", " lead", "trail ", "é", "e\u{301}", "漢字", "👩‍👩‍👧", "a,b", "tag:x",
            "x\u{feff}", "?", ":", "=", "<<", "2024-01-01", "0x1F", "1e3", ".inf",
        ]
        return (0...below(2)).map { _ in pick(words) }.joined()
    }

    mutating func texts(atLeast min: Int64) -> [String] {
        var texts: [String] = []
        for _ in 0..<min + below(3) {
            let text = text()
            if !texts.contains(where: { $0.utf8.elementsEqual(text.utf8) }) { texts.append(text) }
        }
        return texts
    }

    mutating func goods() -> Goods {
        Goods(products: texts(atLeast: 0), categories: texts(atLeast: 0), brands: texts(atLeast: 0))
    }

    mutating func period(_ max: Int64 = Limits.durationMillisecondsMax) -> Int64 {
        let unit = pick([1, Milliseconds.second, Milliseconds.minute, Milliseconds.hour, Milliseconds.day, 7 * Milliseconds.day])
        return unit * upTo(Swift.max(max / unit, 1))
    }

    mutating func condition(_ memory: Memory, depth: Int = 0) -> Condition {
        let how = pick(Comparison.allCases)
        switch below(depth < 5 ? 19 : 16) {
        case 0:
            let within = below(2) == 0 ? nil : period()
            let figure = pick(OrderFigure.allCases)
            let max: Int64 = figure == .count ? within == nil ? 1_000_000_000 : 512 : Limits.moneyMax
            return .orders(figure, within: within, how, upTo(max) - below(2))
        case 1: return .sinceLastOrder(how, milliseconds: period())
        case 2: return .sinceFirstOrder(how, milliseconds: period())
        case 3, 4:
            let act = pick(Act.allCases)
            let max = memory.milliseconds(of: act)
            guard max > 1 else { return .reachable(.sms) }
            let within = below(2) == 0 ? nil : min(period(max), max)
            return .acts(act, goods(), within: within, how, below(129))
        case 5:
            let act = pick(Act.allCases)
            let max = memory.milliseconds(of: act)
            return max > 1 ? .sinceAct(act, goods(), how, milliseconds: min(period(max), max - 1)) : .reachable(.email)
        case 6: return .rhythm(how, percent: upTo(Limits.percentMax) - below(2))
        case 7: return .pace(how, percent: upTo(Limits.percentMax) - below(2))
        case 8: return .trait(text(), .exists)
        case 9: return .trait(text(), .isOneOf(texts(atLeast: 1)))
        case 10: return .trait(text(), .contains(text()))
        case 11: return .trait(text(), .number(how, (upTo(Limits.traitNumberMax) - below(2)) * pick([1, -1])))
        case 12:
            return .anniversary(trait: pick(["birthday", text()]), daysBefore: below(181), daysAfter: below(181))
        case 13:
            return memory.browsingMilliseconds > 0
                ? .sinceEngagement(pick(EngagementSign.allCases), how, milliseconds: period()) : .reachable(.sms)
        case 14: return .consent(pick([.email, .sms]), pick(ConsentState.allCases))
        case 15:
            return memory.purchasesMilliseconds > 0 && memory.browsingMilliseconds > 0
                ? .interest(goods(), how, upTo(Limits.interestMax) - below(2)) : .reachable(.email)
        case 16: return .not(condition(memory, depth: depth + 1))
        case 17: return .all((0...below(3)).map { _ in condition(memory, depth: depth + 1) })
        default: return .any((0...below(3)).map { _ in condition(memory, depth: depth + 1) })
        }
    }

    mutating func ruleSet() -> RuleSet {
        let memory = Memory(
            purchasesMilliseconds: below(4) == 0 ? 0 : period(), browsingMilliseconds: below(4) == 0 ? 0 : period())
        let currency = pick([("USD", 2), ("JPY", 0), ("KWD", 3)])
        let segments = (0..<1 + below(4)).map { Segment(name: "s\($0)", title: text(), condition: condition(memory)) }
        return RuleSet(
            currency: currency.0, currencyDigits: UInt8(currency.1), memory: memory, segments: segments)
    }
}

@Suite struct `Random conditions` {
    @Test func `written and read again they are the same`() throws {
        for seed in 0..<600 {
            var random = RandomSets(state: UInt64(seed))
            let set = random.ruleSet()
            do throws(ConfigurationErrors) {
                let again = try load(set.yaml())
                #expect(again == set, "seed \(seed)")
                #expect(again.encoded() == set.encoded(), "seed \(seed)")
            } catch {
                Issue.record("seed \(seed): \(error)\n\(set.yaml())")
            }
        }
    }
}
