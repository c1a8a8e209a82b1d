internal import Model

/// Writes conditions so that reading gives them back.
struct ConditionWriter {
    /// Of the amounts' minor unit.
    let currencyDigits: Int

    /// The fields of one group.
    func lines(_ condition: Condition) -> [String] {
        func group(_ name: String, _ parts: [Condition]) -> [String] {
            ["\(name):"] + parts.flatMap { Exporter.item(lines($0), indent: 2) }
        }
        return switch condition {
        case .all(let parts): group("all", parts)
        case .any(let parts): group("any", parts)
        case .not(.any(let parts)) where parts.count > 1: group("none", parts)
        case .not(let part): group("none", [part])
        default: [field(condition)]
        }
    }

    private func field(_ condition: Condition) -> String {
        switch condition {
        case .all, .any, .not: preconditionFailure("groups have lines of their own")
        case .orders(let figure, let within, let how, let value):
            let number = figure == .count ? String(value) : Decimals.text(value, digits: currencyDigits)
            return Self.field(
                ConditionWords.word(figure, in: ConditionWords.figures), [Self.compared(how, number)] + Self.period(within))
        case .sinceLastOrder(let how, let time): return Self.field("last_order", [Self.age(how, time)])
        case .sinceFirstOrder(let how, let time): return Self.field("first_order", [Self.age(how, time)])
        case .acts(let act, let goods, let within, let how, let times):
            return Self.field(
                ConditionWords.word(act, in: ConditionWords.acts),
                Self.goods(goods) + ["times: { \(Self.compared(how, String(times))) }"] + Self.period(within))
        case .sinceAct(let act, let goods, let how, let time):
            return Self.field(
                ConditionWords.word(act, in: ConditionWords.acts), Self.goods(goods) + ["last: { \(Self.age(how, time)) }"])
        case .rhythm(let how, let percent): return Self.field("rhythm", [Self.compared(how, "\(percent)%")])
        case .pace(let how, let percent): return Self.field("pace", [Self.compared(how, "\(percent)%")])
        case .trait(let name, let test): return Self.trait(name, test)
        case .anniversary(let trait, let before, let after):
            let days = ["before: \(before)d", "after: \(after)d"]
            return trait == ConditionWords.birthdayTrait
                ? Self.field("birthday", days) : Self.field("anniversary", ["trait: \(YAMLText.inline(trait))"] + days)
        case .sinceEngagement(let sign, let how, let time):
            return Self.field(ConditionWords.word(sign, in: ConditionWords.signs), [Self.age(how, time)])
        case .consent(let channel, let state):
            let word = ConditionWords.word(state, in: ConditionWords.consents)
            return Self.field("consent", ["\(channel.name): \(word)"])
        case .reachable(let channel): return "reachable: \(channel.name)"
        case .interest(let goods, let how, let value):
            let number = Decimals.short(value, digits: ConditionWords.interestDigits)
            return Self.field("interest", Self.goods(goods) + [Self.compared(how, number)])
        }
    }

    private static func trait(_ name: String, _ test: TraitTest) -> String {
        let said = "name: \(YAMLText.inline(name))"
        switch test {
        case .exists: return field("trait", [said, "exists: true"])
        case .isOneOf(let texts): return field("trait", [said, "is: \(YAMLText.list(texts))"])
        case .contains(let text): return field("trait", [said, "contains: \(YAMLText.inline(text))"])
        case .number(let how, let value):
            return field("trait", [said, compared(how, Decimals.short(value, digits: ConditionWords.traitDigits))])
        }
    }

    private static func field(_ name: String, _ fields: [String]) -> String {
        "\(name): { \(fields.joined(separator: ", ")) }"
    }

    private static func compared(_ how: Comparison, _ value: String) -> String {
        "\(ConditionWords.word(how, in: ConditionWords.counts)): \(value)"
    }

    private static func age(_ how: Comparison, _ milliseconds: Int64) -> String {
        "\(ConditionWords.word(how, in: ConditionWords.ages)): \(DurationText.text(milliseconds))"
    }

    private static func period(_ milliseconds: Int64?) -> [String] { milliseconds.map { ["in: \(DurationText.text($0))"] } ?? [] }

    private static func goods(_ goods: Goods) -> [String] {
        zip(ConditionWords.goods, [goods.products, goods.categories, goods.brands]).compactMap { name, texts in
            texts.isEmpty ? nil : "\(name): \(YAMLText.list(texts))"
        }
    }
}
