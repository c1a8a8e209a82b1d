internal import Model

/// RFC 5322 dates, in UTC.
enum MailDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 22 Nov 2026 14:25:14 +0000`; the instant is not before 1970.
    static func text(_ instant: Instant) -> String {
        let seconds = instant.milliseconds / 1000
        let day = seconds / 86_400
        let (year, month, date) = civil(day)
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(two).joined(separator: ":")
        return "\(days[Int(day % 7)]), \(two(Int64(date))) \(months[month - 1]) \(year) \(time) +0000"
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Day since 1970-01-01 to year, month, day (H. Hinnant, "chrono-compatible low-level date algorithms").
    private static func civil(_ day: Int64) -> (year: Int64, month: Int, date: Int) {
        let z = day + 719_468
        let era = z / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let m = (5 * dayOfYear + 2) / 153
        let date = Int(dayOfYear - (153 * m + 2) / 5 + 1)
        let month = Int(m < 10 ? m + 3 : m - 9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date)
    }
}
