import Model

/// The messages of a shard that other shards' inputs do not have for certain yet. Part of the shard's state.
///
///     sent (an effect in a commit) --the commit is acknowledged--> leaves, again and again
///         --the destination's IN has acknowledged it, and a step was told so--> forgotten
///
/// What stands in the destination's IN is as safe as an event that was accepted, and stands there in order: so nothing
/// comes back from the destination, and how far behind it is holds nobody up.
struct Outbox: Equatable, Sendable {
    private struct Lane: Equatable, Sendable {
        /// The destination's input has all messages up to this counter.
        var delivered: UInt64 = 0
        var waiting: [[UInt8]] = []

        var last: UInt64 { delivered + UInt64(waiting.count) }
    }

    private var lanes: [ShardID: Lane] = [:]
    private(set) var count = 0
    private(set) var byteCount = 0
    /// Newest counters by destination that no caller has been told of. Not state: of use to who commits.
    private(set) var fresh: [ShardID: UInt64] = [:]

    init() {}

    static func == (left: Outbox, right: Outbox) -> Bool { left.lanes == right.lanes }

    /// Full: no input is taken until some are delivered. One event or message more always fits.
    var isFull: Bool { count >= Limits.outboxMessagesMax || byteCount >= Limits.outboxBytesMax }

    /// Puts a message behind the others; returns its counter.
    mutating func add(_ body: [UInt8], to destination: ShardID) -> UInt64 {
        var lane = lanes.removeValue(forKey: destination) ?? Lane()
        lane.waiting.append(body)
        lanes[destination] = lane
        count += 1
        byteCount += body.count
        fresh[destination] = lane.last
        return lane.last
    }

    /// The destination's input has all up to this counter. False when that was known.
    mutating func delivered(to destination: ShardID, through counter: UInt64) -> Bool {
        guard var lane = lanes[destination], counter > lane.delivered else { return false }
        let gone = min(Int(counter - lane.delivered), lane.waiting.count)
        for body in lane.waiting.prefix(gone) { byteCount -= body.count }
        lane.waiting.removeFirst(gone)
        lane.delivered += UInt64(gone)
        count -= gone
        lanes[destination] = lane
        return gone > 0
    }

    /// Those that wait for this destination, from counter `from` to `through`, as many as an input message takes; at least
    /// one where there is one.
    func batch(to destination: ShardID, through: UInt64) -> (first: UInt64, bodies: [[UInt8]])? {
        guard let lane = lanes[destination], !lane.waiting.isEmpty, lane.delivered < through else { return nil }
        var bytes = 0
        var bodies: [[UInt8]] = []
        for body in lane.waiting.prefix(Int(min(through - lane.delivered, UInt64(Limits.batchEventsMax)))) {
            if !bodies.isEmpty && bytes + body.count > Limits.batchBytesTarget { break }
            bytes += body.count + 4
            bodies.append(body)
        }
        return (lane.delivered + 1, bodies)
    }

    mutating func takeFresh() -> [ShardID: UInt64] {
        defer { fresh = [:] }
        return fresh
    }

    /// Newest counters of all destinations for which messages wait.
    var newest: [ShardID: UInt64] { lanes.filter { !$0.value.waiting.isEmpty }.mapValues(\.last) }

    func write(to writer: inout ByteWriter) {
        writer.list(lanes.sorted { $0.key < $1.key }) { writer, entry in
            writer.fixed(entry.key.number)
            writer.varint(entry.value.delivered)
            writer.list(entry.value.waiting) { $0.block($1) }
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Outbox {
        var outbox = Outbox()
        for _ in 0..<(try reader.count(max: Limits.shardsMax)) {
            let destination = ShardID(try reader.fixed())
            let lane = Lane(
                delivered: try reader.varint(), waiting: try reader.list { r throws(FormatError) in try r.block() })
            outbox.count += lane.waiting.count
            outbox.byteCount += lane.waiting.reduce(0) { $0 + $1.count }
            outbox.lanes[destination] = lane
        }
        return outbox
    }
}
