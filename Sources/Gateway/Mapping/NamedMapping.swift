internal import Model

/// Events that are kept without being understood.
enum NamedMapping {
    /// The raw bytes of the call's `content` object (`{}` when there is none), with the members of the call named in
    /// `adding` put in front of it where it does not have them itself.
    static func named(
        _ name: String, _ item: JSONValue, content: StaticString, adding: [StaticString]
    ) throws(FieldError) -> Event.Body {
        let object = try FieldReading.object(item, content, at: "")
        var added: [UInt8] = []
        for member in adding {
            guard let value = FieldReading.member(item, member), object?[member] == nil else { continue }
            if !added.isEmpty { added.append(UInt8(ascii: ",")) }
            added += Array("\"\(member)\":".utf8)
            if let text = value.string { added += Array(JSONText.quoted(text).utf8) } else { added += value.raw }
        }
        var raw = object.map { Array($0.raw) } ?? Array("{}".utf8)
        if !added.isEmpty {
            let isEmpty = object?.members.first { _ in true } == nil
            raw = [UInt8(ascii: "{")] + added + (isEmpty ? [] : [UInt8(ascii: ",")]) + raw.dropFirst()
        }
        guard raw.count <= Limits.unknownEventBytesMax else {
            throw FieldError(
                .tooLarge, "\(content)", "have \(raw.count) bytes; at most \(Limits.unknownEventBytesMax) are allowed")
        }
        return .named(name: name, properties: raw)
    }
}
