// What the history role is asked and answers, as JSON. For reading only.

/// Request to `history.timeline` and `history.decisions`.
package struct HistoryRequest: Codable, Equatable, Sendable {
    package private(set) var version = MessageVersion()
    /// A whole key; one that was merged into another stands for that one.
    package var customer: String
    /// ``HistoryPage/next`` of the page before; nil = from the newest on.
    package var after: String?
    /// 1 to ``Limits/historyPageMax``.
    package var limit: Int

    package init(customer: String, after: String? = nil, limit: Int = Limits.historyPageMax) {
        self.customer = customer
        self.after = after
        self.limit = limit
    }
}

/// Records of a log that were trimmed before they were folded: what they say is not in the answer.
package struct HistoryGap: Codable, Equatable, Sendable {
    /// `IN.3`, `LOG.3`.
    package var log: String
    package var first: UInt64
    package var last: UInt64

    package init(log: String, first: UInt64, last: UInt64) {
        self.log = log
        self.first = first
        self.last = last
    }
}

/// How far an answer reaches.
package struct HistoryReach: Codable, Equatable, Sendable {
    /// Milliseconds since 1970: nothing older is kept.
    package var sinceMilliseconds: Int64
    /// The earliest clock of the shards that were asked: later things may not be contained yet.
    package var untilMilliseconds: Int64
    package var gaps: [HistoryGap]
    /// Why the history of a shard that was asked does not go on.
    package var problems: [String]

    package init(sinceMilliseconds: Int64, untilMilliseconds: Int64, gaps: [HistoryGap] = [], problems: [String] = []) {
        self.sinceMilliseconds = sinceMilliseconds
        self.untilMilliseconds = untilMilliseconds
        self.gaps = gaps
        self.problems = problems
    }
}

/// A page of what happened, newest first.
package struct TimelinePage: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        /// The key that it happened under: the customer's, or that of one merged into it.
        package var customer: String
        package var timeMilliseconds: Int64
        package var kind: String
        /// Empty = none.
        package var order: String
        /// Minor units.
        package var amount: Int64?
        package var products: String
        package var text: String
        /// Why it was set aside; empty = it was applied.
        package var note: String

        package init(
            customer: String, timeMilliseconds: Int64, kind: String, order: String, amount: Int64?, products: String,
            text: String, note: String
        ) {
            self.customer = customer
            self.timeMilliseconds = timeMilliseconds
            self.kind = kind
            self.order = order
            self.amount = amount
            self.products = products
            self.text = text
            self.note = note
        }
    }

    package var customer: String
    /// Keys that were merged into it, and whose rows are among these.
    package var merged: [String]
    package var rows: [Row]
    package var next: String?
    package var reach: HistoryReach

    package init(customer: String, merged: [String], rows: [Row], next: String?, reach: HistoryReach) {
        self.customer = customer
        self.merged = merged
        self.rows = rows
        self.next = next
        self.reach = reach
    }
}

/// A page of what was decided, newest first.
package struct DecisionsPage: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        package var customer: String
        package var timeMilliseconds: Int64
        /// `opened`, `suppressed`, `postponed`, `permit granted`, `permit denied`, `closed`, `attributed`, `moved`.
        package var kind: String
        /// ``RuleID``; 0 = not told.
        package var rule: UInt32
        /// ``ActionID`` as text.
        package var action: String
        /// In words; empty = none.
        package var reason: String
        /// Of one that was closed.
        package var outcome: String?
        package var channel: String?
        /// The order that gave money or took it back.
        package var order: String
        package var revenue: Int64
        package var sales: Int64
        package var conversions: Int64
        package var untilMilliseconds: Int64?
        package var text: String

        package init(
            customer: String, timeMilliseconds: Int64, kind: String, rule: UInt32, action: String, reason: String,
            outcome: String?, channel: String?, order: String, revenue: Int64, sales: Int64, conversions: Int64,
            untilMilliseconds: Int64?, text: String
        ) {
            self.customer = customer
            self.timeMilliseconds = timeMilliseconds
            self.kind = kind
            self.rule = rule
            self.action = action
            self.reason = reason
            self.outcome = outcome
            self.channel = channel
            self.order = order
            self.revenue = revenue
            self.sales = sales
            self.conversions = conversions
            self.untilMilliseconds = untilMilliseconds
            self.text = text
        }
    }

    package var customer: String
    /// Keys that were merged into it, and whose rows are among these.
    package var merged: [String]
    package var rows: [Row]
    package var next: String?
    package var reach: HistoryReach

    package init(customer: String, merged: [String], rows: [Row], next: String?, reach: HistoryReach) {
        self.customer = customer
        self.merged = merged
        self.rows = rows
        self.next = next
        self.reach = reach
    }
}

/// A figure of the mechanics' report that can be drilled into.
package enum HistoryFigure: String, Codable, CaseIterable, Sendable {
    case executions, suppressed, sent, recorded, undeliverable, uncertain, withdrawn, conversions, sales, revenue
}

/// Request to `history.drill`: the decisions that a figure counts.
package struct DrillRequest: Codable, Equatable, Sendable {
    package private(set) var version = MessageVersion()
    /// ``RuleID``s whose figures are taken together, 1 to ``Limits/rulesMax``.
    package var rules: [UInt32]
    package var figure: HistoryFigure
    /// Milliseconds since 1970; from this one on, and before that one.
    package var fromMilliseconds: Int64?
    package var toMilliseconds: Int64?
    /// ``DrillPage/next`` of the page before.
    package var after: String?
    /// 1 to ``Limits/historyPageMax``.
    package var limit: Int

    package init(
        rules: [UInt32], figure: HistoryFigure, fromMilliseconds: Int64? = nil, toMilliseconds: Int64? = nil,
        after: String? = nil, limit: Int = Limits.historyPageMax
    ) {
        self.rules = rules
        self.figure = figure
        self.fromMilliseconds = fromMilliseconds
        self.toMilliseconds = toMilliseconds
        self.after = after
        self.limit = limit
    }
}

/// A page of a figure's list, by shard and in the order in which the shards decided.
package struct DrillPage: Codable, Equatable, Sendable {
    /// What the figure comes to over the whole list, not this page: money in minor units, else how many.
    package var total: Int64
    /// Rows of the whole list.
    package var count: Int64
    package var rows: [DecisionsPage.Row]
    package var next: String?
    package var reach: HistoryReach

    package init(total: Int64, count: Int64, rows: [DecisionsPage.Row], next: String?, reach: HistoryReach) {
        self.total = total
        self.count = count
        self.rows = rows
        self.next = next
        self.reach = reach
    }
}
