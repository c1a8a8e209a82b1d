internal import CPrefetch
import Model

/// The message ids of late, by which a repeat is recognised: bounded by count and by the time at which they arrived. The
/// time of the events says nothing here: who loads years of history in minutes repeats a request after seconds, too.
///
/// Two generations: new ids go into the younger; when that is full or old, the older one is forgotten and the younger
/// takes its place. So an id is known for at least half of the bound, at most all of it. Part of the shard's state.
struct MessageWindow: Equatable, Sendable {
    private var younger = Generation()
    private var older = Generation()
    /// When the younger generation began.
    var began = Instant.distantPast
    /// How often a generation was forgotten, as far as this object has seen; no part of the state.
    private var turns = 0

    /// How far the window has come, for an object that remembers it.
    struct Mark: Equatable, Sendable {
        fileprivate var turns: Int
        fileprivate var count: Int
    }

    init() {}

    var mark: Mark { Mark(turns: turns, count: younger.ids.count) }
    var count: Int { younger.ids.count + older.ids.count }

    /// Whether the id is new; it is known from then on. `arrived` is the log's time, in both time modes.
    mutating func insert(_ id: UInt128, arrived: Instant) -> Bool {
        if younger.ids.count >= Limits.messageWindowCount / 2 || arrived - began > Limits.messageWindowMilliseconds {
            swap(&older, &younger)
            younger.forget()
            began = arrived
            turns += 1
        }
        if older.contains(id) { return false }
        return younger.insert(id)
    }

    /// Asks for what ``insert(_:arrived:)`` will read for the ids of these events.
    func prefetch(_ events: [EventAhead]) {
        younger.prefetch(events)
        older.prefetch(events)
    }

    static func == (left: MessageWindow, right: MessageWindow) -> Bool {
        left.younger.ids == right.younger.ids && left.older.ids == right.older.ids && left.began == right.began
    }

    /// About what ``chunks(since:)`` would take.
    func bytes(since mark: Mark?) -> Int {
        guard let mark, mark.turns == turns else { return 16 * count }
        return 16 * (younger.ids.count - mark.count)
    }

    /// Chunks of a snapshot: all ids, or those that came behind the mark.
    func chunks(since mark: Mark?) -> [[UInt8]] {
        if let mark, mark.turns == turns {
            return younger.ids.count == mark.count ? [] : [Self.chunk(.moreYoungerIDs, younger.ids[mark.count...])]
        }
        return [Self.chunk(.youngerIDs, younger.ids[...]), Self.chunk(.olderIDs, older.ids[...])]
    }

    private static func chunk(_ kind: SnapshotCapture.Kind, _ ids: ArraySlice<UInt128>) -> [UInt8] {
        var writer = SnapshotCapture.begin(kind, reserving: 16 + ids.count * 16)
        for id in ids { writer.fixed(id) }
        return writer.bytes
    }

    mutating func readYounger(_ reader: inout ByteReader, isAddition: Bool) throws(FormatError) {
        if !isAddition { younger = Generation() }
        try Self.read(&reader, into: &younger)
    }

    mutating func readOlder(_ reader: inout ByteReader) throws(FormatError) {
        older = Generation()
        try Self.read(&reader, into: &older)
    }

    private static func read(_ reader: inout ByteReader, into generation: inout Generation) throws(FormatError) {
        generation.reserve(min(reader.remaining / 16, Limits.messageWindowCount / 2))
        while !reader.isAtEnd {
            let position = reader.position
            guard generation.ids.count < Limits.messageWindowCount / 2, generation.insert(try reader.fixed()) else {
                throw FormatError(.invalid("message id"), at: position)
            }
        }
    }

    /// A set of ids, which are hashes already, in the order in which they came; 0 is no id.
    /// A place has 16 bits for where the id stands.
    private struct Generation: Sendable {
        private(set) var ids: [UInt128] = []
        /// By open addressing: place of the id in `ids` plus one, and above it bits of the id, so that one that is not here is
        /// hardly ever looked at there.
        private var places: [UInt32] = []
        private static let placeMask: UInt32 = 0xffff

        @inline(__always)
        private static func tag(_ id: UInt128) -> UInt32 { UInt32(truncatingIfNeeded: id >> 32) & ~placeMask }

        /// Whether this place leads to the id.
        @inline(__always)
        private func leads(_ place: UInt32, to id: UInt128) -> Bool {
            place & ~Self.placeMask == Self.tag(id) && ids[Int(place & Self.placeMask) - 1] == id
        }

        init() {}

        /// Back to none; the memory is used again, as much as half of the bound takes.
        mutating func forget() {
            ids.removeAll(keepingCapacity: true)
            for place in places.indices { places[place] = 0 }
        }

        mutating func reserve(_ count: Int) {
            ids.reserveCapacity(ids.count + count)
        }

        func contains(_ id: UInt128) -> Bool {
            if places.isEmpty { return false }
            var index = Int(truncatingIfNeeded: id) & (places.count - 1)
            while places[index] != 0 {
                if leads(places[index], to: id) { return true }
                index = (index + 1) & (places.count - 1)
            }
            return false
        }

        func prefetch(_ events: [EventAhead]) {
            unsafe places.withUnsafeBufferPointer { all in
                guard let first = all.baseAddress else { return }
                for event in events {
                    unsafe reprise_prefetch(first + Int(truncatingIfNeeded: event.header.messageID) & (all.count - 1))
                }
            }
        }

        mutating func insert(_ id: UInt128) -> Bool {
            if (ids.count + 1) * 2 > places.count { grow() }
            var index = Int(truncatingIfNeeded: id) & (places.count - 1)
            while places[index] != 0 {
                if leads(places[index], to: id) { return false }
                index = (index + 1) & (places.count - 1)
            }
            ids.append(id)
            precondition(ids.count <= Self.placeMask, "a generation of \(ids.count) message ids")
            places[index] = UInt32(ids.count) | Self.tag(id)
            return true
        }

        private mutating func grow() {
            places = [UInt32](repeating: 0, count: max(64, places.count * 2))
            for (number, id) in ids.enumerated() {
                var index = Int(truncatingIfNeeded: id) & (places.count - 1)
                while places[index] != 0 { index = (index + 1) & (places.count - 1) }
                places[index] = UInt32(number + 1) | Self.tag(id)
            }
        }
    }
}
