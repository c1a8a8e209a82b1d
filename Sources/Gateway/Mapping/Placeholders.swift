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
}
