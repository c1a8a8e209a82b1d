// What roles tell each other for reading only, as JSON. Nothing here decides anything.

/// Answer to `coordinator.mechanics`: what each rule brought. Money in minor units of `currency`.
package struct MechanicsReport: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        /// The rule's name; its number as text when the configuration does not know it any more.
        package var rule: String
        package var title: String
        /// `regular_consumption` …; empty when unknown.
        package var mechanic: String
        /// Actions opened.
        package var executions: Int64
        /// Actions closed, by outcome.
        package var sent: Int64
        package var recorded: Int64
        package var undeliverable: Int64
        package var uncertain: Int64
        package var withdrawn: Int64
        /// Wanted, and not done: by reason's text.
        package var suppressed: [String: Int64]
        /// Actions that brought at least one order; orders; their money.
        package var conversions: Int64
        package var sales: Int64
        package var revenue: Int64
        package var timersArmed: Int64

        package init(rule: String, title: String, mechanic: String) {
            self.rule = rule
            self.title = title
            self.mechanic = mechanic
            executions = 0
            sent = 0
            recorded = 0
            undeliverable = 0
            uncertain = 0
            withdrawn = 0
            suppressed = [:]
            conversions = 0
            sales = 0
            revenue = 0
            timersArmed = 0
        }
    }

    package var currency: String
    package var currencyDigits: Int
    package var rows: [Row]
    /// Over all customers, attributed or not.
    package var customers: Int64
    package var orders: Int64
    package var revenue: Int64
    package var events: Int64
    package var repeats: Int64
    package var setAside: Int64
    /// Commits of all shards that the sums do not contain yet.
    package var lagCommits: UInt64

    package init(currency: String, currencyDigits: Int, rows: [Row], lagCommits: UInt64) {
        self.currency = currency
        self.currencyDigits = currencyDigits
        self.rows = rows
        customers = 0
        orders = 0
        revenue = 0
        events = 0
        repeats = 0
        setAside = 0
        self.lagCommits = lagCommits
    }
}
