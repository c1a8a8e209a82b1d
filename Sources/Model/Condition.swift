/// A group of customers, kept up by their actors event by event and instant by instant.
package struct Segment: Equatable, Sendable {
    /// Unique, `[a-z0-9-]`.
    package var name: String
    package var title: String
    package var condition: Condition
    /// By which profiles name it: a segment keeps its number from revision to revision, and no other ever gets it.
    package var number: UInt16

    /// Of a segment that has no number yet.
    package static let unnumbered = UInt16.max

    package init(name: String, title: String = "", condition: Condition, number: UInt16 = unnumbered) {
        self.name = name
        self.title = title.isEmpty ? name : title
        self.condition = condition
        self.number = number
    }
}

/// A predicate over a profile and an instant.
///
/// Periods reach back from the instant: what happened at `now - within` is outside, what happened later is inside.
/// Facts that happened later than the instant are of age 0.
package indirect enum Condition: Hashable, Sendable {
    case all([Condition])
    case any([Condition])
    case not(Condition)
    /// A figure of the orders that are neither cancelled nor refunded and were placed within the period; nil = ever.
    /// Sum and average in minor units. An average of no orders matches nothing.
    case orders(OrderFigure, within: Int64?, Comparison, Int64)
    /// Milliseconds since the last order. Nobody who never ordered matches.
    case sinceLastOrder(Comparison, milliseconds: Int64)
    /// Milliseconds since the first order.
    case sinceFirstOrder(Comparison, milliseconds: Int64)
    /// How often the customer did this with one of the goods within the period; nil = as long as it is remembered. Goods
    /// that name nothing are all.
    case acts(Act, Goods, within: Int64?, Comparison, Int64)
    /// Milliseconds since the customer last did it. Nobody who never did matches.
    case sinceAct(Act, Goods, Comparison, milliseconds: Int64)
    /// Time since the last order in hundredths of the customer's own mean interval; from three orders on.
    case rhythm(Comparison, percent: Int64)
    /// How often the customer bought lately against before, in hundredths: 200 = twice as often. From five orders on.
    case pace(Comparison, percent: Int64)
    case trait(String, TraitTest)
    /// The local day is so near the yearly day of a trait that holds a date: from `daysBefore` days before it through
    /// `daysAfter` days behind it. Of 29 February, in other years, 1 March.
    case anniversary(trait: String, daysBefore: Int64, daysAfter: Int64)
    /// Milliseconds since the customer last did that with a message. Nobody who never did matches.
    case sinceEngagement(EngagementSign, Comparison, milliseconds: Int64)
    case consent(Channel, ConsentState)
    /// There is an address that has not been given up, and consent.
    case reachable(Channel)
    /// Interest in the goods, in hundredths: a view now counts 100, a product put into the cart 300, one bought 500, and
    /// each half as much after every ``Interest/halfLifeMilliseconds``.
    case interest(Goods, Comparison, Int64)

    /// Deepest nesting that is read.
    package static let depthMax = 16

    /// Number of orders ever placed and not cancelled.
    package static func orderCount(_ how: Comparison, _ value: Int64) -> Condition { .orders(.count, within: nil, how, value) }
    /// Sum of those orders, minor units.
    package static func orderSum(_ how: Comparison, _ value: Int64) -> Condition { .orders(.sum, within: nil, how, value) }
}

package enum OrderFigure: UInt8, CaseIterable, Sendable {
    case count = 0
    case sum, average
}

/// What a customer does with a product and is remembered for.
package enum Act: UInt8, CaseIterable, Sendable {
    /// In an order that stands.
    case bought = 0
    /// Looked at, or clicked in a list.
    case viewed
    case addedToCart
}

/// What a customer did with messages.
package enum EngagementSign: UInt8, CaseIterable, Sendable {
    /// One was sent to the customer.
    case sent = 0
    case opened, clicked
}

package enum ConsentState: UInt8, CaseIterable, Sendable {
    case granted = 0
    case withheld
    /// Nobody has said anything.
    case unknown
}

package enum TraitTest: Hashable, Sendable {
    case exists
    /// One of these, byte by byte.
    case isOneOf([String])
    /// Its value as a decimal number, in ten-thousandths; one that is none does not match.
    case number(Comparison, Int64)
    /// Has this text in it, byte by byte.
    case contains(String)
}

package enum Comparison: UInt8, CaseIterable, Sendable {
    case less = 0
    case atMost, equal, atLeast, greater

    @inlinable
    package func holds(_ left: Int64, _ right: Int64) -> Bool {
        switch self {
        case .less: left < right
        case .atMost: left <= right
        case .equal: left == right
        case .atLeast: left >= right
        case .greater: left > right
        }
    }
}

/// How long the actors remember what their customers did with products; 0 = not at all. What a condition asks for must
/// be remembered as long as its period.
package struct Memory: Equatable, Sendable {
    package var purchasesMilliseconds: Int64
    /// Views and what was put into carts.
    package var browsingMilliseconds: Int64

    package init(purchasesMilliseconds: Int64, browsingMilliseconds: Int64) {
        self.purchasesMilliseconds = purchasesMilliseconds
        self.browsingMilliseconds = browsingMilliseconds
    }

    package static let none = Memory(purchasesMilliseconds: 0, browsingMilliseconds: 0)
    /// Of installations that say nothing.
    package static let usual = Memory(
        purchasesMilliseconds: 730 * Milliseconds.day, browsingMilliseconds: 90 * Milliseconds.day)

    package func milliseconds(of act: Act) -> Int64 {
        switch act {
        case .bought: purchasesMilliseconds
        case .viewed, .addedToCart: browsingMilliseconds
        }
    }
}

package enum Interest {
    package static let halfLifeMilliseconds = 30 * Milliseconds.day

    /// In hundredths, at once.
    package static func weight(of act: Act) -> Int64 {
        switch act {
        case .viewed: 100
        case .addedToCart: 300
        case .bought: 500
        }
    }
}
