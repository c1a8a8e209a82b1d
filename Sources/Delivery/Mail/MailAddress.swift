/// An address as it may stand in a header and in the envelope: `Name <local@domain>` or `local@domain`.
struct MailAddress: Equatable, Sendable {
    /// For people; may be empty.
    let name: String
    let local: String
    let domain: String

    /// `local@domain`, what the envelope takes.
    var address: String { local + "@" + domain }

    static let addressBytesMax = 254
    static let localBytesMax = 64

    /// Nil unless it is one address that can stand in a header without quoting. Quoted local parts and address literals
    /// are not taken: they hardly exist, and what lets blanks and brackets through lets headers through.
    init?(_ text: String) {
        let text = text.trimmed
        var address = text[...]
        var name = ""
        if text.hasSuffix(">") {
            guard let open = text.lastIndex(of: "<") else { return nil }
            address = text[text.index(after: open)...].dropLast()
            name = String(text[..<open]).trimmed
            if name.count >= 2, name.hasPrefix("\""), name.hasSuffix("\"") { name = String(name.dropFirst().dropLast()) }
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, address.utf8.count <= Self.addressBytesMax, Self.isLocal(parts[0]), Self.isDomain(parts[1]),
            !name.unicodeScalars.contains(where: \.isControl)
        else { return nil }
        self.name = name
        local = String(parts[0])
        domain = String(parts[1])
    }

    /// The header's value, folded: the name as it is, quoted, or encoded.
    var headerValue: String {
        if name.isEmpty { return address }
        let isPlain = name.utf8.allSatisfy { Self.isAtom($0) && $0 < 128 || $0 == UInt8(ascii: " ") }
        if isPlain, name.utf8.count <= 60, !name.contains("=?") { return "\(name) <\(address)>" }
        if name.utf8.allSatisfy({ $0 < 128 }), name.utf8.count <= 60, !name.contains("=?") {
            var quoted = "\""
            for character in name {
                if character == "\"" || character == "\\" { quoted += "\\" }
                quoted.append(character)
            }
            return quoted + "\" <\(address)>"
        }
        return EncodedWord.encode(name) + "\r\n <\(address)>"
    }

    private static func isLocal(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= localBytesMax && !text.hasPrefix(".") && !text.hasSuffix(".") && !text.contains("..")
            && !text.unicodeScalars.contains(where: \.isControl) && text.utf8.allSatisfy { isAtom($0) || $0 == UInt8(ascii: ".") }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return !text.unicodeScalars.contains(where: \.isControl)
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { $0 >= 128 || $0 == UInt8(ascii: "-") || isAlphanumeric($0) }
            }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }

    /// RFC 5322 `atext`, and bytes of UTF-8.
    private static func isAtom(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte >= 128 || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }
}

extension Unicode.Scalar {
    /// C0, DEL, C1, and the separators of lines and paragraphs.
    var isControl: Bool { value < 0x20 || (0x7f...0x9f).contains(value) || value == 0x2028 || value == 0x2029 }
}

extension String {
    /// Without blanks at both ends.
    var trimmed: String {
        var part = self[...]
        while let first = part.first, first == " " || first == "\t" { part.removeFirst() }
        while let last = part.last, last == " " || last == "\t" { part.removeLast() }
        return String(part)
    }
}
