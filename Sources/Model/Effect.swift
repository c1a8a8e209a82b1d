/// What a step decided. Everybody but the shard itself learns of a customer only through these.
package enum Effect: Equatable, Sendable {
    case actionOpened(ActionOpened)
    /// A rule wanted this and did not get it (I7).
    case suppressed(Decision)
    /// A rule waits; it is asked again at `until`.
    case postponed(Decision, until: Instant)
    case permitGranted(PermitGrant)
    /// No to this attempt. When the action is withdrawn for good, an `actionClosed` follows.
    case permitDenied(customer: CustomerKey, action: ActionID, attempt: AttemptID, reason: Reason)
    case actionClosed(ActionClosed)
    /// An order, or a change of one, gave money to an action or took it back (I10).
    case attributed(Attribution)
    /// An event that could not be applied; its neighbours were.
    case setAside(SetAside)
    /// What was set aside under this number has come again and was taken: it is not taken another time.
    case replayed(number: UInt64)
    /// A message for another shard; it is in the outbox from here on. Counters rise by one per destination.
    case messageSent(to: ShardID, counter: UInt64, body: [UInt8])
    /// The destination's input has all messages up to this counter: they left the outbox. Such effects stand first in
    /// their step: they are what the step was told, not what it decided.
    case messagesDelivered(to: ShardID, through: UInt64)
    /// Another shard's message was applied; counters rise by one per source.
    case messageApplied(from: ShardID, counter: UInt64)
    /// Two customers turned out to be one: the first is now a mark that leads to the second.
    case merged(CustomerKey, into: CustomerKey, time: Instant)
    /// Two customers claim one identifier, and nobody has verified that they are one: for a manager to decide.
    case duplicateOffered(CustomerKey, CustomerKey, identifier: CustomerKey)
    /// An open action goes on in another shard, under the customer's surviving key.
    case actionMoved(ActionOpened)
    /// Changes of counters since the step's beginning, by counter and rule ascending.
    case sums([SumDelta])
}

package struct ActionOpened: Equatable, Sendable {
    package var customer: CustomerKey
    package var action: ActionID
    package var rule: RuleID
    package var channel: Channel
    /// When it was due: the timer's time.
    package var due: Instant
    /// When it was decided.
    package var decided: Instant
    /// After this it is not sent any more.
    package var deadline: Instant
    /// What it is about: a product id or order id; may be empty.
    package var subject: String

    package init(
        customer: CustomerKey, action: ActionID, rule: RuleID, channel: Channel, due: Instant, decided: Instant,
        deadline: Instant, subject: String
    ) {
        self.customer = customer
        self.action = action
        self.rule = rule
        self.channel = channel
        self.due = due
        self.decided = decided
        self.deadline = deadline
        self.subject = subject
    }
}

package struct Decision: Equatable, Sendable {
    package var customer: CustomerKey
    package var action: ActionID
    package var rule: RuleID
    package var due: Instant
    package var decided: Instant
    package var reason: Reason

    package init(customer: CustomerKey, action: ActionID, rule: RuleID, due: Instant, decided: Instant, reason: Reason) {
        self.customer = customer
        self.action = action
        self.rule = rule
        self.due = due
        self.decided = decided
        self.reason = reason
    }
}

package struct PermitGrant: Equatable, Sendable {
    package var customer: CustomerKey
    package var action: ActionID
    package var attempt: AttemptID
    package var rule: RuleID
    package var channel: Channel
    /// Where to: an e-mail address, for instance.
    package var address: String
    /// The template to render: its name in the configuration revision of the step.
    package var template: String
    /// What the template may name, by dotted path ascending: `customer.first_name`, `product.id`, `order.id` …
    package var fields: [Trait]
    package var deadline: Instant

    package init(
        customer: CustomerKey, action: ActionID, attempt: AttemptID, rule: RuleID, channel: Channel, address: String,
        template: String, fields: [Trait], deadline: Instant
    ) {
        self.customer = customer
        self.action = action
        self.attempt = attempt
        self.rule = rule
        self.channel = channel
        self.address = address
        self.template = template
        self.fields = fields
        self.deadline = deadline
    }
}

package struct ActionClosed: Equatable, Sendable {
    package var customer: CustomerKey
    package var action: ActionID
    package var rule: RuleID
    package var outcome: Outcome
    /// Why, when it was withdrawn.
    package var reason: Reason
    package var time: Instant
    /// The provider's words, when it refused.
    package var detail: String

    package init(
        customer: CustomerKey, action: ActionID, rule: RuleID, outcome: Outcome, reason: Reason = .none, time: Instant,
        detail: String = ""
    ) {
        self.customer = customer
        self.action = action
        self.rule = rule
        self.outcome = outcome
        self.reason = reason
        self.time = time
        self.detail = detail
    }
}

package struct Attribution: Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// The order's first credit to this action: one more conversion.
        case converted = 0
        /// The order's amount changed.
        case changed
        /// The order was cancelled or refunded in whole: the conversion is taken back.
        case reversed
    }

    package var customer: CustomerKey
    package var action: ActionID
    package var rule: RuleID
    package var orderID: String
    package var kind: Kind
    /// Minor units to add to the attributed revenue; negative takes back.
    package var revenue: Int64
    /// Orders to add to the attributed sales: 1, 0 or -1.
    package var sales: Int64
    /// Actions to add to those with at least one sale: 1, 0 or -1.
    package var conversions: Int64
    package var time: Instant

    package init(
        customer: CustomerKey, action: ActionID, rule: RuleID, orderID: String, kind: Kind, revenue: Int64, sales: Int64,
        conversions: Int64, time: Instant
    ) {
        self.customer = customer
        self.action = action
        self.rule = rule
        self.orderID = orderID
        self.kind = kind
        self.revenue = revenue
        self.sales = sales
        self.conversions = conversions
        self.time = time
    }
}

/// Why something did not happen, or was put off. The numbers stand in stored logs.
package enum Reason: UInt8, CaseIterable, Hashable, Sendable {
    case none = 0
    case noConsent, noAddress, addressSuppressed
    case quietHours, postponedTooLong, deadlinePassed
    case notInSegment, ruleOff, ruleGone
    case noLongerWanted, orderCancelled
    case alreadyDecided, tooManyOpen
    case grantedToAnother, unknownAction, alreadyClosed
    case attemptsExhausted, refusedByProvider
    case trapped
    case contactLimit, repeatLimit
    case tooLateForOrder

    /// A phrase for people.
    package var text: String {
        switch self {
        case .none: ""
        case .noConsent: "no consent for this channel"
        case .noAddress: "no address for this channel"
        case .addressSuppressed: "the address bounced or complained"
        case .quietHours: "outside of the hours allowed"
        case .postponedTooLong: "could not be sent within its postponement"
        case .deadlinePassed: "its deadline passed"
        case .notInSegment: "the customer is not in the rule's segments"
        case .ruleOff: "the rule is switched off"
        case .ruleGone: "the rule was removed"
        case .noLongerWanted: "the customer has bought since"
        case .orderCancelled: "the order was cancelled or refunded"
        case .alreadyDecided: "decided before"
        case .tooManyOpen: "too many open actions"
        case .grantedToAnother: "another attempt has the permit"
        case .unknownAction: "no such action"
        case .alreadyClosed: "the action is closed"
        case .attemptsExhausted: "too many attempts failed"
        case .refusedByProvider: "the provider refused it"
        case .trapped: "deciding it ended the worker"
        case .contactLimit: "the customer was written to often enough"
        case .repeatLimit: "the rule acted for the customer often enough"
        case .tooLateForOrder: "the order is on its way, or holds it already"
        }
    }
}

/// What the shards count. The numbers stand in stored logs.
package enum Counter: UInt8, CaseIterable, Hashable, Comparable, Sendable {
    /// Customers known.
    case customers = 0
    /// Orders placed, and what they are worth now (minor units).
    case orders, revenue
    /// Events applied, repeats recognised, events set aside.
    case events, repeats, setAside
    /// Per rule: timers armed now.
    case timersArmed
    /// Per segment: its members now.
    case members
    /// Those of them whom a message can reach.
    case reachableMembers

    package static func < (left: Counter, right: Counter) -> Bool { left.rawValue < right.rawValue }
}

package struct SumDelta: Equatable, Hashable, Sendable {
    package var counter: Counter
    /// The rule it belongs to, or the segment's ``key(ofSegment:)``; number 0 = none.
    package var rule: RuleID
    package var amount: Int64

    package init(_ counter: Counter, rule: RuleID = RuleID(0), amount: Int64) {
        self.counter = counter
        self.rule = rule
        self.amount = amount
    }

    /// By which sums name a segment: its number, so that one that comes anew under an old name begins at nothing.
    package static func key(ofSegment number: UInt16) -> RuleID { RuleID(UInt32(number) + 1) }
}
