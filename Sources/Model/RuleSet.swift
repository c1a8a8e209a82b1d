/// One revision of the installation's configuration, checked and compiled: what every actor decides by.
///
/// Files are read by ConfigurationFiles; this is what stands in the CONFIG log. It holds all that a decision needs, the
/// time zone's transitions too, so that no machine's own data can change a decision (I4).
package struct RuleSet: Equatable, Sendable {
    /// Its sequence in CONFIG; 0 = none applied yet.
    package var revision: UInt64
    /// ISO 4217.
    package var currency: String
    /// Digits of the currency's minor unit: 2 for euro, 0 for yen.
    package var currencyDigits: UInt8
    /// The shop never reports fulfilment: an order counts as fulfilled when it is placed.
    package var fulfilledOnPlaced: Bool
    /// Addresses given without a word on consent may be written to.
    package var consentAssumed: Bool
    package var zone: ZoneTable
    /// Zones of customers whose trait `time_zone` names one of them, by name ascending; everybody else has `zone`.
    package var otherZones: [ZoneTable]
    package var memory: Memory
    package var contactLimits: [ContactLimit]
    package var segments: [Segment]
    /// What the next new segment is numbered.
    package var nextSegmentNumber: UInt16
    /// By priority, highest first; of one priority by name.
    package var rules: [Rule]
    package var templates: [MessageTemplate]

    package init(
        revision: UInt64 = 0, currency: String = "USD", currencyDigits: UInt8 = 2, fulfilledOnPlaced: Bool = false,
        consentAssumed: Bool = false, zone: ZoneTable = .utc, otherZones: [ZoneTable] = [], memory: Memory = .none,
        contactLimits: [ContactLimit] = [], segments: [Segment] = [], rules: [Rule] = [], templates: [MessageTemplate] = []
    ) {
        self.revision = revision
        self.currency = currency
        self.currencyDigits = currencyDigits
        self.fulfilledOnPlaced = fulfilledOnPlaced
        self.consentAssumed = consentAssumed
        self.zone = zone
        self.otherZones = otherZones
        self.memory = memory
        self.contactLimits = contactLimits
        self.segments = segments
        nextSegmentNumber = 0
        self.rules = rules
        self.templates = templates
        numberSegments(after: nil)
    }

    /// Gives every segment the number it had in the revision before, or the next one. False when all have been given.
    @discardableResult
    package mutating func numberSegments(after previous: RuleSet?) -> Bool {
        var known: [String: UInt16] = [:]
        for segment in previous?.segments ?? [] { known[segment.name] = segment.number }
        var next = previous?.nextSegmentNumber ?? 0
        for index in segments.indices {
            if let number = known[segments[index].name] {
                segments[index].number = number
            } else {
                guard next < Segment.unnumbered else { return false }
                segments[index].number = next
                next += 1
            }
        }
        nextSegmentNumber = next
        return true
    }
}

/// A time zone as a table: offsets from UTC and the instants at which they change.
package struct ZoneTable: Equatable, Sendable {
    package struct Transition: Equatable, Sendable {
        package var at: Instant
        /// Seconds east of UTC from then on.
        package var offsetSeconds: Int32

        package init(at: Instant, offsetSeconds: Int32) {
            self.at = at
            self.offsetSeconds = offsetSeconds
        }
    }

    /// As in the tz database, `Europe/Moscow`.
    package var name: String
    /// Seconds east of UTC before the first transition.
    package var initialOffsetSeconds: Int32
    /// Ascending.
    package var transitions: [Transition]

    package init(name: String, initialOffsetSeconds: Int32, transitions: [Transition] = []) {
        self.name = name
        self.initialOffsetSeconds = initialOffsetSeconds
        self.transitions = transitions
    }

    package static let utc = ZoneTable(name: "UTC", initialOffsetSeconds: 0)
}

package struct Rule: Equatable, Sendable {
    package var id: RuleID
    /// Unique, `[a-z0-9-]`: what files and the command line call it.
    package var name: String
    /// For people.
    package var title: String
    package var mechanic: Mechanic
    package var enabled: Bool
    package var goods: Goods
    /// Indices into the rule set's segments: in all of these, in any of these (when not empty), in none of these.
    package var inAll: [UInt16]
    package var inAny: [UInt16]
    package var inNone: [UInt16]
    package var hours: AllowedHours?
    /// How long it may wait for allowed hours, and how long after its decision it may still be sent.
    package var postponeMilliseconds: Int64
    package var action: ActionKind
    package var conversion: Conversion?
    /// How often the rule may act for one customer; nil = for every occasion.
    package var repeatLimit: RateLimit?
    /// The customer expects it: no contact limit holds it back, and it uses none up.
    package var isTransactional: Bool

    package init(
        name: String, title: String = "", mechanic: Mechanic, enabled: Bool = true, goods: Goods = Goods(), inAll: [UInt16] = [],
        inAny: [UInt16] = [], inNone: [UInt16] = [], hours: AllowedHours? = nil,
        postponeMilliseconds: Int64 = 3 * Milliseconds.day, action: ActionKind, conversion: Conversion? = nil,
        repeatLimit: RateLimit? = nil, isTransactional: Bool = false
    ) {
        id = RuleID(name: name)
        self.name = name
        self.title = title.isEmpty ? name : title
        self.mechanic = mechanic
        self.enabled = enabled
        self.goods = goods
        self.inAll = inAll
        self.inAny = inAny
        self.inNone = inNone
        self.hours = hours
        self.postponeMilliseconds = postponeMilliseconds
        self.action = action
        self.conversion = conversion
        self.repeatLimit = repeatLimit
        self.isTransactional = isTransactional
    }
}

/// Local hours in which a message may be sent.
package struct AllowedHours: Equatable, Sendable {
    /// Minutes of the local day, 0..<1440; from inclusive, to exclusive; from > to spans midnight; equal = the whole day.
    package var fromMinute: UInt16
    package var toMinute: UInt16
    /// Bit 0 = Monday … bit 6 = Sunday. Never 0. The day is that on which the span begins.
    package var weekdays: UInt8

    package init(fromMinute: UInt16, toMinute: UInt16, weekdays: UInt8 = 0x7f) {
        self.fromMinute = fromMinute
        self.toMinute = toMinute
        self.weekdays = weekdays
    }
}

package enum ActionKind: Equatable, Sendable {
    /// Decided, committed and counted; delivered nowhere.
    case record
    /// An e-mail made from the template of this name.
    case email(template: String)

    package var channel: Channel {
        switch self {
        case .record: .record
        case .email: .email
        }
    }
}

/// How sales are counted for a rule: new orders within the window after the message was sent go to the first touch.
package struct Conversion: Equatable, Sendable {
    package var windowMilliseconds: Int64

    package init(windowMilliseconds: Int64) { self.windowMilliseconds = windowMilliseconds }
}

/// What a message is made from; the parts are templates.
package struct MessageTemplate: Equatable, Sendable {
    package var name: String
    package var subject: String
    package var text: String
    /// May be empty: a message of text alone.
    package var html: String
    /// `Name <address>` or an address.
    package var from: String

    package init(name: String, subject: String, text: String, html: String = "", from: String) {
        self.name = name
        self.subject = subject
        self.text = text
        self.html = html
        self.from = from
    }
}
