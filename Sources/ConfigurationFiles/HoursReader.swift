internal import Model

/// The field `hours` of a rule.
struct HoursReader {
    let report: Report

    static let days: KeyValuePairs<String, Int> = ["mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6]

    func read(_ value: Value) -> AllowedHours? {
        guard let fields = Fields(value, allowed: ["from", "to", "days"], report: report) else { return nil }
        guard !fields.present.isEmpty else {
            report.add(value, "says nothing; allowed are from, to, days")
            return nil
        }
        let from = fields.optional("from").map { report.minute($0, last: 1439) } ?? 0
        let to = fields.optional("to").map { report.minute($0, last: 1440) } ?? 0
        let days = fields.optional("days").map(weekdays) ?? 0x7f
        guard let from, let to, let days else { return nil }
        return AllowedHours(fromMinute: from, toMinute: to % 1440, weekdays: days)
    }

    private func weekdays(_ value: Value) -> UInt8? {
        guard let items = report.list(value, max: 7) else { return nil }
        var mask: UInt8 = 0
        var valid = true
        for item in items {
            if let day = report.choice(item, Self.days) { mask |= 1 << UInt8(day) } else { valid = false }
        }
        if items.isEmpty {
            report.add(value, "is empty; list at least one of \(Self.days.map(\.key).joined(separator: ", "))")
            return nil
        }
        return valid ? mask : nil
    }
}

extension Report {
    /// A time of day as minutes since midnight.
    func minute(_ value: Value, last: Int) -> UInt16? {
        let digits: ClosedRange<UInt8> = 0x30...0x39
        if case .scalar(let text, _) = value.content {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
                parts.allSatisfy({ $0.utf8.allSatisfy(digits.contains) }), let hour = Int(parts[0]), let minute = Int(parts[1]),
                minute < 60,
                hour * 60 + minute <= last
            {
                return UInt16(hour * 60 + minute)
            }
        }
        add(value, "a time of day such as \"09:00\" is expected, not \(value.kind)")
        return nil
    }
}
