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
        [
            "installation:", "  currency: \(YAMLText.inline(set.currency))", "  time_zone: \(YAMLText.inline(set.zone.name))",
            "  fulfilled: \(set.fulfilledOnPlaced ? "on_placed" : "on_fulfilled")",
            "  consent: \(set.consentAssumed ? "assumed" : "required")",
            "  remember: { purchases: \(remembered(set.memory.purchasesMilliseconds)), "
                + "browsing: \(remembered(set.memory.browsingMilliseconds)) }",
        ]
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
        lines += mechanic(rule.mechanic)
        lines += group(
            "goods", [("products", rule.goods.products), ("categories", rule.goods.categories), ("brands", rule.goods.brands)])
        func names(_ indices: [UInt16]) -> [String] { indices.map { set.segments[Int($0)].name } }
        lines += group("segments", [("all", names(rule.inAll)), ("any", names(rule.inAny)), ("excluded", names(rule.inNone))])
        if let hours = rule.hours { lines.append(self.hours(hours)) }
        if rule.postponeMilliseconds != RuleReader.defaultPostponement {
            lines.append("postpone_up_to: \(DurationText.text(rule.postponeMilliseconds))")
        }
        switch rule.action {
        case .record: lines.append("action: record")
        case .email(let template): lines.append("action: { email: \(template) }")
        }
        if let conversion = rule.conversion {
            lines.append("conversion: { window: \(DurationText.text(conversion.windowMilliseconds)) }")
        }
        return Self.item(lines, indent: 2)
    }

    private func group(_ name: String, _ lists: [(String, [String])]) -> [String] {
        let present = lists.filter { !$0.1.isEmpty }
        guard !present.isEmpty else { return [] }
        return ["\(name):"] + present.map { name, items in "  \(name): \(YAMLText.list(items))" }
    }

    private func mechanic(_ mechanic: Mechanic) -> [String] {
        var lines = ["mechanic: \(mechanic.name)"]
        switch mechanic {
        case .regularConsumption(let periods, let ahead):
            if let standard = periods.defaultMilliseconds { lines.append("period: \(DurationText.text(standard))") }
            if !periods.perProduct.isEmpty {
                lines.append("periods:")
                lines += periods.perProduct.map { "  \(YAMLText.inline($0.product)): \(DurationText.text($0.milliseconds))" }
            }
            if ahead != 0 { lines.append("ahead: \(DurationText.text(ahead))") }
        case .timeSinceLastPurchase(let after), .reviewRequest(let after): lines.append("after: \(DurationText.text(after))")
        }
        return lines
    }

    private func hours(_ hours: AllowedHours) -> String {
        func time(_ minute: Int) -> String {
            "\"\(minute / 60 < 10 ? "0" : "")\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)\""
        }
        let days = HoursReader.days.filter { hours.weekdays & (1 << UInt8($0.value)) != 0 }.map(\.key)
        let span = "from: \(time(Int(hours.fromMinute))), to: \(time(hours.toMinute == 0 ? 1440 : Int(hours.toMinute)))"
        return "hours: { \(span)\(days.count == 7 ? "" : ", days: [\(days.joined(separator: ", "))]") }"
    }
}
