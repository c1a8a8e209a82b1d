/// One of the names by which a customer is found, as an event bears it beside the customer's key.
package struct Identifier: Equatable, Hashable, Sendable {
    /// In the form of a customer's key: `email:`, `phone:`, `card:`, `ext:` and a type, or `a:` and an anonymous id.
    package var key: CustomerKey
    /// The sender has made sure that it is the customer's own: two customers that both have it so are one.
    package var isVerified: Bool

    package init(_ key: CustomerKey, isVerified: Bool = false) {
        self.key = key
        self.isVerified = isVerified
    }

    package func write(to writer: inout ByteWriter) {
        writer.string(key.text)
        writer.bool(isVerified)
    }

    package static func read(_ reader: inout ByteReader) throws(FormatError) -> Identifier {
        Identifier(try reader.customerKey(), isVerified: try reader.bool())
    }
}

extension CustomerKey {
    /// The kinds of keys, strongest first.
    package enum Kind: UInt8, CaseIterable, Comparable, Sendable {
        case user = 0
        case anonymous, email, phone, card, external

        package var prefix: String {
            switch self {
            case .user: "u:"
            case .anonymous: "a:"
            case .email: "email:"
            case .phone: "phone:"
            case .card: "card:"
            case .external: "ext:"
            }
        }

        package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// Nil for a text that begins with none of the prefixes.
    package var kind: Kind? { Kind.allCases.first { text.hasPrefix($0.prefix) } }

    /// Whether this one stays when the two turn out to be one customer: the stronger kind, then the lower text. A total
    /// order, so that merging ends in the same survivor whatever came first.
    package func outlives(_ other: CustomerKey) -> Bool {
        let ranks = (kind?.rawValue ?? .max, other.kind?.rawValue ?? .max)
        return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : self < other
    }
}

extension ByteReader {
    /// A key of 1 to ``Limits/customerKeyBytesMax`` bytes.
    package mutating func customerKey() throws(FormatError) -> CustomerKey {
        let start = position
        let text = try string()
        guard !text.isEmpty, text.utf8.count <= Limits.customerKeyBytesMax else {
            throw FormatError(.invalid("customer key of \(text.utf8.count) bytes"), at: start)
        }
        return CustomerKey(text)
    }
}
