/// Where something stands in the files.
package struct Place: Equatable, Comparable, Sendable, CustomStringConvertible {
    /// As it was named to the loader.
    package let file: String
    /// From 1; 0 = the file as a whole.
    package let line: Int
    /// From 1, in Unicode scalars.
    package let column: Int
    /// The file's position among those loaded.
    let order: Int

    /// `rules.yaml:12:5`
    package var description: String { line == 0 ? file : "\(file):\(line):\(column)" }

    package static func < (left: Place, right: Place) -> Bool {
        (left.order, left.line, left.column) < (right.order, right.line, right.column)
    }
}

/// One thing that is wrong.
package struct ConfigurationProblem: Equatable, Sendable, CustomStringConvertible {
    package let place: Place
    /// The path to the field, `rules[0].mechanic`; empty = the file.
    package let field: String
    /// What is wrong and what is allowed.
    package let message: String

    /// `rules.yaml:12:5: rules[0].mechanic: unknown mechanic …`
    package var description: String { field.isEmpty ? "\(place): \(message)" : "\(place): \(field): \(message)" }
}

/// Everything that is wrong with a configuration, in the order of the files; never empty.
package struct ConfigurationErrors: Error, Equatable, Sendable, CustomStringConvertible {
    package let problems: [ConfigurationProblem]

    /// One problem a line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers problems while everything is read. Used by one load, on one thread.
final class Report {
    private(set) var problems: [ConfigurationProblem] = []

    func add(_ place: Place, _ field: String, _ message: String) {
        problems.append(ConfigurationProblem(place: place, field: field, message: message))
    }

    func add(_ value: Value, _ message: String) { add(value.place, value.path, message) }

    /// In the order of the files; of one place as they were found.
    var errors: ConfigurationErrors {
        let sorted = problems.enumerated().sorted { left, right in
            left.element.place == right.element.place ? left.offset < right.offset : left.element.place < right.element.place
        }
        return ConfigurationErrors(problems: sorted.map(\.element))
    }
}
