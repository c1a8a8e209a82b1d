/// Something that happened to one customer, as it stands in IN.
///
/// Events come from outside through the gateway, and from inside (permit requests, outcomes) from dispatchers: there is
/// no other way to change a profile than an event, time, or configuration.
package struct Event: Equatable, Sendable {
    /// Hash of the sender's message id, by which a repeat is recognised; 0 = none was given.
    package var messageID: UInt128 {
        get { messageHalves.value }
        set { messageHalves = Halves(newValue) }
    }
    private var messageHalves: Halves
    package var customer: CustomerKey
    /// The event's own time. In live mode the log's time decides and this is kept for the record; in event-time mode
    /// this decides. Internal events carry `Instant.distantPast` and happen at the shard's clock.
    package var time: Instant
    package var body: Body

    package init(messageID: UInt128 = 0, customer: CustomerKey, time: Instant, body: Body) {
        messageHalves = Halves(messageID)
        self.customer = customer
        self.time = time
        self.body = body
    }

    package enum Body: Equatable, Sendable {
        case order(OrderEvent)
        case product(ProductEvent)
        case identify(Identify)
        case engagement(Engagement)
        /// Kept, though nothing understands it: name and the raw JSON of its properties.
        case named(name: String, properties: [UInt8])
        /// Another key that is the same customer (`alias`); recorded, merged by identity resolution.
        case alias(previous: CustomerKey)
        /// A dispatcher asks whether it may send now.
        case permitRequest(action: ActionID, attempt: AttemptID)
        /// What became of an attempt.
        case outcome(action: ActionID, attempt: AttemptID, outcome: Outcome, detail: String)
    }
}

/// One change in the life of an order.
package struct OrderEvent: Equatable, Sendable {
    package enum Change: UInt8, CaseIterable, Sendable {
        case placed = 0
        case updated, paid, shipped, fulfilled, cancelled, refunded
    }

    package var orderID: String
    package var change: Change
    /// Minor units. Placed and updated: what the order is worth now. Refunded: what is given back; nil = all of it.
    package var revenue: Int64?
    /// ISO 4217, or empty for the installation's currency.
    package var currency: String
    package var lines: [OrderLine]
    package var coupon: String

    package init(
        orderID: String, change: Change, revenue: Int64?, currency: String = "", lines: [OrderLine] = [], coupon: String = ""
    ) {
        self.orderID = orderID
        self.change = change
        self.revenue = revenue
        self.currency = currency
        self.lines = lines
        self.coupon = coupon
    }
}

package struct OrderLine: Equatable, Sendable {
    package var product: Product
    package var quantity: Int64
    /// Minor units for one.
    package var price: Int64

    package init(product: Product, quantity: Int64 = 1, price: Int64 = 0) {
        self.product = product
        self.quantity = quantity
        self.price = price
    }
}

/// A product as events name it; everything but the id may be empty.
package struct Product: Equatable, Hashable, Sendable {
    package var id: String
    package var name: String
    package var category: String
    package var brand: String

    package init(id: String, name: String = "", category: String = "", brand: String = "") {
        self.id = id
        self.name = name
        self.category = category
        self.brand = brand
    }
}

package struct ProductEvent: Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case viewed = 0
        case clicked, addedToCart, removedFromCart, addedToWishlist, removedFromWishlist, reviewed, shared
    }

    package var kind: Kind
    package var product: Product
    package var quantity: Int64
    /// Minor units for one.
    package var price: Int64

    package init(kind: Kind, product: Product, quantity: Int64 = 1, price: Int64 = 0) {
        self.kind = kind
        self.product = product
        self.quantity = quantity
        self.price = price
    }
}

/// What is known of a customer: only what is given is changed.
package struct Identify: Equatable, Sendable {
    /// Name and text, by name ascending; an empty text removes the trait. Known names: `email`, `phone`, `first_name`,
    /// `last_name`, `name`, `birthday` (YYYY-MM-DD), `city`, `time_zone`, `language`.
    package var traits: [Trait]
    package var consents: [Consent]

    package init(traits: [Trait] = [], consents: [Consent] = []) {
        self.traits = traits
        self.consents = consents
    }
}

package struct Trait: Equatable, Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

package struct Consent: Equatable, Hashable, Sendable {
    package var channel: Channel
    package var granted: Bool

    package init(_ channel: Channel, granted: Bool) {
        self.channel = channel
        self.granted = granted
    }
}

/// The ways a message takes. `record` goes nowhere: decided, committed, counted.
package enum Channel: UInt8, CaseIterable, Hashable, Sendable {
    case record = 0
    case email, sms

    package var name: String {
        switch self {
        case .record: "record"
        case .email: "email"
        case .sms: "sms"
        }
    }
}

/// What a customer did with a message.
package struct Engagement: Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case delivered = 0
        case opened, clicked, bounced, markedAsSpam, unsubscribed
    }

    package var kind: Kind
    package var channel: Channel
    /// The action whose message it was, when known.
    package var action: ActionID?

    package init(kind: Kind, channel: Channel = .email, action: ActionID? = nil) {
        self.kind = kind
        self.channel = channel
        self.action = action
    }
}

/// How an attempt to deliver ended, or how an action was closed.
package enum Outcome: UInt8, CaseIterable, Hashable, Sendable {
    /// The provider took it.
    case sent = 0
    /// Not now: another attempt may follow.
    case failedForNow
    /// Never: the provider refused it for good.
    case undeliverable
    /// It may or may not have left; a person decides (I11).
    case uncertain
    /// Decided and counted, delivered nowhere.
    case recorded
    /// Withdrawn before it was sent; the reason stands beside it.
    case withdrawn
    /// The provider was away: nothing was tried, nothing is counted; another attempt may follow.
    case notTried

    package var name: String {
        switch self {
        case .sent: "sent"
        case .failedForNow: "failed for now"
        case .undeliverable: "undeliverable"
        case .uncertain: "uncertain"
        case .recorded: "recorded"
        case .withdrawn: "withdrawn"
        case .notTried: "not tried"
        }
    }
}
