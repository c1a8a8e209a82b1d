// What roles tell each other for reading only, as JSON. Nothing here decides anything.

/// Answer to `shard.<n>.customer` (the key's UTF-8 is the request): one customer's profile as it is now. `found` is false
/// for a customer the shard does not know; then the rest is empty. Times are milliseconds, money minor units.
package struct CustomerView: Codable, Equatable, Sendable {
    package struct Order: Codable, Equatable, Sendable {
        package var id: String
        package var placedMilliseconds: Int64
        package var revenue: Int64
        package var state: String
        /// The rule that has its credit.
        package var creditedRule: String?

        package init(id: String, placedMilliseconds: Int64, revenue: Int64, state: String, creditedRule: String?) {
            self.id = id
            self.placedMilliseconds = placedMilliseconds
            self.revenue = revenue
            self.state = state
            self.creditedRule = creditedRule
        }
    }

    package struct Timer: Codable, Equatable, Sendable {
        package var rule: String
        package var subject: String
        package var dueMilliseconds: Int64

        package init(rule: String, subject: String, dueMilliseconds: Int64) {
            self.rule = rule
            self.subject = subject
            self.dueMilliseconds = dueMilliseconds
        }
    }

    package struct Action: Codable, Equatable, Sendable {
        package var action: String
        package var rule: String
        package var channel: String
        /// `open`, `permitted`, or how it ended.
        package var state: String
        package var timeMilliseconds: Int64

        package init(action: String, rule: String, channel: String, state: String, timeMilliseconds: Int64) {
            self.action = action
            self.rule = rule
            self.channel = channel
            self.state = state
            self.timeMilliseconds = timeMilliseconds
        }
    }

    package var customer: String
    package var shard: Int
    package var found: Bool
    package var traits: [String: String]
    package var consents: [String: Bool]
    package var orderCount: Int64
    package var orderSum: Int64
    package var currency: String
    package var firstOrderMilliseconds: Int64?
    package var lastOrderMilliseconds: Int64?
    package var views: Int64
    package var clicks: Int64
    package var segments: [String]
    package var orders: [Order]
    package var timers: [Timer]
    package var actions: [Action]
    /// The key that this one leads to: an identifier's customer, or the one that has absorbed this one.
    package var leadsTo: String?
    /// By what else the customer is found, and which keys it has absorbed.
    package var identifiers: [String]
    package var merged: [String]

    package init(customer: String, shard: Int, found: Bool, currency: String) {
        self.customer = customer
        self.shard = shard
        self.found = found
        traits = [:]
        consents = [:]
        orderCount = 0
        orderSum = 0
        self.currency = currency
        views = 0
        clicks = 0
        segments = []
        orders = []
        timers = []
        actions = []
        identifiers = []
        merged = []
    }
}
