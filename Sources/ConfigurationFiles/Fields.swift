/// The fields of one group, each read once; what is not allowed is reported at once.
struct Fields {
    let value: Value
    let report: Report
    /// No other fields are there but those that are allowed.
    let areKnown: Bool
    private let entries: [Value.Entry]

    /// Nil, with the problem reported, when the value is no group of fields.
    init?(_ value: Value, allowed: [String], report: Report) {
        guard case .map(let entries) = value.content else {
            report.add(value, "a group of fields is expected (\(allowed.joined(separator: ", "))), not \(value.kind)")
            return nil
        }
        for entry in entries where !allowed.contains(entry.key) {
            let suggestion = Suggestion.text(for: entry.key, among: allowed)
            report.add(
                entry.keyPlace, entry.value.path,
                "unknown field\(suggestion.isEmpty ? ";" : suggestion) allowed are \(allowed.joined(separator: ", "))")
        }
        self.value = value
        self.report = report
        areKnown = entries.allSatisfy { allowed.contains($0.key) }
        self.entries = entries
    }

    /// Nil when it is not there, or is there without a value.
    func optional(_ name: String) -> Value? {
        guard let entry = entries.first(where: { $0.key == name }), !entry.value.isNull else { return nil }
        return entry.value
    }

    func required(_ name: String) -> Value? {
        if let value = optional(name) { return value }
        if let entry = entries.first(where: { $0.key == name }) {
            report.add(entry.keyPlace, entry.value.path, "has no value")
        } else {
            report.add(value.place, path(name), "is missing")
        }
        return nil
    }

    func path(_ name: String) -> String { value.path.isEmpty ? name : "\(value.path).\(name)" }

    /// Fields that are there, in their order.
    var present: [Value.Entry] { entries }
}
