package import Model

/// Who a customer is besides its key, and, under an identifier's or an absorbed customer's key, whom it leads to.
///
///     identifier, nobody's --first claim--> leads to the claimant; what it had gathered is absorbed
///     customer --merged--> a mark that leads to the survivor, for ever
///
/// Most customers have none of this.
package struct Identity: Equatable, Sendable {
    /// Somebody who says that the identifier under whose key this stands is theirs.
    package struct Claimant: Equatable, Sendable {
        package var customer: CustomerKey
        package var isVerified: Bool
    }

    /// Where events for this key go.
    package var leadsTo: CustomerKey?
    /// By the order of their claims.
    package var claimants: [Claimant] = []
    /// What this customer has claimed, by the order of its claims.
    package var identifiers: [Identifier] = []
    /// Keys of the customers it has absorbed, the newest ones, in the order they came.
    package var merged: [CustomerKey] = []

    package init() {}

    var isEmpty: Bool { self == Identity() }

    /// Claimants that nobody has verified to be one: a manager is to look. A shared anonymous id says nothing.
    func isDoubtful(under key: CustomerKey) -> Bool {
        claimants.count > 1 && claimants.count < Limits.claimantsMax && key.kind != .anonymous
    }

    func pack(into writer: inout ByteWriter) {
        writer.optional(leadsTo) { $0.string($1.text) }
        writer.list(claimants) { writer, claimant in
            writer.string(claimant.customer.text)
            writer.bool(claimant.isVerified)
        }
        writer.list(identifiers) { $1.write(to: &$0) }
        writer.list(merged) { $0.string($1.text) }
    }

    static func unpack(_ reader: inout ByteReader) throws(FormatError) -> Identity {
        var identity = Identity()
        identity.leadsTo = try reader.optional { r throws(FormatError) in try r.customerKey() }
        identity.claimants = try reader.list(max: Limits.claimantsMax) { r throws(FormatError) in
            Claimant(customer: try r.customerKey(), isVerified: try r.bool())
        }
        identity.identifiers = try reader.list(max: CustomerKey.Kind.allCases.count * Limits.identifiersPerKindMax) {
            r throws(FormatError) in try Identifier.read(&r)
        }
        identity.merged = try reader.list(max: Limits.mergedKeysMax) { r throws(FormatError) in try r.customerKey() }
        return identity
    }
}
