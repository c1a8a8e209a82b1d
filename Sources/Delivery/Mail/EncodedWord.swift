/// RFC 2047: text of any language in a header.
enum EncodedWord {
    /// Bytes of text in one word: with its frame and the name of a header before it, a line stays within 76.
    private static let wordBytesMax = 39

    /// A header's value: as it is when it is short and plain, else encoded and folded. Controls become blanks, so that
    /// no text can begin a header of its own.
    static func value(_ text: String) -> String {
        let line = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isControl ? " " : $0 })).trimmed
        let isPlain = line.utf8.count <= 60 && line.utf8.allSatisfy { $0 < 128 } && !line.contains("=?")
        return isPlain ? line : encode(line)
    }

    /// One or more words, each of whole characters, folded onto lines of their own.
    static func encode(_ text: String) -> String {
        var words: [String] = []
        var part: [UInt8] = []
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if part.count + bytes.count > wordBytesMax {
                words.append("=?UTF-8?B?" + Base64.encode(part) + "?=")
                part = []
            }
            part += bytes
        }
        words.append("=?UTF-8?B?" + Base64.encode(part) + "?=")
        return words.joined(separator: "\r\n ")
    }
}

enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Without line ends.
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = 0
            for index in 0..<3 { group = group << 8 | (index < count ? Int(bytes[start + index]) : 0) }
            for index in 0..<4 { text.append(index <= count ? digits[group >> (18 - 6 * index) & 63] : UInt8(ascii: "=")) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
