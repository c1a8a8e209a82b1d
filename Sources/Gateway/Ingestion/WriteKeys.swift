/// The keys with which events may be sent.
package struct WriteKeys: Sendable {
    private let keys: [[UInt8]]

    package init(_ keys: [String]) { self.keys = keys.map { Array($0.utf8) } }

    package func contains(_ key: String) -> Bool {
        let given = Array(key.utf8)
        // All keys are compared, so that the time taken tells nothing.
        return keys.reduce(false) { $0 != Secrets.equal($1, given) || $0 }
    }

    /// Whether an `Authorization` header opens the door: `Basic base64(key:)` or `Bearer key`.
    package func admits(authorization: String?) -> Bool {
        guard let authorization else { return false }
        if let token = Secrets.bearer(authorization) { return contains(token) }
        guard let basic = Secrets.basicUser(authorization) else { return false }
        return contains(basic)
    }
}

/// Reading and comparing what must stay secret.
enum Secrets {
    /// In a time that depends on the given one's length alone.
    static func equal(_ secret: [UInt8], _ given: [UInt8]) -> Bool {
        var difference = secret.count ^ given.count
        for (index, byte) in given.enumerated() {
            difference |= Int(byte ^ (secret.isEmpty ? 0 : secret[index % secret.count]))
        }
        return difference == 0 && !secret.isEmpty
    }

    static func bearer(_ authorization: String) -> String? { credentials(authorization, scheme: "bearer") }

    /// The user name of Basic authentication.
    static func basicUser(_ authorization: String) -> String? {
        guard let encoded = credentials(authorization, scheme: "basic"), let bytes = base64(encoded),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        return String(text.prefix { $0 != ":" })
    }

    private static func credentials(_ authorization: String, scheme: String) -> String? {
        guard let space = authorization.firstIndex(of: " "), authorization[..<space].lowercased() == scheme else { return nil }
        return FieldReading.trimmed(String(authorization[authorization.index(after: space)...]))
    }

    /// Standard alphabet, padding optional; nil for anything else.
    static func base64(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8.reversed().drop(while: { $0 == UInt8(ascii: "=") }).reversed() {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return count < 6 ? out : nil
    }
}
