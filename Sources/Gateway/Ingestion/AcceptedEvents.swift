package import Model

/// Events that are in the log although their request was refused, so that the request can be sent again whole without
/// writing them again. Bounded by number and time: two generations, of which the elder is forgotten. Pure.
package struct AcceptedEvents: Sendable {
    private struct Name: Hashable {
        let message: UInt128
        let customer: UInt64
    }

    private let countMax: Int
    private let ageMax: Int64
    private var younger: Set<Name> = []
    private var elder: Set<Name> = []
    private var began = Instant.distantPast

    /// Remembers at least so many, or those of so many milliseconds, whichever is less.
    package init(countMax: Int = Limits.acceptedEventsMax, ageMax: Int64 = Limits.acceptedEventsMilliseconds) {
        self.countMax = countMax
        self.ageMax = ageMax
    }

    package var isEmpty: Bool { younger.isEmpty && elder.isEmpty }
    package var count: Int { younger.count + elder.count }

    package func contains(_ event: Event) -> Bool {
        guard event.messageID != 0, !isEmpty else { return false }
        let name = Name(message: event.messageID, customer: event.customer.hash)
        return younger.contains(name) || elder.contains(name)
    }

    package mutating func insert(_ events: [Event], now: Instant) {
        for event in events where event.messageID != 0 {
            if younger.count >= countMax || now - began >= ageMax {
                elder = now - began >= 2 * ageMax ? [] : younger
                younger = []
                began = now
            }
            younger.insert(Name(message: event.messageID, customer: event.customer.hash))
        }
    }
}
