/// One promise of a port, as a function over a fixture that an implementation brings. It throws when the promise is broken.
///
/// Used as the argument of one parameterized test: `@Test(arguments: LogConformance.cases) func promise(_ promise: …)`.
package struct ConformanceCase<Fixture: Sendable>: Sendable, CustomStringConvertible {
    package let name: String
    /// Expects a fixture that nobody used before.
    package let check: @Sendable (Fixture) async throws -> Void

    package init(_ name: String, _ check: @escaping @Sendable (Fixture) async throws -> Void) {
        self.name = name
        self.check = check
    }

    package var description: String { name }
}

/// A promise that was not kept.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ what: String, _ file: String, _ line: Int) { description = "\(what) (\(file):\(line))" }
}

func expect(_ condition: Bool, _ what: @autoclosure () -> String, file: String = #fileID, line: Int = #line)
    throws(ConformanceFailure)
{
    if !condition { throw ConformanceFailure(what(), file, line) }
}

func expectEqual<Value: Equatable>(
    _ found: Value, _ expected: Value, _ what: @autoclosure () -> String, file: String = #fileID, line: Int = #line
) throws(ConformanceFailure) {
    if found != expected { throw ConformanceFailure("\(what()): found \(found), expected \(expected)", file, line) }
}
