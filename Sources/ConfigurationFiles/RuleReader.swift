internal import Model

/// The section `rules`.
struct RuleReader {
    static let fields =
        ["name", "title", "on", "priority", "mechanic"] + MechanicReader.fields + [
            "goods", "segments", "hours", "postpone_up_to", "repeat", "transactional", "action", "conversion",
        ]
    static let defaultPostponement = 3 * Milliseconds.day
    static let priorities: ClosedRange<Int64> = -1000...1000

    let report: Report
    let segments: SegmentNames
    let remembered: Remembered
    /// Those of templates that could not be read, too: what is wrong with them is reported once.
    let templateNames: Set<String>
    /// The table of periods of this name, beside the rule's file; nil after reporting.
    let table: (Value, String) -> Source?

    /// All rules that could be read, by priority, highest first, and by name.
    func read(_ values: [Value]) -> [Rule] {
        var rules: [(priority: Int64, rule: Rule)] = []
        var places: [RuleID: (name: String, place: Place)] = [:]
        for value in values {
            guard let fields = Fields(value, allowed: Self.fields, report: report) else { continue }
            let priority = fields.optional("priority").map { report.integer($0, in: Self.priorities) } ?? 0
            let rule = rule(fields, &places)
            if let rule, let priority { rules.append((priority, rule)) }
        }
        rules.sort { left, right in
            left.priority == right.priority ? left.rule.name < right.rule.name : left.priority > right.priority
        }
        return rules.map(\.rule)
    }

    private func rule(_ fields: Fields, _ places: inout [RuleID: (name: String, place: Place)]) -> Rule? {
        let problems = report.problems.count
        let name = fields.required("name").flatMap { uniqueName($0, &places) }
        let title = fields.optional("title").flatMap { report.line($0) }
        let enabled = fields.optional("on").map { report.bool($0) } ?? true
        let goods = fields.optional("goods").map(goods) ?? Goods()
        let mechanic = MechanicReader(
            fields: fields, report: report, goods: goods ?? Goods(), segments: segments, remembered: remembered, table: table
        ).read()
        let action = fields.required("action").flatMap(action)
        guard let name, let enabled, let goods, let mechanic, let action else { return nil }
        var rule = Rule(name: name, title: title ?? "", mechanic: mechanic, enabled: enabled, goods: goods, action: action)
        readSegments(fields, into: &rule)
        rule.hours = fields.optional("hours").flatMap { HoursReader(report: report).read($0) }
        rule.postponeMilliseconds =
            fields.optional("postpone_up_to").map { report.duration($0, atLeast: 0) ?? 0 } ?? Self.defaultPostponement
        rule.repeatLimit = fields.optional("repeat").flatMap { LimitReader(report: report).read($0) }
        rule.isTransactional = fields.optional("transactional").map { report.bool($0) ?? false } ?? false
        rule.conversion = fields.optional("conversion").flatMap(conversion)
        return report.problems.count == problems ? rule : nil
    }

    private func uniqueName(_ value: Value, _ places: inout [RuleID: (name: String, place: Place)]) -> String? {
        guard let name = report.name(value) else { return nil }
        let id = RuleID(name: name)
        guard id.number != 0 else {
            report.add(value, "the name '\(name)' cannot be told from \"no rule\" by its number; choose another")
            return nil
        }
        if let first = places[id] {
            report.add(
                value,
                first.name == name
                    ? "the rule '\(name)' is given twice; first at \(first.place)"
                    : "the names '\(name)' and '\(first.name)' (\(first.place)) have the same number; choose another")
            return nil
        }
        places[id] = (name, value.place)
        return name
    }

    private func goods(_ value: Value) -> Goods? {
        Fields(value, allowed: ConditionWords.goods, report: report).flatMap {
            report.goods($0, max: Limits.periodsPerRuleMax)
        }
    }

    private func readSegments(_ rule: Fields, into target: inout Rule) {
        guard let value = rule.optional("segments"),
            let fields = Fields(value, allowed: ["all", "any", "excluded"], report: report)
        else {
            return
        }
        target.inAll = segments.indices(fields.optional("all"))
        target.inAny = segments.indices(fields.optional("any"))
        target.inNone = segments.indices(fields.optional("excluded"))
    }

    /// `record`, or a group with `email`.
    private func action(_ value: Value) -> ActionKind? {
        if case .scalar = value.content { return word(value) }
        guard let fields = Fields(value, allowed: ["email"], report: report), let email = fields.required("email"),
            let name = report.name(email)
        else { return nil }
        guard templateNames.contains(name) else {
            let suggestion = Suggestion.text(for: name, among: templateNames.sorted())
            let known = templateNames.sorted().prefix(20).joined(separator: ", ")
            report.add(
                email,
                "there is no template '\(name)'" + (suggestion.isEmpty && !known.isEmpty ? "; there are \(known)" : suggestion))
            return nil
        }
        return .email(template: name)
    }

    private func word(_ value: Value) -> ActionKind? {
        if case .scalar("email", _) = value.content {
            report.add(value, "an e-mail needs its template: action: { email: template-name }")
            return nil
        }
        guard case .scalar("record", _) = value.content else {
            report.add(value, "\(value.kind) is no action; allowed are record and { email: template-name }")
            return nil
        }
        return .record
    }

    private func conversion(_ value: Value) -> Conversion? {
        guard let fields = Fields(value, allowed: ["window"], report: report), let window = fields.required("window") else {
            return nil
        }
        return report.duration(window, atLeast: 1).map { Conversion(windowMilliseconds: $0) }
    }
}
