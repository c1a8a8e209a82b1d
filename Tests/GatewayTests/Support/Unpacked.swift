import Gateway
import Model

extension PackedEvents {
    /// The events again, by way of a batch.
    func events() throws -> [Event] {
        guard let first = places.first else { return [] }
        var batch = EventBatchBuilder(base: first.time)
        for place in places { batch.append(place, of: self) }
        guard case .events(let events) = try InputMessage.decoded(batch.finish()) else { return [] }
        return events
    }
}

// What takes packed events, for tests that think of them as values.

extension BatchAssembler {
    mutating func add(_ events: [Event], ticket: Ticket, now: Instant) -> [Action] {
        add(PackedEvents(events), ticket: ticket, now: now)
    }
}

extension Admission {
    func decide(_ events: [Event], now: Instant) -> Decision { decide(PackedEvents(events), now: now) }
}

extension AcceptedEvents {
    mutating func insert(_ events: [Event], now: Instant) { insert(PackedEvents(events), now: now) }

    func contains(_ event: Event) -> Bool { PackedEvents([event]).places.contains { contains($0) } }
}

extension Intake {
    func isBehind(_ events: [Event], now: Instant) -> Bool { isBehind(parts(PackedEvents(events)), now: now) }

    func submit(_ events: [Event]) async -> (any Error)? { await submit(parts(PackedEvents(events))) }
}
