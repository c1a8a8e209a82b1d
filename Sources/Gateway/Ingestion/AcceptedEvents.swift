package import Model

/// Events that are in the log although their request was refused, so that the request can be sent again whole without
/// writing them again. Bounded by number and time: two generations, of which the elder is forgotten. Pure.
package struct AcceptedEvents: Sendable {
    private struct Name: Hashable {
        let message: Halves
        let customer: UInt64

        init(_ event: PackedEvents.Place) {
            message = event.message
            customer = event.customer
        }
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

    package func contains(_ event: PackedEvents.Place) -> Bool {
        guard event.message.value != 0, !isEmpty else { return false }
        let name = Name(event)
        return younger.contains(name) || elder.contains(name)
    }

    package mutating func insert(_ events: PackedEvents, now: Instant) {
        for event in events.places where event.message.value != 0 {
            if younger.count >= countMax || now - began >= ageMax {
                elder = now - began >= 2 * ageMax ? [] : younger
                younger = []
                began = now
            }
            younger.insert(Name(event))
        }
    }
}
