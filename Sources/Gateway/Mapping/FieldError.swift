/// Why an event was not accepted: which field, what is wrong with it, what is allowed.
package struct FieldError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A word that clients and counters can tell apart.
    package enum Code: String, CaseIterable, Sendable {
        case missing = "missing_field"
        case invalid = "invalid_field"
        case tooLarge = "too_large"
        case outOfRange = "out_of_range"
        case wrongCurrency = "wrong_currency"
        case time = "time_out_of_range"
        case unknownType = "unknown_type"
    }

    package let code: Code
    /// Where in the event, with dots: `properties.products[3].price`. Empty = the event as a whole.
    package let field: String
    /// What is wrong and what is allowed; does not name the field.
    package let message: String

    package init(_ code: Code, _ field: String, _ message: String) {
        self.code = code
        self.field = field
        self.message = message
    }

    package var description: String { field.isEmpty ? message : "\(field): \(message)" }
}
