import Model

/// Days of the proleptic Gregorian calendar as numbers; 0 = 1970-01-01.
enum CivilDays {
    /// The number of a day; months 1...12. A day beyond its month runs into the next one, so that 29 February is 1 March in
    /// most years. After H. Hinnant, "chrono-compatible low-level date algorithms".
    static func number(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// `2024-02-29`.
    static func text(of number: Int64) -> String {
        let year = year(of: number)
        var month: Int64 = 12
        while month > 1 && self.number(year: year, month: month, day: 1) > number { month -= 1 }
        let day = number - self.number(year: year, month: month, day: 1) + 1
        return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
    }

    /// The day that ``text(of:)`` wrote.
    static func number(ofText text: String) -> Int64? {
        let parts = text.split(separator: "-").compactMap { Int64($0) }
        return parts.count == 3 ? number(year: parts[0], month: parts[1], day: parts[2]) : nil
    }

    static func year(of number: Int64) -> Int64 {
        let shifted = number + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // The year of this count begins in March.
        return yearOfEra + era * 400 + (dayOfYear >= 306 ? 1 : 0)
    }

    /// A day of each year.
    struct YearDay: Equatable {
        var month: Int64
        var day: Int64

        /// Reads `1990-02-28`, with anything behind it (a time of day), or `--02-28`; nil = no such date.
        init?(_ text: String) {
            let bytes = Array(text.utf8)
            let start: Int
            if bytes.starts(with: [0x2d, 0x2d]) {
                start = 2
            } else {
                guard bytes.count >= 5, bytes[..<4].allSatisfy({ (0x30...0x39).contains($0) }), bytes[4] == 0x2d else {
                    return nil
                }
                start = 5
            }
            guard bytes.count >= start + 5, bytes[start + 2] == 0x2d else { return nil }
            func number(_ place: Int) -> Int64? {
                let (high, low) = (bytes[place], bytes[place + 1])
                guard (0x30...0x39).contains(high), (0x30...0x39).contains(low) else { return nil }
                return Int64(high - 0x30) * 10 + Int64(low - 0x30)
            }
            if bytes.count > start + 5, (0x30...0x39).contains(bytes[start + 5]) { return nil }
            guard let month = number(start), let day = number(start + 3), (1...12).contains(month),
                day >= 1, day <= [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
            else { return nil }
            self.month = month
            self.day = day
        }

        /// The number of its day in that year.
        func number(in year: Int64) -> Int64 {
            let first = CivilDays.number(year: year, month: month, day: 1)
            let next =
                month == 12
                ? CivilDays.number(year: year + 1, month: 1, day: 1) : CivilDays.number(year: year, month: month + 1, day: 1)
            return min(first + day - 1, next)
        }
    }
}

extension ZoneTable {
    /// The local day at an instant.
    func day(at instant: Instant) -> Int64 {
        floorDivide(instant.milliseconds + offsetSeconds(at: instant) * Milliseconds.second, Milliseconds.day)
    }

    /// The first instant at which the local clock shows that minute of that day, or a later one where the clocks pass over it.
    func instant(day: Int64, minute: Int64) -> Instant {
        let local = day * Milliseconds.day + minute * Milliseconds.minute
        // Behind every offset there is.
        var from = Instant(milliseconds: local - 2 * Milliseconds.day)
        while true {
            let offset = offsetSeconds(at: from) * Milliseconds.second
            let instant = Instant(milliseconds: local - offset)
            guard let transition = nextTransition(after: from), transition <= instant else { return max(instant, from) }
            from = transition
            if transition.milliseconds + offsetSeconds(at: transition) * Milliseconds.second >= local { return transition }
        }
    }

    /// The first instant after `instant` at which the local day is `day` or later, when it is earlier now; where clocks are put
    /// back over midnight, the first of several.
    func beginning(of day: Int64, after instant: Instant) -> Instant {
        var from = instant
        while true {
            let transition = nextTransition(after: from)
            let start = Instant(milliseconds: day * Milliseconds.day - offsetSeconds(at: from) * Milliseconds.second)
            // Within the stretch that has this offset: at midnight, or when it begins later than that.
            if let transition {
                if start < transition { return max(start, from == instant ? instant + 1 : from) }
                from = transition
                if self.day(at: from) >= day { return from }
            } else {
                return max(start, instant + 1)
            }
        }
    }
}
