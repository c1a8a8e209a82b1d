internal import Model

/// Turns the segments of all files into conditions; a segment that names another takes its condition in.
struct SegmentCompiler {
    private struct Definition {
        var fields: Fields
        var name: String
        var title: String
        var state = State.unread
    }

    private enum State {
        case unread, reading, failed
        case compiled(Condition, size: Int, depth: Int)
    }

    private typealias Compiled = (condition: Condition, size: Int, depth: Int)

    private static let groups = ["all", "any", "none"]
    private static var conditionFields: [String] { groups + ["segment"] + ConditionReader.fields }

    private let conditions: ConditionReader
    private let report: Report
    private var definitions: [Definition] = []
    private var indices: [String: Int] = [:]
    /// Segments that are being read, outermost first.
    private var trail: [String] = []

    /// All segments that could be read, in the order of the files, and the names of all that were given.
    static func compile(_ values: [Value], settings: Settings, report: Report) -> (segments: [Segment], names: Set<String>) {
        var compiler = SegmentCompiler(settings: settings, report: report)
        compiler.collect(values)
        var segments: [Segment] = []
        for index in compiler.definitions.indices {
            if let compiled = compiler.resolve(index) {
                let definition = compiler.definitions[index]
                segments.append(Segment(name: definition.name, title: definition.title, condition: compiled.condition))
            }
        }
        return (segments, Set(compiler.indices.keys))
    }

    private init(settings: Settings, report: Report) {
        conditions = ConditionReader(settings: settings, report: report)
        self.report = report
    }

    private mutating func collect(_ values: [Value]) {
        for value in values {
            guard let fields = Fields(value, allowed: ["name", "title"] + Self.conditionFields, report: report) else { continue }
            let title = fields.optional("title").flatMap { report.line($0) }
            guard let nameValue = fields.required("name"), let name = report.name(nameValue) else { continue }
            if let first = indices[name] {
                report.add(nameValue, "the segment '\(name)' is given twice; first at \(definitions[first].fields.value.place)")
                continue
            }
            indices[name] = definitions.count
            definitions.append(Definition(fields: fields, name: name, title: title ?? name))
        }
    }

    private mutating func resolve(_ index: Int) -> Compiled? {
        switch definitions[index].state {
        case .compiled(let condition, let size, let depth): return (condition, size, depth)
        case .reading, .failed: return nil
        case .unread: break
        }
        definitions[index].state = .reading
        trail.append(definitions[index].name)
        defer { trail.removeLast() }
        let fields = definitions[index].fields
        guard let compiled = condition(fields), fits(compiled, fields.value) else {
            definitions[index].state = .failed
            return nil
        }
        definitions[index].state = .compiled(compiled.condition, size: compiled.size, depth: compiled.depth)
        return compiled
    }

    private func fits(_ compiled: Compiled, _ value: Value) -> Bool {
        if compiled.size > Limits.segmentConditionsMax {
            report.add(value, "has more than \(Limits.segmentConditionsMax) conditions, those of the segments it names included")
            return false
        }
        if compiled.depth > Condition.depthMax {
            report.add(
                value, "conditions stand deeper than \(Condition.depthMax) in each other, those of the segments it names included"
            )
            return false
        }
        return true
    }

    /// One group of fields; several together must all hold.
    private mutating func condition(_ fields: Fields) -> Compiled? {
        var parts: [Compiled] = []
        var failed = false
        var found = false
        for entry in fields.present where Self.conditionFields.contains(entry.key) {
            found = true
            guard let part = part(entry) else {
                failed = true
                continue
            }
            parts.append(part)
        }
        if !found, fields.areKnown {
            report.add(fields.value, "says no condition; allowed are \(Self.conditionFields.joined(separator: ", "))")
        }
        return failed || !found ? nil : Self.joined(parts)
    }

    private static func joined(_ parts: [Compiled]) -> Compiled {
        if parts.count == 1 { return parts[0] }
        return (.all(parts.map(\.condition)), 1 + parts.reduce(0) { $0 + $1.size }, 1 + (parts.map(\.depth).max() ?? 0))
    }

    private mutating func part(_ entry: Value.Entry) -> Compiled? {
        switch entry.key {
        case "segment": return reference(entry.value)
        case "all", "any", "none": return group(entry)
        default: return conditions.read(entry).map { Self.joined($0.map(Self.measured)) }
        }
    }

    /// Of what one field says.
    private static func measured(_ condition: Condition) -> Compiled {
        if case .not = condition { (condition, 2, 2) } else { (condition, 1, 1) }
    }

    private mutating func group(_ entry: Value.Entry) -> Compiled? {
        guard let items = report.list(entry.value, max: Limits.conditionPartsMax) else { return nil }
        guard !items.isEmpty else {
            report.add(entry.keyPlace, entry.value.path, "is empty; list at least one condition")
            return nil
        }
        var parts: [Compiled] = []
        for item in items {
            let fields = Fields(item, allowed: Self.conditionFields, report: report)
            if let fields, let part = condition(fields) { parts.append(part) }
        }
        guard parts.count == items.count else { return nil }
        let conditions = parts.map(\.condition)
        let size = 1 + parts.reduce(0) { $0 + $1.size }
        let depth = 1 + (parts.map(\.depth).max() ?? 0)
        switch entry.key {
        case "all": return (.all(conditions), size, depth)
        case "any": return (.any(conditions), size, depth)
        default: return parts.count == 1 ? (.not(conditions[0]), size, depth) : (.not(.any(conditions)), size + 1, depth + 1)
        }
    }

    private mutating func reference(_ value: Value) -> Compiled? {
        guard let name = report.name(value) else { return nil }
        guard let index = indices[name] else {
            report.add(value, Self.unknown(name, among: Array(indices.keys)))
            return nil
        }
        if case .reading = definitions[index].state {
            let circle = trail.drop { $0 != name } + [name]
            report.add(value, "segments name each other in a circle: \(circle.joined(separator: " -> "))")
            return nil
        }
        return resolve(index).flatMap { fits($0, value) ? $0 : nil }
    }

    static func unknown(_ name: String, among names: [String]) -> String {
        let known = names.sorted()
        let suggestion = Suggestion.text(for: name, among: known)
        return "there is no segment '\(name)'"
            + (suggestion.isEmpty && !known.isEmpty ? "; there are \(known.prefix(20).joined(separator: ", "))" : suggestion)
    }
}
