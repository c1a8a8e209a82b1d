package import Model

extension RuleSet {
    /// The rule set as one file that loads as this very rule set (its revision and the numbers of its segments aside).
    ///
    /// Priorities are written as they are needed to keep the order of the rules; segments that were named within others
    /// stand there written out.
    package func yaml() -> String { Exporter(set: self).text() }
}

struct Exporter {
    let set: RuleSet

    func text() -> String {
        var lines = installation()
        if !set.segments.isEmpty { lines += ["", "segments:"] + set.segments.flatMap(segment) }
        if !set.templates.isEmpty { lines += ["", "templates:"] + set.templates.flatMap(template) }
        if !set.rules.isEmpty {
            lines += ["", "rules:"]
            for (rule, priority) in zip(set.rules, priorities) { lines += self.rule(rule, priority: priority) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func installation() -> [String] {
        var lines = [
            "installation:", "  currency: \(YAMLText.inline(set.currency))", "  time_zone: \(YAMLText.inline(set.zone.name))",
        ]
        if !set.otherZones.isEmpty { lines.append("  time_zones: \(YAMLText.list(set.otherZones.map(\.name)))") }
        lines += [
            "  fulfilled: \(set.fulfilledOnPlaced ? "on_placed" : "on_fulfilled")",
            "  consent: \(set.consentAssumed ? "assumed" : "required")",
            "  remember: { purchases: \(remembered(set.memory.purchasesMilliseconds)), "
                + "browsing: \(remembered(set.memory.browsingMilliseconds)) }",
        ]
        if !set.contactLimits.isEmpty {
            lines.append("  contact:")
            lines += set.contactLimits.map { limit in
                "    - { \(limit.channel.map { "channel: \($0.name), " } ?? "")\(rate(limit.rate)) }"
            }
        }
        return lines
    }

    private func rate(_ limit: RateLimit) -> String {
        "at_most: \(limit.count), in: \(DurationText.text(limit.windowMilliseconds))"
    }

    private func remembered(_ milliseconds: Int64) -> String {
        milliseconds == 0 ? "none" : DurationText.text(milliseconds)
    }

    /// The lowest that keep the order: rules of one priority stand by name.
    private var priorities: [Int] {
        var priorities: [Int] = []
        var priority = 0
        for index in set.rules.indices.reversed() {
            if index + 1 < set.rules.count, set.rules[index].name > set.rules[index + 1].name { priority += 1 }
            priorities.append(priority)
        }
        return priorities.reversed()
    }

    /// An item of a list: a dash before the first line, the others beneath.
    static func item(_ lines: [String], indent: Int) -> [String] {
        lines.enumerated().map { index, line in
            line.isEmpty ? line : String(repeating: " ", count: indent) + (index == 0 ? "- " : "  ") + line
        }
    }

    private func segment(_ segment: Segment) -> [String] {
        var lines = ["name: \(segment.name)"]
        if segment.title != segment.name { lines.append("title: \(YAMLText.inline(segment.title))") }
        return Self.item(lines + ConditionWriter(currencyDigits: Int(set.currencyDigits)).lines(segment.condition), indent: 2)
    }

    private func template(_ template: MessageTemplate) -> [String] {
        var lines = [
            "name: \(template.name)", "from: \(YAMLText.inline(template.from))", "subject: \(YAMLText.inline(template.subject))",
        ]
        lines.append("text: " + YAMLText.block(template.text, indent: 2))
        if !template.html.isEmpty { lines.append("html: " + YAMLText.block(template.html, indent: 2)) }
        return Self.item(
            lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }, indent: 2)
    }

    private func rule(_ rule: Rule, priority: Int) -> [String] {
        var lines = ["name: \(rule.name)"]
        if rule.title != rule.name { lines.append("title: \(YAMLText.inline(rule.title))") }
        if !rule.enabled { lines.append("on: false") }
        if priority != 0 { lines.append("priority: \(priority)") }
        lines += MechanicWriter(segments: set.segments).lines(rule.mechanic)
        lines += Self.group(
            "goods", [("products", rule.goods.products), ("categories", rule.goods.categories), ("brands", rule.goods.brands)])
        func names(_ indices: [UInt16]) -> [String] { indices.map { set.segments[Int($0)].name } }
        lines += Self.group(
            "segments", [("all", names(rule.inAll)), ("any", names(rule.inAny)), ("excluded", names(rule.inNone))])
        if let hours = rule.hours { lines.append(self.hours(hours)) }
        if rule.postponeMilliseconds != RuleReader.defaultPostponement {
            lines.append("postpone_up_to: \(DurationText.text(rule.postponeMilliseconds))")
        }
        if let limit = rule.repeatLimit { lines.append("repeat: { \(rate(limit)) }") }
        if rule.isTransactional { lines.append("transactional: true") }
        switch rule.action {
        case .record: lines.append("action: record")
        case .email(let template): lines.append("action: { email: \(template) }")
        }
        if let conversion = rule.conversion {
            lines.append("conversion: { window: \(DurationText.text(conversion.windowMilliseconds)) }")
        }
        return Self.item(lines, indent: 2)
    }

    /// A group of lists, those that are empty left out.
    static func group(_ name: String, _ lists: [(String, [String])]) -> [String] {
        let present = lists.filter { !$0.1.isEmpty }
        guard !present.isEmpty else { return [] }
        return ["\(name):"] + present.map { name, items in "  \(name): \(YAMLText.list(items))" }
    }

    /// A time of day, of minutes since midnight.
    static func time(_ minute: Int) -> String {
        "\"\(minute / 60 < 10 ? "0" : "")\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)\""
    }

    private func hours(_ hours: AllowedHours) -> String {
        let days = HoursReader.days.filter { hours.weekdays & (1 << UInt8($0.value)) != 0 }.map(\.key)
        let span = "from: \(Self.time(Int(hours.fromMinute))), to: \(Self.time(hours.toMinute == 0 ? 1440 : Int(hours.toMinute)))"
        return "hours: { \(span)\(days.count == 7 ? "" : ", days: [\(days.joined(separator: ", "))]") }"
    }
}
