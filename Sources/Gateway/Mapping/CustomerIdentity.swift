internal import Model

/// Finds out whose an event is.
enum CustomerIdentity {
    /// An identifier as given, or nothing when it is missing, null or a placeholder.
    static func identifier(_ object: JSONValue?, _ name: StaticString, at path: String) throws(FieldError) -> String? {
        guard let value = FieldReading.member(object, name) else { return nil }
        return try identifier(value, at: path + name.description)
    }

    static func identifier(_ value: JSONValue, at path: String) throws(FieldError) -> String? {
        let text = try FieldReading.text(value, at: path, bytesMax: Limits.customerKeyBytesMax - 6)
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw FieldError(.invalid, path, "holds a control character")
        }
        return Placeholders.contains(text) ? nil : text
    }

    /// The user id, else the anonymous id, else an e-mail address, a phone number or a card, each first from
    /// `context.externalIds`, then from traits, then from properties; else any other external id.
    static func key(_ item: JSONValue, contexts: Contexts) throws(FieldError) -> CustomerKey {
        if let user = try identifier(item, "userId", at: "") { return .user(user) }
        if let anonymous = try identifier(item, "anonymousId", at: "") { return .anonymous(anonymous) }
        if let key = try otherKey(item, contexts: contexts) { return key }
        if let key = IdentifierMapping.external(contexts: contexts) { return key }
        throw FieldError(
            .missing, "userId", "is needed, or anonymousId, or an e-mail address, phone number or card in context.externalIds")
    }

    private static func otherKey(_ item: JSONValue, contexts: Contexts) throws(FieldError) -> CustomerKey? {
        let properties = FieldReading.member(item, "properties")
        for form in IdentifierForm.allCases {
            for context in contexts.all {
                let externals = context["externalIds"].map { Array($0.elements) } ?? []
                for (index, external) in externals.enumerated() {
                    guard let type = external["type"]?.string, form.names.contains(where: { $0.description == type }) else {
                        continue
                    }
                    let path = "context.externalIds[\(index)].id"
                    guard let value = FieldReading.member(external, "id"), let id = try identifier(value, at: path) else {
                        continue
                    }
                    return try form.key(id, at: path)
                }
            }
            var places = [(FieldReading.member(item, "traits"), "traits.")]
            places += contexts.all.map { (FieldReading.member($0, "traits"), "context.traits.") }
            places.append((properties, "properties."))
            for (object, path) in places {
                guard let (value, name) = FieldReading.first(object, form.names), let id = try identifier(value, at: path + name)
                else { continue }
                return try form.key(id, at: path + name)
            }
        }
        return nil
    }
}

/// An event's own context and, behind it, that of its batch: what the first does not say the second does.
struct Contexts {
    let all: [JSONValue]

    init(item: JSONValue, batch: JSONValue?) throws(FieldError) {
        var all: [JSONValue] = []
        if let own = try FieldReading.object(item, "context", at: "") { all.append(own) }
        if let batch, batch.kind == .object { all.append(batch) }
        self.all = all
    }
}

/// Addresses and numbers in the form in which they are kept and compared.
enum ContactForms {
    /// Trimmed; something, an @, something, and no blanks.
    static func email(_ text: String, at path: String) throws(FieldError) -> String {
        let trimmed = FieldReading.trimmed(text)
        let parts = trimmed.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        let plain = trimmed.utf8.allSatisfy {
            $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: ",")
        }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, plain else {
            throw FieldError(.invalid, path, "is no e-mail address; one like name@host is allowed")
        }
        return trimmed
    }

    /// Digits, with a plus sign in front where one was given; 5 to 15 of them, as E.164 has it.
    static func phone(_ text: String, at path: String) throws(FieldError) -> String {
        var digits = ""
        for scalar in FieldReading.trimmed(text).unicodeScalars {
            switch scalar {
            case "0"..."9": digits.unicodeScalars.append(scalar)
            case "+" where digits.isEmpty: digits = "+"
            case " ", "-", "(", ")", ".", "/", "\u{a0}": continue
            default: throw FieldError(.invalid, path, "is no phone number; digits, blanks and + - ( ) . / are allowed")
            }
        }
        let count = digits.utf8.count - (digits.hasPrefix("+") ? 1 : 0)
        guard count >= 5, count <= 15 else { throw FieldError(.invalid, path, "is no phone number; 5 to 15 digits are allowed") }
        return digits
    }
}
