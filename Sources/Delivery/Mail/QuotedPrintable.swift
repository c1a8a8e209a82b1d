/// RFC 2045: text of any language in lines of at most 76 plain characters.
enum QuotedPrintable {
    private static let digits = Array("0123456789ABCDEF".utf8)
    private static let lineMax = 76

    /// Line ends of any kind become CRLF; the result ends with one.
    static func encode(_ text: String) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count * 5 / 4)
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let end = bytes[position...].firstIndex { $0 == 10 || $0 == 13 } ?? bytes.count
            line(bytes[position..<end], into: &encoded)
            encoded += [13, 10]
            position = end
            guard position < bytes.count else { break }
            position += bytes[position] == 13 && position + 1 < bytes.count && bytes[position + 1] == 10 ? 2 : 1
        }
        if encoded.isEmpty { encoded = [13, 10] }
        return encoded
    }

    private static func line(_ bytes: ArraySlice<UInt8>, into encoded: inout [UInt8]) {
        var width = 0
        for index in bytes.indices {
            let byte = bytes[index]
            let isLast = index == bytes.endIndex - 1
            // Blanks at the end of a line get lost on the way, and mailboxes mark a message by "From " at its beginning.
            let isMark = width == 0 && byte == UInt8(ascii: "F") && bytes[index...].starts(with: "From ".utf8)
            let isPlain: Bool =
                switch byte {
                case UInt8(ascii: "="): false
                case 33...126: !isMark
                case 32, 9: !isLast
                default: false
                }
            let needed = isPlain ? 1 : 3
            if width + needed > (isLast ? lineMax : lineMax - 1) {
                encoded += [UInt8(ascii: "="), 13, 10]
                width = 0
            }
            width += needed
            if isPlain {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
