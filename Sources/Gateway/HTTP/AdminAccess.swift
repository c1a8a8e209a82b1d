internal import HTTPTypes

/// Who may read `/api`: whoever has the admin key, as Bearer token, in the cookie, or in `?key=`.
struct AdminAccess: Sendable {
    private static let cookie = "reprise_key"

    private let key: [UInt8]

    init(key: String) { self.key = Array(key.utf8) }

    func admits(_ headers: HTTPFields, query: Substring?) -> Bool {
        if let token = headers[.authorization].flatMap(Secrets.bearer), Secrets.equal(key, Array(token.utf8)) { return true }
        if isKeyInQuery(query) { return true }
        for field in headers[values: .cookie] {
            for part in field.split(separator: ";") {
                let pair = part.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, FieldReading.trimmed(String(pair[0])) == Self.cookie else { continue }
                if Secrets.equal(Array(Self.hex(key).utf8), Array(pair[1].utf8)) { return true }
            }
        }
        return false
    }

    func isKeyInQuery(_ query: Substring?) -> Bool {
        guard let query else { return false }
        for part in query.split(separator: "&") where part.hasPrefix("key=") {
            if Secrets.equal(key, Array(Self.percentDecoded(part.dropFirst(4)).utf8)) { return true }
        }
        return false
    }

    /// Scripts cannot read it, other sites cannot send it.
    var setCookie: String { "\(Self.cookie)=\(Self.hex(key)); Path=/; HttpOnly; SameSite=Strict" }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func percentDecoded(_ text: some StringProtocol) -> String {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
