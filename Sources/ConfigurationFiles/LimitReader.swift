internal import Model

/// Reads how often something may be: `at_most` so many `in` so long.
struct LimitReader {
    let report: Report

    static let fields = ["at_most", "in"]

    func read(_ value: Value) -> RateLimit? {
        Fields(value, allowed: Self.fields, report: report).flatMap(rate)
    }

    private func rate(_ fields: Fields) -> RateLimit? {
        // Both are read, so that all that is wrong is reported.
        let count = fields.required("at_most").flatMap { report.integer($0, in: 1...Int64(Limits.contactsKeptMax)) }
        let window = fields.required("in").flatMap { report.duration($0, atLeast: 1) }
        guard let count, let window, fields.areKnown else { return nil }
        return RateLimit(count: count, windowMilliseconds: window)
    }

    /// The list `contact` of the installation.
    func contacts(_ value: Value) -> [ContactLimit] {
        guard let items = report.list(value, max: Limits.contactLimitsMax) else { return [] }
        var limits: [(limit: ContactLimit, place: Place)] = []
        for item in items {
            guard let fields = Fields(item, allowed: ["channel"] + Self.fields, report: report) else { continue }
            let channel = fields.optional("channel").map { report.choice($0, ConditionWords.channels) }
            guard let rate = rate(fields) else { continue }
            if case .some(nil) = channel { continue }
            let limit = ContactLimit(channel: channel ?? nil, rate: rate)
            let same = limits.first { other in
                other.limit.channel == limit.channel && other.limit.rate.windowMilliseconds == rate.windowMilliseconds
            }
            if let same {
                report.add(
                    item,
                    "there is a limit of this channel in \(DurationText.text(rate.windowMilliseconds)) already, at \(same.place)")
            } else {
                limits.append((limit, item.place))
            }
        }
        return limits.map(\.limit)
    }
}
