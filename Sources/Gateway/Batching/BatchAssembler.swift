package import Model
package import Ports

/// Gathers the events of one shard into batches and sees each batch into the log, in order. Pure: it is told the time, and
/// says what to do.
///
/// One batch is on its way at a time; what arrives meanwhile is gathered behind it. So nothing can overtake: a batch whose
/// fate is unclear is offered again under its own id before anything behind it moves, and when it is given up, all that
/// waits behind it is given up too. A request's events therefore stand in the log in their order, without a hole in front
/// of those that are there.
package struct BatchAssembler: Sendable {
    package struct Settings: Equatable, Sendable {
        /// How long the first event of a batch waits for more.
        package var lingerMilliseconds: Int64
        /// A batch of this size leaves at once.
        package var bytesTarget: Int
        package var eventsMax: Int
        /// How long after its first try a batch is offered again.
        package var retryForMilliseconds: Int64
        /// The first pause before another try; it doubles up to the second.
        package var pauseMilliseconds: Int64
        package var pauseMillisecondsMax: Int64

        package init(
            lingerMilliseconds: Int64 = 3, bytesTarget: Int = Limits.batchBytesTarget, eventsMax: Int = Limits.batchEventsMax,
            retryForMilliseconds: Int64 = 10 * Milliseconds.second, pauseMilliseconds: Int64 = 50,
            pauseMillisecondsMax: Int64 = Milliseconds.second
        ) {
            self.lingerMilliseconds = lingerMilliseconds
            self.bytesTarget = bytesTarget
            self.eventsMax = eventsMax
            self.retryForMilliseconds = retryForMilliseconds
            self.pauseMilliseconds = pauseMilliseconds
            self.pauseMillisecondsMax = pauseMillisecondsMax
        }
    }

    /// Names a request; unique among those that wait.
    package typealias Ticket = UInt64

    package enum Action: Equatable, Sendable {
        /// Append these bytes; the id is the batch's number with the gateway's instance. Tell ``finished(_:_:now:)``.
        case append(batch: UInt64, bytes: [UInt8], events: Int)
        /// All of the ticket's events of this shard are in the log (nil), or some are not.
        case settle(Ticket, LogError?)
        /// Call ``wake(now:)`` then, or up to a linger later.
        case linger(until: Instant)
        case retry(at: Instant)
    }

    private struct OpenBatch: Sendable {
        var builder: EventBatchBuilder
        var tickets: [Ticket]
        var due: Instant
        let since: Instant
    }

    private struct SealedBatch: Sendable {
        let number: UInt64
        let bytes: [UInt8]
        let events: Int
        let tickets: [Ticket]
        /// When its first event came.
        let since: Instant
    }

    private struct Flight: Sendable {
        let batch: SealedBatch
        let giveUpAt: Instant
        var pause: Int64
        /// When to try again; nil = the log has not answered yet.
        var retryAt: Instant?
    }

    private let settings: Settings
    private var open: OpenBatch?
    private var queue: [SealedBatch] = []
    private var flight: Flight?
    private var nextNumber: UInt64 = 1
    /// Batches that still hold events of a ticket.
    private var pending: [Ticket: Int] = [:]

    package init(settings: Settings) { self.settings = settings }

    package var isIdle: Bool { pending.isEmpty }

    /// Since when the first of the events that are not in the log has waited; nil = there is none.
    package var oldest: Instant? { flight?.batch.since ?? queue.first?.since ?? open?.since }

    /// Takes a request's events of this shard, at least one, in their order.
    package mutating func add(_ events: PackedEvents, ticket: Ticket, now: Instant) -> [Action] {
        let waitedBefore = open != nil
        for event in events.places {
            var batch =
                open
                ?? OpenBatch(
                    builder: EventBatchBuilder(base: event.time), tickets: [], due: now + settings.lingerMilliseconds,
                    since: now)
            open = nil
            batch.builder.append(event, of: events)
            if batch.tickets.last != ticket {
                batch.tickets.append(ticket)
                pending[ticket, default: 0] += 1
            }
            open = batch
            if batch.builder.byteCount >= settings.bytesTarget || batch.builder.count >= settings.eventsMax { seal() }
        }
        let actions = depart(now: now)
        return waitedBefore && actions.isEmpty ? [] : actions + linger()
    }

    /// An alarm has come.
    package mutating func wake(now: Instant) -> [Action] {
        if let current = flight {
            guard let retryAt = current.retryAt, retryAt <= now else { return [] }
            flight?.retryAt = nil
            return [append(current.batch)]
        }
        return depart(now: now)
    }

    /// What became of an append. An answer to a batch that is not on its way any more is ignored.
    package mutating func finished(_ batch: UInt64, _ result: Result<UInt64, LogError>, now: Instant) -> [Action] {
        guard var current = flight, current.batch.number == batch, current.retryAt == nil else { return [] }
        switch result {
        case .success:
            flight = nil
            return settled(current.batch) + depart(now: now) + linger()
        case .failure(let error):
            let retryAt = now + current.pause
            guard error.mayPass, retryAt < current.giveUpAt else { return giveUp(error) }
            current.pause = min(current.pause * 2, settings.pauseMillisecondsMax)
            current.retryAt = retryAt
            flight = current
            return [.retry(at: retryAt)]
        }
    }

    private mutating func seal() {
        guard let batch = open else { return }
        open = nil
        let events = batch.builder.count
        queue.append(
            SealedBatch(
                number: nextNumber, bytes: batch.builder.finish(), events: events, tickets: batch.tickets, since: batch.since))
        nextNumber += 1
    }

    /// Sends the next batch when none is on its way.
    private mutating func depart(now: Instant) -> [Action] {
        guard flight == nil else { return [] }
        if queue.isEmpty, let batch = open, batch.due <= now { seal() }
        guard !queue.isEmpty else { return [] }
        let batch = queue.removeFirst()
        flight = Flight(
            batch: batch, giveUpAt: now + settings.retryForMilliseconds, pause: settings.pauseMilliseconds, retryAt: nil)
        return [append(batch)]
    }

    /// The alarm for a batch that nothing else will send.
    private func linger() -> [Action] {
        guard flight == nil, let open else { return [] }
        return [.linger(until: open.due)]
    }

    private func append(_ batch: SealedBatch) -> Action { .append(batch: batch.number, bytes: batch.bytes, events: batch.events) }

    private mutating func settled(_ batch: SealedBatch) -> [Action] {
        var actions: [Action] = []
        for ticket in batch.tickets {
            guard let left = pending[ticket] else { preconditionFailure("ticket \(ticket) settled before its last batch") }
            pending[ticket] = left == 1 ? nil : left - 1
            if left == 1 { actions.append(.settle(ticket, nil)) }
        }
        return actions
    }

    private mutating func giveUp(_ error: LogError) -> [Action] {
        let tickets = pending.keys.sorted()
        pending = [:]
        queue = []
        open = nil
        flight = nil
        return tickets.map { .settle($0, error) }
    }
}

extension LogError {
    /// Whether the same record may yet be taken: nothing answered, or nobody was there.
    package var mayPass: Bool { code == .ambiguous || code == .unavailable || code == .refused }
}
