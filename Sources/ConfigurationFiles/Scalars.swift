internal import Model

/// Reads of single values. Each gives nil after reporting what is wrong.
extension Report {
    /// A text as written, of 1 to so many bytes.
    func text(_ value: Value, bytesMax: Int) -> String? {
        guard case .scalar(let text, _) = value.content, !value.isNull else {
            add(value, "a text is expected, not \(value.kind)")
            return nil
        }
        guard !text.isEmpty else {
            add(value, "is empty")
            return nil
        }
        guard text.utf8.count <= bytesMax else {
            add(value, "has \(text.utf8.count) bytes; at most \(bytesMax) are allowed")
            return nil
        }
        return text
    }

    /// A text of one line without control characters.
    func line(_ value: Value, bytesMax: Int = Limits.nameBytesMax) -> String? {
        guard let text = text(value, bytesMax: bytesMax) else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) && $0.value & ~1 != 0x2028 })
        else {
            add(value, "must be one line without control characters")
            return nil
        }
        return text
    }

    /// What files and the command line call something: `[a-z0-9-]`, 1 to 64.
    func name(_ value: Value) -> String? {
        guard let text = text(value, bytesMax: 4096) else { return nil }
        let isName =
            text.utf8.count <= 64
            && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
        guard isName else {
            add(value, "'\(text.prefix(80))' is no name; a name has 1 to 64 of the characters a-z, 0-9 and '-'")
            return nil
        }
        return text
    }

    func choice<Meaning>(_ value: Value, _ choices: KeyValuePairs<String, Meaning>) -> Meaning? {
        guard case .scalar(let text, _) = value.content, !value.isNull else {
            add(value, "one of \(choices.map(\.key).joined(separator: ", ")) is expected, not \(value.kind)")
            return nil
        }
        if let choice = choices.first(where: { $0.key == text }) { return choice.value }
        let suggestion = Suggestion.text(for: text, among: choices.map(\.key))
        add(
            value,
            "\(value.kind) is not known\(suggestion.isEmpty ? ";" : suggestion) "
                + "allowed are \(choices.map(\.key).joined(separator: ", "))"
        )
        return nil
    }

    func bool(_ value: Value) -> Bool? {
        if case .scalar(let text, .plain) = value.content {
            switch text.lowercased() {
            case "true", "yes", "on": return true
            case "false", "no", "off": return false
            default: break
            }
        }
        add(value, "true or false is expected, not \(value.kind)")
        return nil
    }

    func integer(_ value: Value, in range: ClosedRange<Int64>) -> Int64? {
        guard case .scalar(let text, _) = value.content, !value.isNull, let number = Int64(text), !text.hasPrefix("+") else {
            add(value, "a whole number is expected, not \(value.kind)")
            return nil
        }
        guard range.contains(number) else {
            add(value, "\(number) is out of range; allowed are \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// An amount in major units, `100.50`, as minor units: digit by digit, nothing is rounded.
    func money(_ value: Value, digits: Int, currency: String) -> Int64? {
        guard case .scalar(let text, _) = value.content, !value.isNull else {
            add(value, "an amount is expected, not \(value.kind)")
            return nil
        }
        if text.hasPrefix("-") {
            add(value, "an amount cannot be negative")
            return nil
        }
        switch Decimals.read(text, digits: digits) {
        case .success(let minor) where minor <= Limits.moneyMax: return minor
        case .failure(.noNumber): add(value, "\(value.kind) is no amount; an amount is written like 1234.50")
        case .failure(.tooFine(let count)):
            add(value, "'\(text)' has \(count) digits after the point; \(currency) has \(digits)")
        case .success, .failure(.tooLarge):
            add(value, "'\(text)' is too much; at most \(Decimals.text(Limits.moneyMax, digits: digits)) is allowed")
        }
        return nil
    }

    /// A number with up to so many digits after the point, in units of the last of them: nothing is rounded.
    func decimal(_ value: Value, digits: Int, in range: ClosedRange<Int64>) -> Int64? {
        guard case .scalar(let text, _) = value.content, !value.isNull else {
            add(value, "a number is expected, not \(value.kind)")
            return nil
        }
        switch Decimals.read(text, digits: digits) {
        case .success(let number) where range.contains(number): return number
        case .failure(.noNumber): add(value, "\(value.kind) is no number; a number is written like 12.5")
        case .failure(.tooFine(let count)):
            add(value, "'\(text)' has \(count) digits after the point; at most \(digits) are allowed")
        case .success, .failure(.tooLarge):
            let (low, high) = (Decimals.short(range.lowerBound, digits: digits), Decimals.short(range.upperBound, digits: digits))
            add(value, "\(text) is out of range; allowed are \(low) to \(high)")
        }
        return nil
    }

    /// `150%` as 150.
    func percent(_ value: Value, min: Int64 = 0, max: Int64) -> Int64? {
        guard case .scalar(let text, _) = value.content, !value.isNull, text.hasSuffix("%"), !text.hasPrefix("+"),
            let number = Int64(text.dropLast())
        else {
            add(value, "a whole percentage such as 150% is expected, not \(value.kind)")
            return nil
        }
        guard (min...max).contains(number) else {
            add(value, "\(text) is out of range; allowed are \(min)% to \(max)%")
            return nil
        }
        return number
    }

    /// A length of time in whole days.
    func days(_ value: Value, max: Int64) -> Int64? {
        guard let milliseconds = duration(value, atLeast: 0) else { return nil }
        guard milliseconds % Milliseconds.day == 0, milliseconds / Milliseconds.day <= max else {
            add(value, "whole days are expected, 0d to \(max)d, not \(value.kind)")
            return nil
        }
        return milliseconds / Milliseconds.day
    }

    /// A length of time in milliseconds.
    func duration(_ value: Value, atLeast minimum: Int64) -> Int64? {
        guard case .scalar(let text, _) = value.content, !value.isNull else {
            add(value, "a length of time such as 3d is expected, not \(value.kind)")
            return nil
        }
        switch DurationText.read(text, atLeast: minimum) {
        case .success(let milliseconds): return milliseconds
        case .failure(let fault):
            add(value, fault.message)
            return nil
        }
    }

    /// The items of a list; nothing at all is an empty one.
    func list(_ value: Value, max: Int) -> [Value]? {
        if value.isNull { return [] }
        guard case .list(let items) = value.content else {
            add(value, "a list is expected, not \(value.kind)")
            return nil
        }
        guard items.count <= max else {
            add(value, "has \(items.count) items; at most \(max) are allowed")
            return nil
        }
        return items
    }
}

/// Lengths of time as files write them: `90s`, `15m`, `2h`, `3d`, `2w`.
enum DurationText {
    struct Fault: Error { let message: String }

    static let units: KeyValuePairs<String, Int64> = [
        "w": 7 * Milliseconds.day, "d": Milliseconds.day, "h": Milliseconds.hour, "m": Milliseconds.minute,
        "s": Milliseconds.second,
        "ms": 1,
    ]

    static func read(_ text: String, atLeast minimum: Int64) -> Result<Int64, Fault> {
        func fail(_ message: String) -> Result<Int64, Fault> { .failure(Fault(message: message)) }
        if text.hasPrefix("-") { return fail("a length of time cannot be negative") }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard !digits.isEmpty else {
            return fail("'\(text.prefix(40))' is no length of time; write for example 90s, 15m, 2h, 3d or 2w")
        }
        if ["mo", "month", "months", "M", "y", "year", "years"].contains(String(unit)) {
            return fail("months and years differ in length, so reminders would drift; write days or weeks, for example 30d")
        }
        if unit.hasPrefix(".") || unit.hasPrefix(",") {
            return fail("'\(text.prefix(40))' is not whole; use a smaller unit, 36h for one and a half days")
        }
        if unit.isEmpty, digits.allSatisfy({ $0 == "0" }) {
            return minimum <= 0 ? .success(0) : fail("must be longer than nothing")
        }
        guard let factor = units.first(where: { $0.key == unit })?.value else {
            let what = unit.isEmpty ? "'\(text.prefix(40))' has no unit" : "the unit '\(unit.prefix(40))' is not known"
            return fail("\(what); units are s, m, h, d and w (seconds, minutes, hours, days, weeks)")
        }
        let (product, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: factor)
        guard !overflow, product <= Limits.durationMillisecondsMax else {
            return fail("'\(text.prefix(40))' is longer than ten years")
        }
        guard product >= minimum else {
            return fail(minimum <= 1 ? "must be longer than nothing" : "'\(text)' is shorter than \(self.text(minimum))")
        }
        return .success(product)
    }

    /// In the largest unit that divides it.
    static func text(_ milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0d" }
        for (name, factor) in units where milliseconds % factor == 0 && !(name == "w" && milliseconds % (4 * factor) != 0) {
            return "\(milliseconds / factor)\(name)"
        }
        return "\(milliseconds)ms"
    }
}

/// Numbers with a fixed count of digits after the point, held in units of the last: 1.5 with two digits is 150.
enum Decimals {
    enum Fault: Error {
        case noNumber
        /// So many digits after the point.
        case tooFine(Int)
        case tooLarge
    }

    static func read(_ text: String, digits: Int) -> Result<Int64, Fault> {
        let isNegative = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return .failure(.noNumber)
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.count <= digits else { return .failure(.tooFine(fraction.count)) }
        let padded = parts[0] + fraction + String(repeating: "0", count: digits - fraction.count)
        guard let number = Int64((isNegative ? "-" : "") + padded) else { return .failure(.tooLarge) }
        return .success(number)
    }

    /// With all digits: `1.50`.
    static func text(_ number: Int64, digits: Int) -> String {
        guard digits > 0 else { return String(number) }
        let magnitude = String(number.magnitude)
        let padded = String(repeating: "0", count: max(0, digits + 1 - magnitude.count)) + magnitude
        return (number < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    /// Without zeros behind: `1.5`, `2`.
    static func short(_ number: Int64, digits: Int) -> String {
        var text = text(number, digits: digits)
        guard digits > 0 else { return text }
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }
}
