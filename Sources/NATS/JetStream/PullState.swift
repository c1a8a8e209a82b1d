/// A record as a stream keeps it.
package struct StreamRecord: Equatable, Sendable {
    package let sequence: UInt64
    /// When the stream took it, since 1970.
    package let timeNanoseconds: Int64
    package let payload: [UInt8]

    package init(sequence: UInt64, timeNanoseconds: Int64, payload: [UInt8]) {
        self.sequence = sequence
        self.timeNanoseconds = timeNanoseconds
        self.payload = payload
    }
}

/// Why a reader ended by itself.
package enum ReadFailure: Error, Equatable, Sendable {
    case trimmed(first: UInt64)
    case gap(expected: UInt64, found: UInt64)
}

/// What a reader of a stream decides: when to ask for how much, what to keep, when its consumer must be made anew. Pure; the
/// shell performs the actions that come back, in order.
struct PullState {
    /// Bounds of one reader.
    enum Bounds {
        /// A request while the stream holds more than it delivered; its bytes come out of the connection's budget.
        static let catchUpBatch = 8192
        static let catchUpBytes = 4 << 20
        /// A request that waits for new messages. Holds the largest message.
        static let tailBatch = 256
        static let tailBytes = (1 << 20) + (64 << 10)
        /// Above either nothing more is asked for.
        static let bufferedBytes = 4 << 20
        static let bufferedRecords = 16_384
    }

    static let expiry = Duration.seconds(30)
    static let heartbeat = Duration.seconds(1)
    /// Without a sign of life for so long the consumer is taken for lost.
    static let silence = Duration.milliseconds(3500)

    struct Request: Equatable {
        let number: UInt64
        let batch: Int
        /// 0 = no bound.
        let bytesMax: Int
        /// Taken from the connection's budget for it.
        let budget: Int
    }

    enum Action: Equatable {
        case send(Request, consumer: UInt64)
        case takeBudget(Int, consumer: UInt64)
        case giveBudgetBack(Int)
        /// Make a consumer from `wanted` on.
        case establish
        /// A later message came than the wanted one: find out why.
        case examine(found: UInt64)
    }

    /// The next sequence to receive.
    private(set) var wanted: UInt64
    private(set) var consumer: UInt64?
    private(set) var failure: ReadFailure?
    private(set) var closed = false
    private(set) var establishing = true
    private var buffer: [StreamRecord] = []
    private var head = 0
    private var bufferedBytes = 0
    private var outstanding: Request?
    private var left = 0
    private var awaitsBudget = false
    private var oversized = false
    /// Messages behind the last one that was delivered.
    private var backlog: UInt64 = 0
    private var requests: UInt64 = 0
    private var heard = MonotonicTime(nanoseconds: 0)

    init(from sequence: UInt64) { wanted = max(sequence, 1) }

    var isEmpty: Bool { head == buffer.count }
    var hasEnded: Bool { closed || failure != nil }

    mutating func take(max: Int) -> [StreamRecord] {
        let end = min(buffer.count, head + max)
        let taken: [StreamRecord]
        if head == 0 && end == buffer.count {
            taken = buffer
            buffer = []
            head = 0
        } else {
            taken = Array(buffer[head..<end])
            head = end
            if head * 2 > buffer.count {
                buffer.removeFirst(head)
                head = 0
            }
        }
        for record in taken { bufferedBytes -= record.payload.count }
        return taken
    }

    // MARK: What happens

    mutating func established(consumer number: UInt64, pending: UInt64, now: MonotonicTime) -> [Action] {
        guard !hasEnded else { return [] }
        establishing = false
        consumer = number
        backlog = pending
        heard = now
        return ask()
    }

    mutating func received(_ delivery: DeliverySubject, payload: [UInt8], now: MonotonicTime) -> [Action] {
        guard delivery.consumer == consumer, !hasEnded else { return [] }
        heard = now
        left -= 1
        backlog = delivery.pending
        if delivery.sequence > wanted {
            return drop() + [.examine(found: delivery.sequence)]
        }
        if delivery.sequence == wanted {
            buffer.append(
                StreamRecord(sequence: delivery.sequence, timeNanoseconds: delivery.timeNanoseconds, payload: payload))
            bufferedBytes += payload.count
            wanted += 1
        }
        return left == 0 ? finish() + ask() : []
    }

    mutating func received(
        status: Int, _ text: String, consumer number: UInt64, request: UInt64, now: MonotonicTime
    ) -> [Action] {
        guard number == consumer, !hasEnded else { return [] }
        heard = now
        if status == 100 { return [] }
        guard let current = outstanding, current.number == request else { return [] }
        let isOver =
            status == 404 || status == 408
            || status == 409 && (text.contains("MaxBytes") || text.contains("Batch Completed"))
        guard isOver else { return lost() }
        oversized = text.contains("MaxBytes") && left == current.batch
        return finish() + ask()
    }

    /// The budget that was asked for is there.
    mutating func granted(_ bytes: Int, consumer number: UInt64) -> [Action] {
        guard number == consumer, !hasEnded, awaitsBudget else { return [.giveBudgetBack(bytes)] }
        awaitsBudget = false
        // No more than is there: a request that waits for new messages would hold the budget that others wait for.
        return send(batch: Int(min(UInt64(Bounds.catchUpBatch), max(backlog, 1))), bytesMax: bytes, budget: bytes)
    }

    /// The consumer, or the way to it, is gone.
    mutating func lost() -> [Action] {
        guard !hasEnded else { return [] }
        let dropped = drop()
        guard !establishing else { return dropped }
        establishing = true
        return dropped + [.establish]
    }

    mutating func looked(now: MonotonicTime) -> [Action] {
        guard outstanding != nil, now > heard + Self.silence else { return [] }
        return lost()
    }

    mutating func fail(_ error: ReadFailure) -> [Action] {
        guard !hasEnded else { return [] }
        failure = error
        return drop()
    }

    mutating func close() -> [Action] {
        guard !closed else { return [] }
        closed = true
        buffer = []
        head = 0
        return drop()
    }

    // MARK: What follows

    /// Asks for more when nothing is asked for and there is room.
    mutating func ask() -> [Action] {
        guard let consumer, !hasEnded, outstanding == nil, !awaitsBudget,
            bufferedBytes < Bounds.bufferedBytes, buffer.count - head < Bounds.bufferedRecords
        else { return [] }
        if oversized { return send(batch: 1, bytesMax: 0, budget: 0) }
        guard backlog > UInt64(Bounds.tailBatch) else {
            return send(batch: Bounds.tailBatch, bytesMax: Bounds.tailBytes, budget: 0)
        }
        awaitsBudget = true
        return [.takeBudget(Bounds.catchUpBytes, consumer: consumer)]
    }

    private mutating func send(batch: Int, bytesMax: Int, budget: Int) -> [Action] {
        guard let consumer else { return [] }
        requests += 1
        let request = Request(number: requests, batch: batch, bytesMax: bytesMax, budget: budget)
        outstanding = request
        left = batch
        return [.send(request, consumer: consumer)]
    }

    private mutating func finish() -> [Action] {
        guard let request = outstanding else { return [] }
        outstanding = nil
        if left < request.batch { oversized = false }
        return request.budget > 0 ? [.giveBudgetBack(request.budget)] : []
    }

    private mutating func drop() -> [Action] {
        consumer = nil
        awaitsBudget = false
        return finish()
    }
}
