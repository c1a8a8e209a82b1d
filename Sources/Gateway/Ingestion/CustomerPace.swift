package import Model

/// How fast one customer's events may come, for any number of customers in a memory that does not grow. Pure.
///
/// A customer may send `burst` events at once and `perMinute` in the long run. Its account is the instant at which it will
/// have paid for what it sent: each event moves that on by a minute's share, and an event that would move it further ahead
/// of now than the burst is worth comes too early.
///
/// Accounts stand in a table of four rows, a customer in one cell of each, chosen by its hash: its account is the least of
/// its cells, so that it pays for another only where all four are shared with customers that are hot. A cell is only ever
/// moved to its customer's account, not by what all who share it send.
package struct CustomerPace: Sendable {
    package struct Settings: Equatable, Sendable {
        /// 0 = no limit.
        package var perMinute: Int
        package var burst: Int

        package init(perMinute: Int = Limits.customerEventsPerMinute, burst: Int = Limits.customerEventsBurst) {
            self.perMinute = perMinute
            self.burst = burst
        }
    }

    private static let rows = 4
    private static let columns = 8192

    private let settings: Settings
    /// Microseconds since 1970, row by row.
    private var cells: [Int64]

    package init(_ settings: Settings) {
        self.settings = settings
        cells = [Int64](repeating: 0, count: settings.perMinute > 0 ? Self.rows * Self.columns : 0)
    }

    package var isLimited: Bool { settings.perMinute > 0 }

    /// Milliseconds until the customer may send so many events; 0 = now. More than the burst it may never send at once:
    /// then the time until its account is even.
    package func wait(_ customer: UInt64, _ events: Int, now: Instant) -> Int64 {
        guard isLimited else { return 0 }
        let ahead = account(customer, now) - now.milliseconds * 1000
        let tooMuch = ahead + Int64(min(events, settings.burst)) * share - Int64(settings.burst) * share
        if tooMuch > 0 { return (tooMuch + 999) / 1000 }
        return events <= settings.burst ? 0 : Milliseconds.minute
    }

    /// The customer has sent them.
    package mutating func charge(_ customer: UInt64, _ events: Int, now: Instant) {
        guard isLimited else { return }
        let paid = account(customer, now) + Int64(events) * share
        var mixed = customer
        for row in 0..<Self.rows {
            let cell = Self.cell(row, &mixed)
            cells[cell] = max(cells[cell], paid)
        }
    }

    /// What an event costs, in microseconds.
    private var share: Int64 { max(60_000_000 / Int64(settings.perMinute), 1) }

    /// Never in the past: what was not used is not saved up.
    private func account(_ customer: UInt64, _ now: Instant) -> Int64 {
        var mixed = customer
        var least = Int64.max
        for row in 0..<Self.rows { least = min(least, cells[Self.cell(row, &mixed)]) }
        return max(least, now.milliseconds * 1000)
    }

    /// The customer's cell of this row; asked for row by row, as each mixes on.
    private static func cell(_ row: Int, _ mixed: inout UInt64) -> Int {
        mixed = (mixed ^ (mixed >> 31)) &* 0x9E37_79B9_7F4A_7C15
        return row * columns + Int(mixed >> 32) % columns
    }
}
