package import Model

/// Days of the proleptic Gregorian calendar, and times as ISO 8601 writes them; UTC.
package enum CalendarDate {
    /// Midnight of a day; nil when there is no such day or it lies outside of ``Limits/timeMin``...``Limits/timeMax``.
    package static func midnight(year: Int, month: Int, day: Int) -> Instant? {
        guard (1...12).contains(month), day >= 1, day <= length(ofMonth: month, year: year) else { return nil }
        let instant = Instant(milliseconds: Int64(days(year: year, month: month, day: day)) * Milliseconds.day)
        return instant >= Limits.timeMin && instant < Limits.timeMax ? instant : nil
    }

    /// `YYYYMMDD`, `YYYY-MM-DD`, or such a day with `T` or a blank and `HH:MM`, `HH:MM:SS`, `HH:MM:SS.mmm`, then `Z`,
    /// `+HH:MM` or nothing. A day alone is its noon: it stays that day in nearly every time zone.
    package static func instant(_ text: some StringProtocol) -> Instant? {
        let bytes = Array(text.utf8)
        let dashed = bytes.count >= 10 && bytes[4] == 0x2d && bytes[7] == 0x2d
        guard bytes.count >= 8, let year = number(bytes, 0, 4), let month = number(bytes, dashed ? 5 : 4, 2),
            let day = number(bytes, dashed ? 8 : 6, 2), let midnight = midnight(year: year, month: month, day: day)
        else { return nil }
        let rest = bytes[(dashed ? 10 : 8)...]
        if rest.isEmpty { return midnight + 12 * Milliseconds.hour }
        guard let first = rest.first, first == 0x54 || first == 0x20,
            let offset = timeOfDay(Array(rest.dropFirst()))
        else { return nil }
        return midnight + offset
    }

    /// `1997-01-31`.
    package static func day(_ instant: Instant) -> String {
        let (year, month, day) = civil(floorDivide(instant.milliseconds, Milliseconds.day))
        return "\(year)-\(two(month))-\(two(day))"
    }

    /// `1997-01-31T12:00:00.000Z`.
    package static func text(_ instant: Instant) -> String {
        let rest = instant.milliseconds - floorDivide(instant.milliseconds, Milliseconds.day) * Milliseconds.day
        let hours = Int(rest / Milliseconds.hour)
        let minutes = Int(rest / Milliseconds.minute % 60)
        let seconds = Int(rest / Milliseconds.second % 60)
        let fraction = String(1000 + rest % 1000).dropFirst()
        return "\(day(instant))T\(two(hours)):\(two(minutes)):\(two(seconds)).\(fraction)Z"
    }

    /// The midnight at or before.
    package static func startOfDay(_ instant: Instant) -> Instant {
        Instant(milliseconds: floorDivide(instant.milliseconds, Milliseconds.day) * Milliseconds.day)
    }

    /// Milliseconds after midnight UTC of `HH:MM[:SS[.mmm]][Z|±HH:MM]`.
    private static func timeOfDay(_ bytes: [UInt8]) -> Int64? {
        guard bytes.count >= 5, bytes[2] == 0x3a, let hour = number(bytes, 0, 2), let minute = number(bytes, 3, 2), hour < 24,
            minute < 60
        else { return nil }
        var result = Int64(hour) * Milliseconds.hour + Int64(minute) * Milliseconds.minute
        var index = 5
        if index < bytes.count, bytes[index] == 0x3a {
            guard let second = number(bytes, 6, 2), second < 60 else { return nil }
            result += Int64(second) * Milliseconds.second
            index = 8
            if index < bytes.count, bytes[index] == 0x2e {
                let digits = bytes[(index + 1)...].prefix(while: isDigit)
                guard (1...6).contains(digits.count) else { return nil }
                var unit: Int64 = 100
                for digit in digits {
                    result += Int64(digit - 0x30) * unit
                    unit /= 10
                }
                index += 1 + digits.count
            }
        }
        let zone = Array(bytes[index...])
        if zone.isEmpty || zone == [0x5a] { return result }
        guard zone.count == 6, zone[0] == 0x2b || zone[0] == 0x2d, zone[3] == 0x3a,
            let hours = number(zone, 1, 2), let minutes = number(zone, 4, 2), hours <= 18, minutes < 60
        else { return nil }
        let offset = Int64(hours) * Milliseconds.hour + Int64(minutes) * Milliseconds.minute
        return zone[0] == 0x2b ? result - offset : result + offset
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int? {
        guard start + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[start..<start + count] {
            guard isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01, counted in years that begin in March, so that the leap day is their last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The inverse of ``days(year:month:day:)``, for days after the year 0.
    private static func civil(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
