import Model

/// The message ids of late, by which a repeat is recognised: bounded by count and by time.
///
/// Two generations: new ids go into the younger; when that is full or old, the older one is forgotten and the younger
/// takes its place. So an id is known for at least half of the bound, at most all of it. Part of the shard's state.
struct MessageWindow: Equatable, Sendable {
    private var younger = Generation()
    private var older = Generation()
    /// When the younger generation began.
    private var began = Instant.distantPast

    init() {}

    /// Whether the id is new; it is known from then on.
    mutating func insert(_ id: UInt128, at now: Instant) -> Bool {
        if younger.count >= Limits.messageWindowCount / 2 || now - began > Limits.messageWindowMilliseconds {
            older = younger
            younger = Generation()
            began = now
        }
        if older.contains(id) { return false }
        return younger.insert(id)
    }

    func write(to writer: inout ByteWriter) {
        writer.instant(began)
        for generation in [younger, older] { writer.list(generation.sorted) { $0.fixed($1) } }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> MessageWindow {
        var window = MessageWindow()
        window.began = try reader.instant()
        window.younger = Generation(try reader.list(max: Limits.messageWindowCount) { r throws(FormatError) in try r.fixed() })
        window.older = Generation(try reader.list(max: Limits.messageWindowCount) { r throws(FormatError) in try r.fixed() })
        return window
    }

    /// A set of ids by open addressing; ids are hashes already. 0 is no id.
    private struct Generation: Equatable, Sendable {
        private var places: [UInt128] = []
        private(set) var count = 0

        init() {}

        init(_ ids: [UInt128]) {
            for id in ids { _ = insert(id) }
        }

        var sorted: [UInt128] { places.filter { $0 != 0 }.sorted() }

        func contains(_ id: UInt128) -> Bool {
            if places.isEmpty { return false }
            var index = Int(truncatingIfNeeded: id) & (places.count - 1)
            while places[index] != 0 {
                if places[index] == id { return true }
                index = (index + 1) & (places.count - 1)
            }
            return false
        }

        mutating func insert(_ id: UInt128) -> Bool {
            if (count + 1) * 2 > places.count { grow() }
            var index = Int(truncatingIfNeeded: id) & (places.count - 1)
            while places[index] != 0 {
                if places[index] == id { return false }
                index = (index + 1) & (places.count - 1)
            }
            places[index] = id
            count += 1
            return true
        }

        private mutating func grow() {
            let old = places
            places = [UInt128](repeating: 0, count: max(64, old.count * 2))
            count = 0
            for id in old where id != 0 { _ = insert(id) }
        }

        static func == (left: Generation, right: Generation) -> Bool { left.sorted == right.sorted }
    }
}
