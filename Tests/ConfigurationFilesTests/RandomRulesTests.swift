import Model
import Testing

@testable import ConfigurationFiles

extension RandomSets {
    /// Of every mechanic, as files can state it; with `after` no longer than what is remembered where it hangs on that.
    fileprivate mutating func mechanic(_ memory: Memory, segments: Int) -> Mechanic {
        let (purchases, browsing) = (memory.purchasesMilliseconds, memory.browsingMilliseconds)
        switch below(9) {
        case 0:
            // Ahead is shorter than any period.
            let standard = below(3) == 0 ? nil : 2 * period(Limits.durationMillisecondsMax / 2)
            let products = texts(atLeast: standard == nil ? 1 : 0).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let periods = products.map {
                ProductPeriod(product: $0, milliseconds: 2 * period(Limits.durationMillisecondsMax / 2))
            }
            let shortest = (periods.map(\.milliseconds) + [standard].compactMap { $0 }).min() ?? 1
            return .regularConsumption(
                ConsumptionPeriods(defaultMilliseconds: standard, perProduct: periods, isPerPiece: below(2) == 0),
                aheadMilliseconds: below(2) == 0 ? 0 : below(shortest))
        case 1:
            return .timeSinceLastPurchase(
                afterMilliseconds: period(), rhythmPercent: below(2) == 0 ? nil : upTo(Limits.percentMax))
        case 2: return .upsell(afterMilliseconds: below(2) == 0 ? 0 : period(), offers: goods())
        case 3:
            return .personalDate(
                trait: pick(["birthday", text()]), daysBefore: below(361) - 180, minute: UInt16(pick([0, 600, below(1440)])))
        case 4 where purchases > 0 && browsing > 0:
            return .viewedProducts(
                times: upTo(128), within: min(period(), purchases, browsing), afterMilliseconds: below(purchases + 1))
        case 5 where browsing > 0: return .abandonedCart(afterMilliseconds: min(period(), browsing))
        case 6, 7: return .segmentEntered(UInt16(below(Int64(segments))), afterMilliseconds: below(2) == 0 ? 0 : period())
        default: return .reviewRequest(afterMilliseconds: below(2) == 0 ? 0 : period())
        }
    }

    private mutating func rate() -> RateLimit {
        RateLimit(count: upTo(Int64(Limits.contactsKeptMax)), windowMilliseconds: period())
    }

    private mutating func indices(_ segments: Int) -> [UInt16] { (0..<segments).map(UInt16.init).filter { _ in below(3) == 0 } }

    fileprivate mutating func rule(_ index: Int, _ set: RuleSet) -> Rule {
        var rule = Rule(
            name: "\(pick(["a", "m", "z"]))\(index)", title: text(), mechanic: mechanic(set.memory, segments: set.segments.count),
            enabled: below(2) == 0, inAll: indices(set.segments.count), inAny: indices(set.segments.count),
            inNone: indices(set.segments.count), action: .record)
        switch rule.mechanic {
        // With goods its own periods must be of those: that is another test's.
        case .upsell(_, let offers) where offers.isEmpty: rule.goods = goods()
        case .reviewRequest, .viewedProducts: rule.goods = goods()
        default: break
        }
        if below(2) == 0 {
            rule.hours = AllowedHours(
                fromMinute: UInt16(below(1440)), toMinute: UInt16(below(1440)), weekdays: UInt8(1 + below(127)))
        }
        if below(2) == 0 { rule.postponeMilliseconds = below(2) == 0 ? 0 : period() }
        if below(2) == 0 { rule.repeatLimit = rate() }
        rule.isTransactional = below(4) == 0
        if below(2) == 0 { rule.conversion = Conversion(windowMilliseconds: period()) }
        return rule
    }

    mutating func addRules(to set: inout RuleSet) {
        for (index, channel) in [nil, Channel.email, .sms].enumerated() where below(2) == 0 {
            set.contactLimits.append(ContactLimit(channel: channel, rate: rate()))
            if index == 0 && below(2) == 0 {
                var other = rate()
                if other.windowMilliseconds == set.contactLimits[0].rate.windowMilliseconds { other.windowMilliseconds += 1 }
                set.contactLimits.append(ContactLimit(channel: channel, rate: other))
            }
        }
        set.rules = (0..<below(6)).map { rule(Int($0), set) }
    }
}

@Suite struct `Random rules` {
    @Test func `C9 C11 of every mechanic, written and read again they are the same`() throws {
        let zones = try ["America/New_York", "Asia/Tokyo", "Etc/GMT+3"].map { try #require(ZoneCompiler.table(named: $0)) }
        for seed in 0..<600 {
            var random = RandomSets(state: UInt64(seed))
            var set = random.ruleSet()
            random.addRules(to: &set)
            set.otherZones = zones.filter { _ in random.below(8) == 0 }
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
