internal import Model

/// What a step leaves behind, in the order in which the store takes it.
enum HistoryRow: Equatable, Sendable {
    case event(HistoryEvent)
    case decision(HistoryDecision)
    /// An event of a key that leads elsewhere: it stands in the history of the shard that applied it. Its message id is kept
    /// here, where repeats of it arrive.
    case passedOn(message: Halves, time: Instant)
    /// The key leads to another customer.
    case mark(CustomerKey, leadsTo: CustomerKey)
    /// The first has become part of the second, which is of this shard.
    case merged(CustomerKey, into: CustomerKey, time: Instant)
}

/// Something that happened to a customer, in brief.
struct HistoryEvent: Equatable, Sendable {
    var customer: CustomerKey
    var time: Instant
    /// For people: `order placed`, `product viewed`, the name of any other.
    var kind: String
    var orderID = ""
    /// Minor units; nil = it bears none.
    var amount: Int64?
    /// Ids of the products and how many of each: `tea ×2, milk`; at most ``Limits/historyTextBytesMax``.
    var products = ""
    /// The channel of an engagement, the traits that were given.
    var text = ""
    /// Why it was set aside; empty = it was applied.
    var note = ""
    /// The sender's message id, by which a repeat is known; 0 = none, or it was passed on by another shard.
    var message = Halves(0)
    /// It was set aside before, and has come again.
    var isReplay = false
}

/// Something that was decided about a customer.
struct HistoryDecision: Equatable, Sendable {
    /// The numbers stand in stored files.
    enum Kind: UInt8, CaseIterable, Sendable {
        case opened = 1
        case suppressed, postponed, permitGranted, permitDenied, closed, attributed, moved
    }

    var customer: CustomerKey
    var time: Instant
    var kind: Kind
    /// Number 0 = not told.
    var rule: RuleID
    var action: ActionID
    var reason = Reason.none
    var outcome: Outcome?
    var channel: Channel?
    /// Of money that an order gave or took back.
    var orderID = ""
    var revenue: Int64 = 0
    var sales: Int64 = 0
    var conversions: Int64 = 0
    /// Postponed until then.
    var until: Instant?
    /// What the action is about; the template of a permit; the provider's words.
    var text = ""
}
