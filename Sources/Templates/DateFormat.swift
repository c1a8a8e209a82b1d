/// A date and time as written, without any change of zone.
struct CivilTime: Equatable {
    var year: Int
    var month: Int
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0

    /// `2024-01-05`, or with a time: `2024-01-05T10:00:00.000Z`, `2024-01-05 10:00+03:00`.
    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        func number(_ digits: Int, in range: ClosedRange<Int>) -> Int? {
            guard rest.count >= digits else { return nil }
            var value = 0
            for byte in rest.prefix(digits) {
                guard Byte.isDigit(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            rest = rest.dropFirst(digits)
            return range.contains(value) ? value : nil
        }
        func take(_ sign: Character) -> Bool {
            guard let byte = rest.first, byte == sign.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4, in: 1...9999), take("-"), let month = number(2, in: 1...12), take("-"),
            let day = number(2, in: 1...CivilTime.days(in: month, of: year))
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        if rest.isEmpty { return }
        guard take("T") || take(" "), let hour = number(2, in: 0...23), take(":"), let minute = number(2, in: 0...59) else {
            return nil
        }
        self.hour = hour
        self.minute = minute
        if take(":") {
            guard let second = number(2, in: 0...60) else { return nil }
            self.second = second
            if take(".") {
                guard let first = rest.first, Byte.isDigit(first) else { return nil }
                rest = rest.drop(while: Byte.isDigit)
            }
        }
        if take("Z") { if rest.isEmpty { return } else { return nil } }
        if take("+") || take("-") {
            guard number(2, in: 0...23) != nil else { return nil }
            _ = take(":")
            guard number(2, in: 0...59) != nil else { return nil }
        }
        guard rest.isEmpty else { return nil }
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// 0 = Sunday.
    var weekday: Int {
        let shift = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
        let y = month < 3 ? year - 1 : year
        return (y + y / 4 - y / 100 + y / 400 + shift[month - 1] + day) % 7
    }

    var dayOfYear: Int { (1..<month).reduce(day) { $0 + CivilTime.days(in: $1, of: year) } }
}

/// `%d.%m.%Y` as in Liquid, or, when it has no percent sign, `d.m.Y` as in Twig.
enum DateFormat {
    enum Part: Equatable {
        case text(String)
        case day(padded: Bool), month(padded: Bool), year, shortYear
        case hour(padded: Bool), hour12(padded: Bool), minute, second, halfDay
        case weekday(short: Bool), monthName(short: Bool), dayOfYear
    }

    static func parts(of format: String, at offset: Int) throws(Fault) -> [Part] {
        format.contains("%") ? try percent(format, at: offset) : try letters(format, at: offset)
    }

    private static func percent(_ format: String, at offset: Int) throws(Fault) -> [Part] {
        var parts: [Part] = []
        var characters = format.makeIterator()
        while let character = characters.next() {
            guard character == "%" else {
                parts.append(.text(String(character)))
                continue
            }
            var letter = characters.next()
            let padded = letter != "-"
            if !padded { letter = characters.next() }
            switch letter {
            case "d": parts.append(.day(padded: padded))
            case "e": parts.append(.day(padded: false))
            case "m": parts.append(.month(padded: padded))
            case "Y": parts.append(.year)
            case "y": parts.append(.shortYear)
            case "H": parts.append(.hour(padded: padded))
            case "I": parts.append(.hour12(padded: padded))
            case "M": parts.append(.minute)
            case "S": parts.append(.second)
            case "p": parts.append(.halfDay)
            case "A": parts.append(.weekday(short: false))
            case "a": parts.append(.weekday(short: true))
            case "B": parts.append(.monthName(short: false))
            case "b", "h": parts.append(.monthName(short: true))
            case "j": parts.append(.dayOfYear)
            case "%": parts.append(.text("%"))
            default:
                throw Fault(
                    at: offset,
                    "'%\(letter.map(String.init) ?? "")' has no meaning in a date; "
                        + "allowed are %d %e %m %Y %y %H %I %M %S %p %A %a %B %b %j %%"
                )
            }
        }
        return parts
    }

    private static func letters(_ format: String, at offset: Int) throws(Fault) -> [Part] {
        var parts: [Part] = []
        var characters = format.makeIterator()
        while let character = characters.next() {
            switch character {
            case "d": parts.append(.day(padded: true))
            case "j": parts.append(.day(padded: false))
            case "m": parts.append(.month(padded: true))
            case "n": parts.append(.month(padded: false))
            case "Y": parts.append(.year)
            case "y": parts.append(.shortYear)
            case "H": parts.append(.hour(padded: true))
            case "G": parts.append(.hour(padded: false))
            case "h": parts.append(.hour12(padded: true))
            case "g": parts.append(.hour12(padded: false))
            case "i": parts.append(.minute)
            case "s": parts.append(.second)
            case "A": parts.append(.halfDay)
            case "l": parts.append(.weekday(short: false))
            case "D": parts.append(.weekday(short: true))
            case "F": parts.append(.monthName(short: false))
            case "M": parts.append(.monthName(short: true))
            case "\\": if let next = characters.next() { parts.append(.text(String(next))) }
            case _ where character.isLetter && character.isASCII:
                throw Fault(
                    at: offset,
                    "'\(character)' has no meaning in a date; "
                        + "allowed are d j m n Y y H G h g i s A l D F M, or put '\\' before it"
                )
            default: parts.append(.text(String(character)))
            }
        }
        return parts
    }

    static func print(_ time: CivilTime, _ parts: [Part]) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .text(let fixed): text += fixed
            case .day(let padded): text += pad(time.day, padded ? 2 : 1)
            case .month(let padded): text += pad(time.month, padded ? 2 : 1)
            case .year: text += pad(time.year, 4)
            case .shortYear: text += pad(time.year % 100, 2)
            case .hour(let padded): text += pad(time.hour, padded ? 2 : 1)
            case .hour12(let padded): text += pad((time.hour + 11) % 12 + 1, padded ? 2 : 1)
            case .minute: text += pad(time.minute, 2)
            case .second: text += pad(time.second, 2)
            case .halfDay: text += time.hour < 12 ? "AM" : "PM"
            case .weekday(let short): text += name(weekdays[time.weekday], short)
            case .monthName(let short): text += name(months[time.month - 1], short)
            case .dayOfYear: text += pad(time.dayOfYear, 3)
            }
        }
        return text
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func name(_ name: String, _ short: Bool) -> String { short ? String(name.prefix(3)) : name }

    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
}
