internal import Model

/// Reads the conditions that say something of a customer themselves: all but groups and names of segments.
struct ConditionReader {
    let settings: Settings
    let report: Report

    private var remembered: Remembered { Remembered(memory: settings.memory, report: report) }

    static let fields =
        ConditionWords.figures.map(\.key) + ["last_order", "first_order"] + ConditionWords.acts.map(\.key) + [
            "rhythm", "pace", "interest", "trait", "tag", "birthday", "anniversary", "loyalty", "consent", "reachable",
        ] + ConditionWords.signs.map(\.key)

    private typealias Compared = (how: Comparison, value: Int64, place: Value)

    /// What one field says: parts that must all hold, at least one. Nil after reporting.
    func read(_ entry: Value.Entry) -> [Condition]? {
        let problems = report.problems.count
        let parts = parts(entry)
        return report.problems.count == problems ? parts : nil
    }

    private func parts(_ entry: Value.Entry) -> [Condition] {
        let value = entry.value
        if let figure = ConditionWords.meaning(entry.key, in: ConditionWords.figures) { return orders(figure, value) }
        if let act = ConditionWords.meaning(entry.key, in: ConditionWords.acts) { return acts(act, entry) }
        if let sign = ConditionWords.meaning(entry.key, in: ConditionWords.signs) {
            // What is done with messages is remembered along with browsing, though of each the last time for good.
            guard remembers(.viewed, entry) else { return [] }
            return ages(value).map { .sinceEngagement(sign, $0.how, milliseconds: $0.value) }
        }
        switch entry.key {
        case "last_order": return ages(value).map { .sinceLastOrder($0.how, milliseconds: $0.value) }
        case "first_order": return ages(value).map { .sinceFirstOrder($0.how, milliseconds: $0.value) }
        case "rhythm": return percents(value).map { .rhythm($0.how, percent: $0.value) }
        case "pace": return percents(value).map { .pace($0.how, percent: $0.value) }
        case "interest": return interest(entry)
        case "trait": return trait(value)
        case "tag":
            let name = report.line(value, bytesMax: Limits.nameBytesMax - ConditionWords.tagPrefix.utf8.count)
            return name.map { [.trait(ConditionWords.tagPrefix + $0, .exists)] } ?? []
        case "birthday": return birthday(value)
        case "anniversary": return anniversary(value)
        case "loyalty": return loyalty(value)
        case "consent": return consent(value)
        case "reachable": return report.choice(value, ConditionWords.channels).map { [.reachable($0)] } ?? []
        default: preconditionFailure("a field that is allowed is read")
        }
    }

    /// Each comparison that is there; reports when there is none.
    private func comparisons(
        _ fields: Fields, _ words: KeyValuePairs<String, Comparison>, read: (Value) -> Int64?
    ) -> [Compared] {
        let present = fields.present.compactMap { entry in
            ConditionWords.meaning(entry.key, in: words).map { (how: $0, value: entry.value) }
        }
        if present.isEmpty, fields.areKnown {
            report.add(fields.value, "compares nothing; allowed are \(words.map(\.key).joined(separator: ", "))")
        }
        return present.compactMap { how, value in read(value).map { (how, $0, value) } }
    }

    /// A group that holds comparisons and nothing else.
    private func group(
        _ value: Value, _ words: KeyValuePairs<String, Comparison>, read: (Value) -> Int64?
    ) -> [Compared] {
        guard let fields = Fields(value, allowed: words.map(\.key), report: report) else { return [] }
        return comparisons(fields, words, read: read)
    }

    private func ages(_ value: Value) -> [Compared] {
        group(value, ConditionWords.ages) { report.duration($0, atLeast: 1) }
    }

    private func percents(_ value: Value) -> [Compared] {
        group(value, ConditionWords.counts) { report.percent($0, max: Limits.percentMax) }
    }
}

// What customers ordered and did.
extension ConditionReader {
    /// Of so many orders it is known when they were placed.
    private static let datedOrdersMax = Int64(Limits.ordersKeptMax + Limits.olderOrdersKeptMax)

    /// So many acts are known one by one.
    private static func timesMax(_ act: Act) -> Int64 {
        switch act {
        case .bought: Int64(Limits.purchasesKeptMax)
        case .viewed, .addedToCart: Int64(Limits.browsingKeptMax)
        }
    }

    private func orders(_ figure: OrderFigure, _ value: Value) -> [Condition] {
        guard let fields = Fields(value, allowed: ConditionWords.counts.map(\.key) + ["in"], report: report) else { return [] }
        let within = fields.optional("in").flatMap { report.duration($0, atLeast: 1) }
        let compared = comparisons(fields, ConditionWords.counts) { number in
            switch figure {
            case .count: report.integer(number, in: 0...(within == nil ? 1_000_000_000 : Self.datedOrdersMax))
            case .sum, .average: report.money(number, digits: settings.digits, currency: settings.currency)
            }
        }
        return compared.map { .orders(figure, within: within, $0.how, $0.value) }
    }

    private func acts(_ act: Act, _ entry: Value.Entry) -> [Condition] {
        guard let fields = Fields(entry.value, allowed: ConditionWords.goods + ["times", "in", "last"], report: report),
            let goods = report.goods(fields, max: Limits.goodsPerConditionMax), remembers(act, entry)
        else { return [] }
        let limit = settings.memory.milliseconds(of: act)
        var parts: [Condition] = []
        if let last = fields.optional("last") {
            for age in ages(last) {
                // Whoever did it longer ago is not known any more, so nobody would match.
                let isUpTo = age.how == .less || age.how == .atMost
                remembered.check(age.value, isIn: isUpTo ? limit : limit - 1, age.place, act)
                parts.append(.sinceAct(act, goods, age.how, milliseconds: age.value))
            }
        }
        let within = fields.optional("in").flatMap { report.duration($0, atLeast: 1) }
        if let within, let place = fields.optional("in") { remembered.check(within, isIn: limit, place, act) }
        if let times = fields.optional("times") {
            let compared = group(times, ConditionWords.counts) { report.integer($0, in: 0...Self.timesMax(act)) }
            parts += compared.map { .acts(act, goods, within: within, $0.how, $0.value) }
        } else if parts.isEmpty {
            parts = [.acts(act, goods, within: within, .atLeast, 1)]
        } else if let place = fields.optional("in") {
            report.add(place, "says in what time to count times, which are not given; last needs no in")
        }
        return parts
    }

    private func remembers(_ act: Act, _ entry: Value.Entry) -> Bool {
        remembered.keeps(act, for: entry.keyPlace, entry.value.path)
    }

    private func interest(_ entry: Value.Entry) -> [Condition] {
        guard
            let fields = Fields(entry.value, allowed: ConditionWords.goods + ConditionWords.counts.map(\.key), report: report),
            let goods = report.goods(fields, max: Limits.goodsPerConditionMax),
            remembers(.bought, entry), remembers(.viewed, entry)
        else { return [] }
        let compared = comparisons(fields, ConditionWords.counts) {
            report.decimal($0, digits: ConditionWords.interestDigits, in: 0...Limits.interestMax)
        }
        return compared.map { .interest(goods, $0.how, $0.value) }
    }
}

// What is known of customers.
extension ConditionReader {
    private func trait(_ value: Value) -> [Condition] {
        let words = ConditionWords.counts
        let tests = ["is", "contains", "exists"] + words.map(\.key)
        guard let fields = Fields(value, allowed: ["name"] + tests, report: report),
            let name = fields.required("name").flatMap({ report.line($0) })
        else { return [] }
        let problems = report.problems.count
        var parts: [Condition] = []
        if let list = fields.optional("is") { parts += isOneOf(list, name) }
        if let part = fields.optional("contains"), let text = report.line(part, bytesMax: Limits.traitValueBytesMax) {
            parts.append(.trait(name, .contains(text)))
        }
        if let exists = fields.optional("exists").flatMap({ report.bool($0) }) {
            parts.append(exists ? .trait(name, .exists) : .not(.trait(name, .exists)))
        }
        if fields.present.contains(where: { ConditionWords.meaning($0.key, in: words) != nil }) {
            parts += comparisons(fields, words, read: traitNumber).map { .trait(name, .number($0.how, $0.value)) }
        }
        if parts.isEmpty, fields.areKnown, report.problems.count == problems {
            report.add(value, "tests nothing; allowed are \(tests.joined(separator: ", "))")
        }
        return parts
    }

    private func traitNumber(_ value: Value) -> Int64? {
        report.decimal(value, digits: ConditionWords.traitDigits, in: -Limits.traitNumberMax...Limits.traitNumberMax)
    }

    /// A text, or a list of them.
    private func isOneOf(_ value: Value, _ name: String) -> [Condition] {
        let texts: [String]?
        if case .list = value.content {
            texts = report.texts(value, max: Limits.conditionPartsMax, bytesMax: Limits.traitValueBytesMax)
            if texts == [] { report.add(value, "is empty; list at least one text") }
        } else {
            texts = report.line(value, bytesMax: Limits.traitValueBytesMax).map { [$0] }
        }
        return texts.map { [.trait(name, .isOneOf($0))] } ?? []
    }

    private func loyalty(_ value: Value) -> [Condition] {
        guard let fields = Fields(value, allowed: ["tier", "points"], report: report) else { return [] }
        let problems = report.problems.count
        var parts: [Condition] = []
        if let tier = fields.optional("tier") { parts += isOneOf(tier, ConditionWords.tierTrait) }
        if let points = fields.optional("points") {
            parts += group(points, ConditionWords.counts, read: traitNumber).map {
                .trait(ConditionWords.pointsTrait, .number($0.how, $0.value))
            }
        }
        if parts.isEmpty, fields.areKnown, report.problems.count == problems {
            report.add(value, "tests nothing; allowed are tier, points")
        }
        return parts
    }

    private func birthday(_ value: Value) -> [Condition] {
        guard let fields = Fields(value, allowed: ["before", "after"], report: report) else { return [] }
        return anniversary(of: ConditionWords.birthdayTrait, fields)
    }

    private func anniversary(_ value: Value) -> [Condition] {
        guard let fields = Fields(value, allowed: ["trait", "before", "after"], report: report),
            let trait = fields.required("trait").flatMap({ report.line($0) })
        else { return [] }
        return anniversary(of: trait, fields)
    }

    private func anniversary(of trait: String, _ fields: Fields) -> [Condition] {
        let before = fields.optional("before").map { report.days($0, max: Limits.anniversaryDaysMax) } ?? 0
        let after = fields.optional("after").map { report.days($0, max: Limits.anniversaryDaysMax) } ?? 0
        guard let before, let after else { return [] }
        return [.anniversary(trait: trait, daysBefore: before, daysAfter: after)]
    }

    private func consent(_ value: Value) -> [Condition] {
        let names = ConditionWords.channels.map(\.key)
        guard let fields = Fields(value, allowed: names, report: report) else { return [] }
        if fields.present.isEmpty { report.add(value, "names no channel; allowed are \(names.joined(separator: ", "))") }
        return fields.present.compactMap { entry in
            guard let channel = ConditionWords.meaning(entry.key, in: ConditionWords.channels),
                let state = report.choice(entry.value, ConditionWords.consents)
            else { return nil }
            return .consent(channel, state)
        }
    }
}
