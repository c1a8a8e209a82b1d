package import Model

/// What a template can name. Numbers that arrive as text count as numbers where they are compared or formatted.
package enum TemplateValue: Equatable, Sendable {
    case string(String)
    case number(DecimalNumber)
    case bool(Bool)
    case list([TemplateValue])
    case object([String: TemplateValue])

    package static func integer(_ value: Int64) -> TemplateValue { .number(DecimalNumber(value)) }

    /// A context from flat dotted fields: `customer.first_name` becomes `first_name` of the object `customer`.
    ///
    /// A field that is both a text and the beginning of longer names keeps its text and its members.
    package static func fields(_ fields: [Trait]) -> TemplateValue {
        var root: [String: TemplateValue] = [:]
        for field in fields {
            insert(field.value, at: field.name.split(separator: ".", omittingEmptySubsequences: false)[...], into: &root)
        }
        return .object(root)
    }

    /// The member under which an object keeps a text of its own.
    static let ownText = ""

    private static func insert(_ text: String, at path: ArraySlice<Substring>, into object: inout [String: TemplateValue]) {
        guard let first = path.first else { return }
        let key = String(first)
        if path.count == 1 {
            if case .object(var members) = object[key] {
                members[ownText] = .string(text)
                object[key] = .object(members)
            } else {
                object[key] = .string(text)
            }
            return
        }
        var members: [String: TemplateValue] = [:]
        switch object[key] {
        case .object(let known): members = known
        case .some(let value): members[ownText] = value
        case nil: break
        }
        insert(text, at: path.dropFirst(), into: &members)
        object[key] = .object(members)
    }

    /// False, the empty text, zero and empty lists are false.
    var isTrue: Bool {
        switch self {
        case .string(let text): !text.isEmpty
        case .number(let number): !number.isZero
        case .bool(let bool): bool
        case .list(let items): !items.isEmpty
        case .object(let members): !members.isEmpty
        }
    }

    /// What `default` replaces: false, the empty text, and what is empty. Zero is a value.
    var isEmpty: Bool {
        switch self {
        case .number: false
        default: !isTrue
        }
    }

    /// As it is printed; nil for lists and objects.
    var text: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.description
        case .bool(let bool): bool ? "true" : "false"
        case .list: nil
        case .object(let members): members[Self.ownText]?.text
        }
    }

    /// A number, or a text that is one.
    var decimal: DecimalNumber? {
        switch self {
        case .number(let number): number
        case .string(let text): DecimalNumber(text)
        default: nil
        }
    }

    /// What it is, for messages.
    var kind: String {
        switch self {
        case .string: "a text"
        case .number: "a number"
        case .bool: "true or false"
        case .list: "a list"
        case .object: "an object"
        }
    }
}
