/// A stored or sent form is of a version that this program does not know.
package struct UnknownVersion: Error, Equatable, CustomStringConvertible {
    /// What it is and where it stands, for people: `a record of COORD`.
    package let what: String
    package let found: Int
    package let known: Int

    package init(of what: String, found: Int, known: Int) {
        self.what = what
        self.found = found
        self.known = known
    }

    package var description: String {
        "\(what) of version \(found), this program knows version \(known): "
            + (found > known ? "a newer program wrote it, upgrade this one" : "it is older than what can be read")
    }
}

/// The version of what roles say to each other as JSON. Within one version fields may be added, and who does not know a
/// field passes over it; whatever else changes raises it, and who does not know the version refuses the message.
package struct MessageVersion: Codable, Equatable, Sendable {
    package static let known = 1

    package let number: Int

    package init() { number = Self.known }

    package init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
        guard number == Self.known else {
            let path = decoder.codingPath.map(\.stringValue).joined(separator: ".")
            throw UnknownVersion(of: "a message (\(path))", found: number, known: Self.known)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
