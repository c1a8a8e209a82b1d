package import Model

/// Times as clients write them: ISO 8601, or a number since 1970.
package enum TimeParser {
    /// `2026-11-22T14:25:17.123456Z`, `…+03:00`, `…+0300`, `…+03`; a space for the `T`; seconds, their fraction and the offset
    /// may be missing (UTC then); so may the whole time of day (midnight). Fractions finer than milliseconds are cut off,
    /// towards the past. A second of 60 is the next minute's first. Nil for anything else.
    package static func iso8601(_ text: some StringProtocol) -> Instant? {
        var text = String(text)
        return text.withUTF8 { unsafe iso8601($0) }
    }

    /// The same of a text's bytes.
    static func iso8601(_ bytes: UnsafeBufferPointer<UInt8>) -> Instant? {
        var scanner = unsafe Scanner(bytes)
        guard let year = scanner.digits(4), scanner.skip(UInt8(ascii: "-")), let month = scanner.digits(2),
            scanner.skip(UInt8(ascii: "-")), let day = scanner.digits(2),
            let days = daysSince1970(year: year, month: month, day: day)
        else { return nil }
        var milliseconds = days * Milliseconds.day
        if scanner.isAtEnd { return Instant(milliseconds: milliseconds) }
        guard scanner.skip(UInt8(ascii: "T")) || scanner.skip(UInt8(ascii: "t")) || scanner.skip(UInt8(ascii: " ")) else {
            return nil
        }
        guard let time = scanner.timeOfDay(), let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        milliseconds += time - offset
        return Instant(milliseconds: milliseconds)
    }

    /// A whole or decimal number: below 100,000,000,000 seconds, from there on milliseconds. Nil when it is none or negative.
    package static func epoch(_ text: some StringProtocol) -> Instant? {
        guard let milliseconds = try? MoneyParser.scaled(text, digits: 3, magnitudeMax: 1 << 56), milliseconds >= 0 else {
            return nil
        }
        let isSeconds = milliseconds < 100_000_000_000_000
        return Instant(milliseconds: isSeconds ? milliseconds : milliseconds / 1000)
    }

    /// Days from 1970-01-01 in the Gregorian calendar; nil when there is no such day.
    package static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard month >= 1, month <= 12, day >= 1, day <= days(of: month, in: year) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(of month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        default: 31
        }
    }

    /// Safe, as it reads below the count alone.
    @safe
    private struct Scanner {
        private let bytes: UnsafeBufferPointer<UInt8>
        private var position = 0

        init(_ bytes: UnsafeBufferPointer<UInt8>) { unsafe self.bytes = bytes }

        var isAtEnd: Bool { unsafe position == bytes.count }
        var next: UInt8? { unsafe position < bytes.count ? bytes[position] : nil }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            position += 1
            return true
        }

        mutating func digit() -> Int64? {
            guard let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            position += 1
            return Int64(byte - UInt8(ascii: "0"))
        }

        mutating func digits(_ count: Int) -> Int64? {
            var value: Int64 = 0
            for _ in 0..<count {
                guard let digit = digit() else { return nil }
                value = value * 10 + digit
            }
            return value
        }

        /// Milliseconds since midnight.
        mutating func timeOfDay() -> Int64? {
            guard let hour = digits(2), hour < 24, skip(UInt8(ascii: ":")), let minute = digits(2), minute < 60 else {
                return nil
            }
            var value = hour * Milliseconds.hour + minute * Milliseconds.minute
            guard skip(UInt8(ascii: ":")) else { return value }
            guard let second = digits(2), second <= 60 else { return nil }
            value += second * Milliseconds.second
            guard skip(UInt8(ascii: ".")) || skip(UInt8(ascii: ",")) else { return value }
            var unit: Int64 = 100
            guard var figure = digit() else { return nil }
            while true {
                value += figure * unit
                unit /= 10
                guard let more = digit() else { return value }
                figure = more
            }
        }

        /// Milliseconds east of UTC; 0 when nothing follows.
        mutating func offset() -> Int64? {
            if isAtEnd || skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return 0 }
            let east = skip(UInt8(ascii: "+"))
            guard east || skip(UInt8(ascii: "-")), let hours = digits(2), hours < 24 else { return nil }
            var minutes: Int64 = 0
            if !isAtEnd {
                _ = skip(UInt8(ascii: ":"))
                guard let read = digits(2), read < 60 else { return nil }
                minutes = read
            }
            let value = hours * Milliseconds.hour + minutes * Milliseconds.minute
            return east ? value : -value
        }
    }
}
