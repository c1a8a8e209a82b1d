internal import Model

/// Reading typed fields, with errors that name them. Null counts as not given.
enum FieldReading {
    static func present(_ value: JSONValue?) -> JSONValue? {
        guard let value, !value.isNull else { return nil }
        return value
    }

    /// An object's member of that name, when it is there and not null.
    static func member(_ object: JSONValue?, _ name: StaticString) -> JSONValue? {
        present(object?[name])
    }

    /// The first of the members that is there and not null, and its name.
    static func first(_ object: JSONValue?, _ names: [StaticString]) -> (value: JSONValue, name: String)? {
        for name in names {
            if let value = member(object, name) { return (value, name.description) }
        }
        return nil
    }

    /// An object, or nothing; anything else is refused.
    static func object(_ object: JSONValue?, _ name: StaticString, at path: String) throws(FieldError) -> JSONValue? {
        guard let value = member(object, name) else { return nil }
        guard value.kind == .object else { throw FieldError(.invalid, path + name.description, "must be an object") }
        return value
    }

    /// A string, or a number as it was written; trimmed of blanks, at most `bytesMax` bytes, without NUL.
    static func text(_ value: JSONValue, at path: String, bytesMax: Int) throws(FieldError) -> String {
        guard let given = value.string ?? value.number else {
            throw FieldError(.invalid, path, "must be a string or a number")
        }
        let text = trimmed(given)
        guard text.utf8.count <= bytesMax else {
            throw FieldError(.tooLarge, path, "has \(text.utf8.count) bytes; at most \(bytesMax) are allowed")
        }
        guard !text.utf8.contains(0) else { throw FieldError(.invalid, path, "holds a NUL character") }
        return text
    }

    /// Like ``text(_:at:bytesMax:)``, or empty when not given.
    static func text(_ object: JSONValue?, _ name: StaticString, at path: String, bytesMax: Int) throws(FieldError) -> String {
        guard let value = member(object, name) else { return "" }
        return try text(value, at: path + name.description, bytesMax: bytesMax)
    }

    /// An amount of money in minor units, 0 to ``Limits/moneyMax``.
    static func money(_ value: JSONValue, at path: String, digits: Int) throws(FieldError) -> Int64 {
        let written = value.number ?? value.string.map(trimmed)
        guard let written, !written.isEmpty else { throw FieldError(.invalid, path, "must be a number") }
        let minor: Int64
        do throws(MoneyParser.Failure) {
            minor = try MoneyParser.scaled(written, digits: digits, magnitudeMax: Limits.moneyMax)
        } catch {
            switch error {
            case .notANumber: throw FieldError(.invalid, path, "must be a number")
            case .tooLarge:
                throw FieldError(.outOfRange, path, "is beyond \(Limits.moneyMax) minor units (\(digits) decimals)")
            }
        }
        guard minor >= 0, !written.hasPrefix("-") || minor == 0 else {
            throw FieldError(.outOfRange, path, "must not be negative")
        }
        return minor
    }

    static func money(_ object: JSONValue?, _ name: StaticString, at path: String, digits: Int) throws(FieldError) -> Int64? {
        guard let value = member(object, name) else { return nil }
        return try money(value, at: path + name.description, digits: digits)
    }

    /// A whole number of pieces, 1 to ``Limits/quantityMax``; 1 when not given.
    static func quantity(_ object: JSONValue?, at path: String) throws(FieldError) -> Int64 {
        guard let value = member(object, "quantity") else { return 1 }
        let field = path + "quantity"
        let written = value.number ?? value.string.map(trimmed)
        guard let written, let thousandths = try? MoneyParser.scaled(written, digits: 3, magnitudeMax: Limits.quantityMax * 1000)
        else { throw FieldError(.invalid, field, "must be a whole number, 1 to \(Limits.quantityMax)") }
        guard thousandths % 1000 == 0, thousandths >= 1000 else {
            throw FieldError(.outOfRange, field, "must be a whole number, 1 to \(Limits.quantityMax)")
        }
        return thousandths / 1000
    }

    static func trimmed(_ text: String) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, isBlank(first) || isBlank(last) else { return text }
        guard let start = bytes.firstIndex(where: { !isBlank($0) }), let end = bytes.lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(text[start...end])
    }
}
