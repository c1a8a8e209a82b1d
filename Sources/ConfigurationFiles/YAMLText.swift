/// Writes texts so that reading gives them back, byte for byte.
enum YAMLText {
    /// On one line, without quotes where that is safe.
    static func inline(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    /// Between brackets.
    static func list(_ texts: [String]) -> String { "[\(texts.map(inline).joined(separator: ", "))]" }

    /// As a field's value at this indentation: a block when the text has lines and nothing that a block would change.
    static func block(_ text: String, indent: Int) -> String {
        guard isBlock(text) else { return quoted(text) }
        let body = text.reversed().drop { $0 == "\n" }.reversed()
        let ends = text.count - body.count
        let lines = String(body).split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.isEmpty ? "" : String(repeating: " ", count: indent) + line
        }
        let chomping = ends == 0 ? "-" : ends == 1 ? "" : "+"
        return "|\(chomping)\n" + lines.joined(separator: "\n") + String(repeating: "\n", count: max(0, ends - 1))
    }

    private static let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7a).contains(first) || (0x41...0x5a).contains(first) else { return false }
        let isSimple = text.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
                || "-_/".utf8.contains(byte)
        }
        return isSimple && !words.contains(text.lowercased())
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7e, 0xa0...0x2027, 0x202a...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd, 0x10000...0x10ffff: true
        default: false
        }
    }

    private static func isBlock(_ text: String) -> Bool {
        guard text.contains("\n"), let first = text.unicodeScalars.first, first != " ", first != "\n", first != "\t" else {
            return false
        }
        return text.unicodeScalars.allSatisfy { isPrintable($0) || $0 == "\n" || $0 == "\t" }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value <= 0xff ? 2 : scalar.value <= 0xffff ? 4 : 8
                let letter = width == 2 ? "x" : width == 4 ? "u" : "U"
                result += "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}
