/// How what a template prints is made safe for where it stands.
package enum Escape: Equatable, Sendable {
    /// `& < > " '` become entities: safe in the text of elements and in quoted attributes.
    case html
    case none

    static func html(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Everything but letters, digits and `-._~` as `%XX`: safe in any part of an address.
    static func url(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += "%"
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
        return encoded
    }
}

/// A header's value: one line, whatever the data held.
package enum HeaderLine {
    /// Runs of line ends, control characters and blanks become one space, so that nothing can begin a header of its own.
    package static func single(_ text: String) -> String {
        var line = ""
        var gap = false
        for scalar in text.unicodeScalars {
            let breaks =
                scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}"
            if breaks || scalar == " " {
                gap = !line.isEmpty
            } else {
                if gap { line += " " }
                gap = false
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
