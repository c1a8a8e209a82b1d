/// Events in their binary form, one behind the other, and beside each what is needed to place it: a request's events on
/// their way into batches. A value type; parts of it share its bytes.
package struct PackedEvents: Equatable, Sendable {
    /// One event of them.
    package struct Place: Equatable, Sendable {
        /// Hash of the customer's key.
        package let customer: UInt64
        /// As ``Event/messageID``.
        package let message: Halves
        package let time: Instant
        /// Where kind and flags stand, and behind them all but the time.
        fileprivate let start: Int
        fileprivate let end: Int
    }

    private var writer: ByteWriter
    package private(set) var places: [Place]

    package init(reservingEvents events: Int = 0) {
        writer = ByteWriter(reserving: events * 96)
        places = []
        places.reserveCapacity(events)
    }

    package init(_ events: [Event]) {
        self.init(reservingEvents: events.count)
        for event in events { append(event) }
    }

    package var count: Int { places.count }
    package var isEmpty: Bool { places.isEmpty }

    package mutating func append(_ event: Event) {
        let start = writer.count
        event.writeHead(to: &writer)
        event.writeRest(to: &writer)
        places.append(
            Place(
                customer: event.customer.hash, message: Halves(event.messageID), time: event.time, start: start,
                end: writer.count))
    }

    /// Appends an event whose parts are written already.
    ///
    /// - Parameters:
    ///   - messageID: 0 = none.
    ///   - key: the customer's.
    ///   - identifiers: a list of them in its binary form; empty = there are none.
    ///   - body: of that kind, in its binary form.
    package mutating func append(
        _ kind: EventKind, messageID: UInt128, time: Instant, key: ByteWriter, identifiers: ByteWriter, body: ByteWriter
    ) {
        let start = writer.count
        EventHeader.writeHead(kind, hasMessageID: messageID != 0, hasIdentifiers: identifiers.count > 0, to: &writer)
        if messageID != 0 { writer.fixed(messageID) }
        writer.block(key.bytes)
        if identifiers.count > 0 { writer.block(identifiers.bytes) }
        writer.block(body.bytes)
        places.append(
            Place(
                customer: Hashing.hash64(key.bytes), message: Halves(messageID), time: time, start: start, end: writer.count))
    }

    /// Those for which `isKept` says so, in their order.
    package func filter(_ isKept: (Place) -> Bool) -> PackedEvents {
        var part = self
        part.places = places.filter(isKept)
        return part
    }

    /// The events of each shard that has some, in their order; the shards ascending.
    package func parts(_ map: ShardMap) -> [(shard: ShardID, events: PackedEvents)] {
        guard let first = places.first else { return [] }
        guard places.count > 1 else { return [(map.shard(hash: first.customer), self)] }
        var counts = [Int](repeating: 0, count: map.shards)
        for place in places { counts[Int(map.shard(hash: place.customer).number)] += 1 }
        var parts: [(shard: ShardID, events: PackedEvents)] = []
        // What was the shard's count becomes its part's index.
        for shard in counts.indices where counts[shard] > 0 {
            var part = self
            part.places = []
            part.places.reserveCapacity(counts[shard])
            counts[shard] = parts.count
            parts.append((ShardID(index: shard), part))
        }
        for place in places { parts[counts[Int(map.shard(hash: place.customer).number)]].events.places.append(place) }
        return parts
    }

    /// Writes an event as it stands in a batch.
    func write(_ place: Place, to batch: inout ByteWriter, base: Instant) {
        let bodyStart = place.start + 2
        batch.byte(writer.bytes[place.start])
        batch.byte(writer.bytes[place.start + 1])
        batch.instant(place.time, after: base)
        batch.bytes.append(contentsOf: writer.bytes[bodyStart..<place.end])
    }

    /// Whether they are the same events, however their bytes are shared.
    package static func == (left: PackedEvents, right: PackedEvents) -> Bool {
        left.count == right.count
            && zip(left.places, right.places).allSatisfy { mine, other in
                mine.time == other.time
                    && left.writer.bytes[mine.start..<mine.end] == right.writer.bytes[other.start..<other.end]
            }
    }
}
