/// Words that stand for "nobody" in the wild: whoever takes them for an identifier makes one customer of many.
package enum Placeholders {
    private static let words: Set<String> = [
        "", "null", "(null)", "nil", "none", "undefined", "nan", "anonymous", "unknown", "guest", "n/a", "na", "not set",
        "(not set)",
        "[object object]", "true", "false", "-1",
    ]

    private static let addresses: Set<String> = [
        "test@test.com", "test@example.com", "example@example.com", "email@example.com", "none@none.com", "noemail@noemail.com",
        "no@email.com",
    ]

    /// Whether an identifier says nothing; letters count without their case. All zeros and dashes are one too.
    package static func contains(_ identifier: String) -> Bool {
        if identifier.utf8.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "-") }) { return true }
        guard identifier.utf8.count <= 32 else { return false }
        let lower = identifier.lowercased()
        return words.contains(lower) || addresses.contains(lower)
    }

    /// False when a text in ASCII is certainly none, by its length and its ends alone.
    static func mayContain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = unsafe text.first, let last = unsafe text.last else { return true }
        if first == UInt8(ascii: "0") || first == UInt8(ascii: "-") { return true }
        let count = text.count
        return count < outlines.count && outlines[count].first & bit(first) != 0 && outlines[count].last & bit(last) != 0
    }

    /// Letters fall together with their other case, and with some signs.
    private static func bit(_ byte: UInt8) -> UInt32 { 1 << UInt32(byte & 31) }

    /// By length: with which bytes those of that length begin and end.
    private static let outlines: [(first: UInt32, last: UInt32)] = {
        var outlines = [(first: UInt32, last: UInt32)](repeating: (0, 0), count: 33)
        for word in words.union(addresses) {
            guard let first = word.utf8.first, let last = word.utf8.last else { continue }
            outlines[word.utf8.count].first |= bit(first)
            outlines[word.utf8.count].last |= bit(last)
        }
        return outlines
    }()
}
