package import Model

// What the lists of a profile are made of.

/// One order as the profile keeps it.
package struct Order: Equatable, Sendable {
    package enum State: UInt8, CaseIterable, Sendable {
        case placed = 0
        case paid, shipped, fulfilled, cancelled, refunded

        package var name: String {
            switch self {
            case .placed: "placed"
            case .paid: "paid"
            case .shipped: "shipped"
            case .fulfilled: "fulfilled"
            case .cancelled: "cancelled"
            case .refunded: "refunded"
            }
        }

        /// Counts among the customer's orders.
        var stands: Bool { self != .cancelled && self != .refunded }
    }

    package var id: String
    package var state: State
    package var placed: Instant
    /// When it last changed its state; an older event changes it no more.
    package var changed: Instant
    /// Minor units, after refunds.
    package var revenue: Int64
    package var wasFulfilled: Bool
    /// The message that has its credit.
    package var credit: ActionID?
    /// First seen by a change that did not say what the order is worth.
    package var awaitsWorth = false
}

/// The last purchase of a product.
package struct Purchase: Equatable, Sendable {
    /// Index in the shard's product table.
    package var product: UInt32
    package var last: Instant
}

/// What a decision is about; with customer and rule it makes the action's id (I5).
package enum Occasion: Equatable, Sendable {
    /// A product (its index in the shard's table) and when it was bought.
    case product(UInt32)
    case order(String)
    /// The time since the last order.
    case lapse
    /// What completes an order that can still take something.
    case offer(String)
    /// A yearly date: the number of the day in ``CivilDays``.
    case date(Int64)
    /// A product that was viewed (its index in the shard's table).
    case views(UInt32)
    /// What stands in the cart.
    case cart
    /// The customer came into the segment with this number.
    case segment(UInt16)

    /// Orders are told apart by the bytes of their ids.
    package static func == (left: Occasion, right: Occasion) -> Bool {
        switch (left, right) {
        case (.product(let left), .product(let right)), (.views(let left), .views(let right)): left == right
        case (.order(let left), .order(let right)), (.offer(let left), .offer(let right)): left.hasBytes(of: right)
        case (.date(let left), .date(let right)): left == right
        case (.segment(let left), .segment(let right)): left == right
        case (.lapse, .lapse), (.cart, .cart): true
        default: false
        }
    }
}

extension String {
    /// Whether both have the same bytes: Unicode calls some texts equal that do not.
    func hasBytes(of other: String) -> Bool { self == other && utf8.elementsEqual(other.utf8) }
}

package struct Timer: Equatable, Sendable {
    package var rule: RuleID
    package var occasion: Occasion
    /// What it counts from: the purchase, the last order, the fulfilment, the view, the coming into a segment; of a date when
    /// its timer was set.
    package var anchor: Instant
    package var firstDue: Instant
    /// Later than `firstDue` by what it was postponed.
    package var due: Instant
}

/// An action without an outcome yet.
package struct OpenAction: Equatable, Sendable {
    package var id: ActionID
    package var rule: RuleID
    /// As it was decided, whatever has become of its rule since.
    package var channel: Channel
    package var occasion: Occasion
    package var anchor: Instant
    /// When its timer was first due, and when it was decided: later by what it was postponed.
    package var due: Instant
    package var decided: Instant
    package var deadline: Instant
    /// The attempt that has the permit.
    package var grant: AttemptID?
    /// Attempts that failed for now.
    package var failures: UInt8

    /// The first instant at which it is too late: it may still leave at its deadline.
    var expires: Instant { deadline + 1 }
}

/// A message that reached the customer and may still be credited with orders, or has been.
package struct Touch: Equatable, Sendable {
    package var action: ActionID
    package var rule: RuleID
    package var time: Instant
    package var windowEnd: Instant
    /// Orders credited to it now.
    package var sales: Int64
}

/// Per channel: unknown, granted or withheld; and whether the address has been given up.
package struct ConsentSet: Equatable, Sendable {
    /// Two bits a channel: 0 unknown, 1 withheld, 2 granted.
    var bits: UInt16 = 0
    /// One bit a channel: bounced or complained.
    var suppressed: UInt8 = 0

    package init() {}

    package subscript(channel: Channel) -> Bool? {
        get {
            switch (bits >> (UInt16(channel.rawValue) * 2)) & 3 {
            case 1: false
            case 2: true
            default: nil
            }
        }
        set {
            let shift = UInt16(channel.rawValue) * 2
            bits &= ~(3 << shift)
            switch newValue {
            case true: bits |= 2 << shift
            case false: bits |= 1 << shift
            case nil: break
            }
        }
    }

    package func isSuppressed(_ channel: Channel) -> Bool { suppressed & (1 << channel.rawValue) != 0 }
    mutating func suppress(_ channel: Channel) { suppressed |= 1 << channel.rawValue }
    mutating func release(_ channel: Channel) { suppressed &= ~(1 << channel.rawValue) }
}
