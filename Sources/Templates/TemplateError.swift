/// Why a template could not be read or rendered, and where.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// The template itself is wrong.
        case syntax
        /// A variable has no value and no default: its dotted path.
        case missingVariable(String)
        /// A value does not fit what is done with it.
        case value
        /// A bound of the rendering was reached.
        case limit
    }

    package let code: Code
    /// From 1, within the template.
    package let line: Int
    /// From 1, in Unicode scalars.
    package let column: Int
    /// What is wrong and what is allowed, without the place.
    package let message: String

    package init(_ code: Code, line: Int, column: Int, _ message: String) {
        self.code = code
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String { "line \(line), column \(column): \(message)" }
}

/// An error that knows its byte offset only; the template turns it into line and column.
struct Fault: Error {
    let code: TemplateError.Code
    let offset: Int
    let message: String

    init(_ code: TemplateError.Code = .syntax, at offset: Int, _ message: String) {
        self.code = code
        self.offset = offset
        self.message = message
    }
}
