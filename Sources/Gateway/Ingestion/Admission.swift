package import Model
internal import Synchronization

/// Which of a request's events may go on: a customer that sends too fast is held up, and nobody else. Any thread.
///
/// A request holds events of many customers, and its sender repeats it whole or not at all. So:
///
/// - nobody too fast: all go on;
/// - somebody too fast, and all the others' events have message ids: theirs go on, the request is answered 429 all the
///   same, and when it comes again those that are in the log are left out here (or, at another gateway, known to their
///   shard by their ids);
/// - somebody too fast, and an event of another without an id, which could not be known again: nothing goes on.
///
/// A customer's events of one request go on together or not at all: their order is kept.
package final class Admission: Sendable {
    package struct Decision: Equatable, Sendable {
        /// To be written; those that stand in the log already are not among them.
        package var events: PackedEvents
        /// What the request must be answered although they are written; nil = it goes on whole.
        package var refusal: Refusal?
    }

    private let state: Mutex<(pace: CustomerPace, accepted: AcceptedEvents)>

    package init(_ settings: CustomerPace.Settings) { state = Mutex((CustomerPace(settings), AcceptedEvents())) }

    package func decide(_ all: PackedEvents, now: Instant) -> Decision {
        state.withLock { state in
            let events = state.accepted.isEmpty ? all : all.filter { !state.accepted.contains($0) }
            guard state.pace.isLimited else { return Decision(events: events, refusal: nil) }
            let customers = Self.counted(events)
            var wait: Int64 = 0
            var hot: Set<UInt64> = []
            for (customer, count) in customers {
                let longer = state.pace.wait(customer, count, now: now)
                guard longer > 0 else { continue }
                hot.insert(customer)
                wait = max(wait, longer)
            }
            let others = hot.isEmpty ? events : events.filter { !hot.contains($0.customer) }
            if !hot.isEmpty && others.places.contains(where: { $0.message.value == 0 }) {
                return Decision(events: PackedEvents(), refusal: Self.refusal(wait, held: events.count))
            }
            for (customer, count) in customers where !hot.contains(customer) { state.pace.charge(customer, count, now: now) }
            return Decision(
                events: others, refusal: hot.isEmpty ? nil : Self.refusal(wait, held: events.count - others.count))
        }
    }

    /// Each customer once, and how many of the events are its own.
    private static func counted(_ events: PackedEvents) -> [(customer: UInt64, events: Int)] {
        let customers = events.places.map(\.customer).sorted()
        var counts: [(customer: UInt64, events: Int)] = []
        counts.reserveCapacity(customers.count)
        for customer in customers {
            if let last = counts.indices.last, counts[last].customer == customer {
                counts[last].events += 1
            } else {
                counts.append((customer, 1))
            }
        }
        return counts
    }

    /// These are in the log, and their request was refused because of others.
    package func remember(_ events: PackedEvents, now: Instant) { state.withLock { $0.accepted.insert(events, now: now) } }

    private static func refusal(_ wait: Int64, held: Int) -> Refusal {
        Refusal(
            429, "customer_too_fast", "\(held) events were not taken: a customer sends more than is allowed; send it all again",
            retryAfterSeconds: Int(min(max((wait + 999) / 1000, 1), 120)))
    }
}
