/// What can be done with a value: the filters of Twig and Liquid that mean the same in both.
enum Filter: String, Equatable, Sendable, CaseIterable {
    case `default`, upcase, downcase, capitalize, escape, raw, truncate, date
    case numberFormat = "number_format"
    case money, round
    case join, first, last, size, replace
    case urlEncode = "url_encode"
    case strip
    case newlineToBreak = "newline_to_br"

    private static let aliases: [String: Filter] = [
        "upper": .upcase, "lower": .downcase, "e": .escape, "safe": .raw, "length": .size, "trim": .strip,
        "nl2br": .newlineToBreak, "urlencode": .urlEncode,
    ]

    init?(name: String) {
        if let filter = Self(rawValue: name) ?? Self.aliases[name] { self = filter } else { return nil }
    }

    /// All names, for messages.
    static var names: [String] { (allCases.map(\.rawValue) + aliases.keys).sorted() }

    /// How many values it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .default, .date, .join: 1...1
        case .upcase, .downcase, .capitalize, .escape, .raw, .first, .last, .size, .urlEncode, .strip, .newlineToBreak: 0...0
        case .truncate: 1...2
        case .numberFormat: 0...3
        case .money, .round: 0...1
        case .replace: 2...2
        }
    }

    /// Finds at reading what would fail at every rendering.
    func check(_ call: FilterCall) throws(Fault) {
        let count = call.arguments.count
        guard arity.contains(count) else {
            let wanted =
                arity.lowerBound == arity.upperBound ? "\(arity.lowerBound)" : "\(arity.lowerBound) to \(arity.upperBound)"
            throw Fault(at: call.offset, "the filter '\(rawValue)' takes \(wanted) values, not \(count)")
        }
        if self == .date, case .literal(.string(let format)?) = call.arguments[0] {
            _ = try DateFormat.parts(of: format, at: call.offset)
        }
    }
}
