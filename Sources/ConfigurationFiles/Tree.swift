internal import Model
internal import Yams

/// Reads YAML into values with places.
struct Tree {
    private let source: Source
    private let report: Report

    /// Nil when the file is empty, or, with the problem reported, when it is no YAML.
    static func read(_ source: Source, report: Report) -> Value? {
        if let place = AliasGuard.first(in: source.lines) {
            report.add(
                source.place(place.line, place.column), "",
                "anchors (&) and aliases (*) are not taken; write the value out, or put a text that begins so in quotes")
            return nil
        }
        do {
            guard let node = try Yams.compose(yaml: source.text) else { return nil }
            return Tree(source: source, report: report).value(node, path: "", depth: 0)
        } catch let error as YamlError {
            let (place, message) = describe(error, in: source)
            report.add(place, "", message)
        } catch {
            report.add(source.place(0, 0), "", "not readable as YAML: \(error)")
        }
        return nil
    }

    private func value(_ node: Yams.Node, path: String, depth: Int) -> Value? {
        let place = node.mark.map { source.place($0.line, $0.column) } ?? source.place(0, 0)
        guard depth < Limits.configurationNestingMax else {
            report.add(place, path, "nested deeper than \(Limits.configurationNestingMax)")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            let style: Value.Style =
                switch scalar.style {
                case .literal: .literal
                case .folded: .folded
                case .singleQuoted, .doubleQuoted: .quoted
                default: .plain
                }
            return Value(content: .scalar(scalar.string, style), place: place, path: path)
        case .sequence(let sequence):
            var items: [Value] = []
            for (index, item) in sequence.enumerated() {
                if let item = value(item, path: "\(path)[\(index)]", depth: depth + 1) { items.append(item) }
            }
            return Value(content: .list(items), place: place, path: path)
        case .mapping(let mapping):
            return Value(content: .map(entries(mapping, path: path, depth: depth)), place: place, path: path)
        case .alias:
            report.add(place, path, "aliases are not taken; write the value out")
            return nil
        }
    }

    private func entries(_ mapping: Yams.Node.Mapping, path: String, depth: Int) -> [Value.Entry] {
        var entries: [Value.Entry] = []
        var known: [String: Place] = [:]
        for (key, child) in mapping {
            let place = key.mark.map { source.place($0.line, $0.column) } ?? source.place(0, 0)
            guard case .scalar(let scalar) = key else {
                report.add(place, path, "a field's name is a text")
                continue
            }
            let childPath = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
            if let first = known[scalar.string] {
                report.add(place, childPath, "given twice; first at \(first)")
                continue
            }
            known[scalar.string] = place
            if let child = value(child, path: childPath, depth: depth + 1) {
                entries.append(Value.Entry(key: scalar.string, keyPlace: place, value: child))
            }
        }
        return entries
    }

    private static func describe(_ error: YamlError, in source: Source) -> (Place, String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let detail = context.map { " (\($0.text) at line \($0.mark.line))" } ?? ""
            if problem == "but found another document" {
                return (source.place(mark.line, mark.column), "one document a file; put the next into a file of its own")
            }
            return (source.place(mark.line, mark.column), "not YAML: \(problem)\(detail)")
        case .reader(let problem, let offset, _, _):
            return (offset.map { source.place(character: $0) } ?? source.place(0, 0), "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context): return describe(duplicates: keys, context.mark, in: source)
        default: return (source.place(0, 0), "not readable as YAML: \(error)")
        }
    }

    /// The parser tells the first place only; the second is looked for below it, in the same column.
    private static func describe(duplicates keys: [String], _ mark: Mark, in source: Source) -> (Place, String) {
        let first = source.place(mark.line, mark.column)
        let names = keys.map { "'\($0)'" }.joined(separator: ", ")
        for (index, line) in source.lines.enumerated().dropFirst(mark.line) {
            let rest = line.dropFirst(mark.column - 1)
            let before = line.prefix(mark.column - 1)
            if before.allSatisfy({ $0 == " " }),
                keys.contains(where: { rest.hasPrefix($0 + ":") || rest.hasPrefix("\"\($0)\":") })
            {
                return (source.place(index + 1, mark.column), "the field \(names) is given twice; first at \(first)")
            }
        }
        return (first, "the field \(names) is given twice")
    }
}
