internal import Model

/// The traits and consents of an `identify` call: from `traits`, then from `context.traits`, the first word on a trait
/// stands.
struct IdentifyMapping {
    private var traits: [String: String] = [:]
    private var consents: [Channel: Bool] = [:]

    static func identify(_ item: JSONValue, contexts: Contexts) throws(FieldError) -> Identify {
        var mapping = IdentifyMapping()
        if let own = try FieldReading.object(item, "traits", at: "") { try mapping.take(own, at: "traits.") }
        for context in contexts.all {
            if let traits = try FieldReading.object(context, "traits", at: "context.") {
                try mapping.take(traits, at: "context.traits.")
            }
        }
        for context in contexts.all {
            if let value = FieldReading.member(context, "consent"), value.kind == .object {
                try mapping.takeConsents(value, at: "context.consent.", strict: false)
            }
            if let zone = FieldReading.member(context, "timezone") {
                try mapping.takeScalar(zone, "time_zone", at: "context.timezone")
            }
            if let locale = FieldReading.member(context, "locale") {
                try mapping.takeScalar(locale, "language", at: "context.locale")
            }
        }
        return try mapping.finish()
    }

    private func finish() throws(FieldError) -> Identify {
        guard traits.count <= Limits.traitsMax else {
            throw FieldError(
                .tooLarge, "traits", "are \(traits.count), nested ones counted singly; at most \(Limits.traitsMax) are allowed")
        }
        let names = traits.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return Identify(
            traits: names.map { Trait($0, traits[$0] ?? "") },
            consents: Channel.allCases.compactMap { channel in consents[channel].map { Consent(channel, granted: $0) } })
    }

    private mutating func take(_ object: JSONValue, at path: String) throws(FieldError) {
        for (name, value) in object.members {
            if name == "consent" {
                if value.isNull { continue }
                guard value.kind == .object else { throw FieldError(.invalid, path + name, "must be an object of channels") }
                try takeConsents(value, at: path + "consent.", strict: true)
            } else {
                try take(value, name, at: path + name, depth: 0)
            }
        }
    }

    /// How deep objects in traits may be nested.
    private static let depthMax = 4

    private mutating func take(_ value: JSONValue, _ name: String, at path: String, depth: Int) throws(FieldError) {
        guard value.kind == .object else { return try takeScalar(value, Self.known[name] ?? name, at: path) }
        guard depth < Self.depthMax else {
            throw FieldError(.tooLarge, path, "is nested deeper than \(Self.depthMax) levels")
        }
        for (inner, value) in value.members {
            try take(value, name + "." + inner, at: path + "." + inner, depth: depth + 1)
        }
    }

    /// How our names are spelled elsewhere.
    private static let known: [String: String] = [
        "firstName": "first_name", "lastName": "last_name", "timezone": "time_zone", "timeZone": "time_zone",
        "locale": "language",
        "address.city": "city", "birth_date": "birthday", "birthDate": "birthday",
    ]

    private mutating func takeScalar(_ value: JSONValue, _ name: String, at path: String) throws(FieldError) {
        guard !name.isEmpty, name.utf8.count <= Limits.nameBytesMax, !name.utf8.contains(where: { $0 < 0x20 }) else {
            throw FieldError(
                .invalid, path, "has a name that is empty, longer than \(Limits.nameBytesMax) bytes, or with control characters")
        }
        guard traits[name] == nil else { return }
        guard let text = try Self.text(value, name, at: path) else { return }
        guard text.utf8.count <= Limits.traitValueBytesMax else {
            throw FieldError(.tooLarge, path, "has \(text.utf8.count) bytes; at most \(Limits.traitValueBytesMax) are allowed")
        }
        guard !text.utf8.contains(0) else { throw FieldError(.invalid, path, "holds a NUL character") }
        traits[name] = text
    }

    /// Null and empty remove the trait. An address or number that is a placeholder says nothing: nil.
    private static func text(_ value: JSONValue, _ name: String, at path: String) throws(FieldError) -> String? {
        switch value.kind {
        case .null: return ""
        case .bool, .array, .object:
            guard !["email", "phone", "birthday"].contains(name) else { throw FieldError(.invalid, path, "must be a string") }
            return String(decoding: value.raw, as: UTF8.self)
        case .number, .string: break
        }
        let text = FieldReading.trimmed(value.string ?? value.number ?? "")
        guard !text.isEmpty else { return "" }
        switch name {
        case "email": return Placeholders.contains(text) ? nil : try ContactForms.email(text, at: path)
        case "phone": return Placeholders.contains(text) ? nil : try ContactForms.phone(text, at: path)
        case "birthday": return try birthday(text, at: path)
        default: return text
        }
    }

    /// YYYY-MM-DD, or a time of ISO 8601 of which the date counts.
    private static func birthday(_ text: String, at path: String) throws(FieldError) -> String {
        let date = text.prefix(10)
        guard TimeParser.iso8601(text) != nil, let day = TimeParser.iso8601(date), day < Limits.timeMax,
            TimeParser.iso8601("1880-01-01").map({ day >= $0 }) == true
        else { throw FieldError(.invalid, path, "must be a date YYYY-MM-DD from 1880 on") }
        return String(date)
    }

    private mutating func takeConsents(_ object: JSONValue, at path: String, strict: Bool) throws(FieldError) {
        for (name, value) in object.members {
            guard let channel = Channel.allCases.first(where: { $0 != .record && $0.name == name }) else {
                if strict { throw FieldError(.invalid, path + name, "is no channel; email and sms are") }
                continue
            }
            if value.isNull { continue }
            guard let granted = value.bool else { throw FieldError(.invalid, path + name, "must be true or false") }
            if consents[channel] == nil { consents[channel] = granted }
        }
    }
}
