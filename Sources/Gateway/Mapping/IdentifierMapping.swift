internal import Model

/// Finds what else an event's customer is known by: everything but the key itself.
///
/// From `context.externalIds`, from the customer's traits, and the anonymous id beside a user id. Properties count only for
/// an event of nobody else: beside a user id they may speak of a friend's address. One that cannot be read says nothing:
/// the event is good without it.
struct IdentifierMapping {
    private let key: CustomerKey
    private(set) var found: [Identifier] = []

    static func identifiers(
        _ item: JSONValue, _ call: EventMapping.Call, contexts: Contexts, key: CustomerKey
    ) -> [Identifier] {
        var mapping = IdentifierMapping(key: key)
        if key.kind == .user { mapping.add(.anonymous, FieldReading.member(item, "anonymousId"), isVerified: false) }
        for context in contexts.all { mapping.addExternals(context) }
        if call != .group { mapping.addTraits(FieldReading.member(item, "traits")) }
        for context in contexts.all { mapping.addTraits(FieldReading.member(context, "traits")) }
        if key.kind != .user && key.kind != .anonymous { mapping.addTraits(FieldReading.member(item, "properties")) }
        return mapping.found
    }

    /// The first external id of another type than those known by name.
    static func external(contexts: Contexts) -> CustomerKey? {
        var mapping = IdentifierMapping(key: CustomerKey(""))
        for context in contexts.all { mapping.addExternals(context) }
        return mapping.found.first { $0.key.kind == .external }?.key
    }

    private init(key: CustomerKey) { self.key = key }

    private mutating func addExternals(_ context: JSONValue) {
        guard let externals = context["externalIds"] else { return }
        for external in externals.elements {
            guard let type = external["type"]?.string else { continue }
            let value = FieldReading.member(external, "id")
            let isVerified = external["verified"]?.bool == true
            if let form = IdentifierForm(type: type) {
                add(form, value, isVerified: isVerified)
            } else if Self.isType(type) {
                add(.external, value, isVerified: isVerified, type: type.lowercased() + ":")
            }
        }
    }

    private static func isType(_ type: String) -> Bool {
        type.utf8.count <= 32 && !type.isEmpty
            && type.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0)
            }
    }

    private mutating func addTraits(_ traits: JSONValue?) {
        guard let traits, traits.kind == .object else { return }
        for form in IdentifierForm.allCases {
            guard let (value, _) = FieldReading.first(traits, form.names) else { continue }
            let isVerified = FieldReading.first(traits, form.verifiedNames)?.0.bool == true
            add(form, value, isVerified: isVerified)
        }
    }

    private mutating func add(_ form: IdentifierForm, _ value: JSONValue?, isVerified: Bool) {
        guard let value, let id = try? CustomerIdentity.identifier(value, at: ""), let key = try? form.key(id, at: "") else {
            return
        }
        add(key, isVerified: isVerified)
    }

    private mutating func add(_ kind: CustomerKey.Kind, _ value: JSONValue?, isVerified: Bool, type: String = "") {
        guard let value, let id = try? CustomerIdentity.identifier(value, at: "") else { return }
        add(CustomerKey(kind.prefix + type + id), isVerified: isVerified)
    }

    private mutating func add(_ identifier: CustomerKey, isVerified: Bool) {
        guard identifier != key, identifier.text.utf8.count <= Limits.customerKeyBytesMax else { return }
        if let known = found.firstIndex(where: { $0.key == identifier }) {
            found[known].isVerified = found[known].isVerified || isVerified
        } else if found.count < Limits.eventIdentifiersMax {
            found.append(Identifier(identifier, isVerified: isVerified))
        }
    }
}
