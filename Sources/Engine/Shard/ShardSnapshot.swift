package import Model

// A shard's state as bytes: whole, or what has changed since the part before. Equal states give equal bytes when nothing
// changes while they are captured, which is how a replay is compared with the run (I4).
//
// What belongs to single customers or products is written slot by slot. All other state is small and stands in the chunk of
// kind `state`: a new piece of it is written in `smallState` and read in `readState`.

extension Shard {
    /// Version of the form, as it stands in a snapshot's head.
    package static var snapshotFormat: UInt8 { SnapshotCapture.version }

    /// Begins to capture the state between two steps; the shard may work on meanwhile. Traps while another is under way.
    ///
    /// - Parameter whole: else what has changed since the last one that was written.
    package func beginSnapshot(whole: Bool) {
        precondition(capture == nil, "two captures of one shard")
        let made = makeCapture(whole: whole)
        changed = SlotSet()
        brain.products.beginCapture(made.products)
        capturedWindow = (pending: window.mark, written: capturedWindow.written)
        capture = made
    }

    /// The next chunk, of about ``Limits/snapshotChunkBytes``; nil = complete.
    package func nextSnapshotChunk() -> [UInt8]? {
        for (index, product) in brain.products.takeReplaced() { capture?.write(product, index) }
        return capture?.next(of: self)
    }

    /// Bytes that wait to be fetched.
    package var snapshotBytesWaiting: Int { capture?.waitingBytes ?? 0 }

    /// - Parameter written: whether all chunks are durable; else what they held counts as changed still.
    package func endSnapshot(written: Bool) {
        guard let ended = capture else { return }
        capture = nil
        brain.products.endCapture()
        if written {
            capturedWindow = (pending: nil, written: capturedWindow.pending)
        } else {
            capturedWindow.pending = nil
            changed.formUnion(ended.customers)
            brain.products.changed.formUnion(ended.products)
        }
    }

    /// What a product takes, more or less.
    private static let productBytes = 64

    /// About how many bytes an increment would take, and a whole snapshot.
    package var snapshotEstimate: (increment: Int, whole: Int) {
        let perCustomer = table.count == 0 ? 0 : table.packedBytes / table.count + 12
        return (
            increment: changed.count * perCustomer + brain.products.changed.count * Self.productBytes
                + window.bytes(since: capturedWindow.written),
            whole: table.count * perCustomer + brain.products.products.count * Self.productBytes + window.bytes(since: nil)
        )
    }

    /// The whole state between two steps.
    package func encoded() -> [[UInt8]] {
        var capture = makeCapture(whole: true)
        var chunks: [[UInt8]] = []
        while let chunk = capture.next(of: self) { chunks.append(chunk) }
        return chunks
    }

    private func makeCapture(whole: Bool) -> SnapshotCapture {
        SnapshotCapture(
            isWhole: whole,
            small: [smallState(whole: whole)] + messageChunks() + window.chunks(since: whole ? nil : capturedWindow.written),
            customers: whole ? SlotSet(below: table.count) : changed,
            products: whole ? SlotSet(below: brain.products.products.count) : brain.products.changed)
    }

    /// Messages between shards: all of them in every part, cut where a chunk is full.
    private func messageChunks() -> [[UInt8]] {
        var messages = ByteWriter(reserving: 4096)
        brain.outbox.write(to: &messages)
        inbox.write(to: &messages)
        return stride(from: 0, to: messages.count, by: Limits.snapshotChunkBytes).map { start in
            var writer = SnapshotCapture.begin(.messages)
            writer.bytes += messages.bytes[start..<min(start + Limits.snapshotChunkBytes, messages.count)]
            return writer.bytes
        }
    }

    private func readMessages(_ bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        brain.outbox = try Outbox.read(&reader)
        inbox = try Inbox.read(&reader)
        try reader.finish()
    }

    private func smallState(whole: Bool) -> [UInt8] {
        var writer = SnapshotCapture.begin(.state)
        writer.fixed(id.number)
        writer.byte(timeMode.rawValue)
        writer.bool(whole)
        writer.varint(brain.rules.set.revision)
        writer.varint(inputSequence)
        writer.varint(UInt64(eventsThrough))
        writer.instant(clock)
        setAsideNumbers.write(to: &writer)
        caution.write(to: &writer)
        writer.instant(window.began)
        writer.optional(sweepFrom) { $0.varint(UInt64($1)) }
        writer.list(fresh.sorted()) { $0.fixed($1.number) }
        writer.instant(adoptedAt)
        writer.count(table.count)
        writer.count(brain.products.products.count)
        return writer.bytes
    }
}

/// Reads snapshots.
extension Shard {
    /// The configuration revision that a snapshot was taken under.
    package static func revision(of parts: [[[UInt8]]]) throws(FormatError) -> UInt64 {
        guard let chunk = parts.last?.first else { throw FormatError(.truncated, at: 0) }
        var reader = ByteReader(chunk)
        return try header(&reader).revision
    }

    /// Takes over the state of a snapshot, whose chunks have been compared with their checksums: a whole part, then
    /// increments. This object must be new, with the rules of that revision.
    package func restore(_ parts: [[[UInt8]]]) throws(FormatError) {
        precondition(table.count == 0 && inputSequence == 0, "restoring into a shard in use")
        var identified = SlotSet()
        for (index, part) in parts.enumerated() { try restore(part, isFirst: index == 0, &identified) }
        guard brain.rules.set.revision == (try Self.revision(of: parts)) else { throw FormatError(.invalid("revision"), at: 4) }
        guard table.isComplete, brain.products.isComplete else { throw FormatError(.invalid("a customer is missing"), at: 0) }
        rebuildCalendar()
        try countCustomers(identified)
        changed = SlotSet()
        brain.products.changed = SlotSet()
        capturedWindow = (pending: nil, written: window.mark)
    }

    private func restore(_ chunks: [[UInt8]], isFirst: Bool, _ identified: inout SlotSet) throws(FormatError) {
        guard let first = chunks.first else { throw FormatError(.truncated, at: 0) }
        try readState(first, isFirst: isFirst)
        var messages: [UInt8] = []
        for chunk in chunks.dropFirst() {
            var reader = ByteReader(chunk)
            switch try Self.kind(&reader) {
            case .state: throw FormatError(.invalid("a second state"), at: 2)
            case .youngerIDs: try window.readYounger(&reader, isAddition: false)
            case .moreYoungerIDs: try window.readYounger(&reader, isAddition: true)
            case .olderIDs: try window.readOlder(&reader)
            case .products: while !reader.isAtEnd { try brain.products.restore(&reader) }
            case .customers: while !reader.isAtEnd { try restoreCustomer(&reader, &identified) }
            case .messages: messages += chunk[reader.position...]
            }
        }
        try readMessages(messages)
    }

    private func readState(_ chunk: [UInt8], isFirst: Bool) throws(FormatError) {
        var reader = ByteReader(chunk)
        let header = try Self.header(&reader)
        guard header.id == id, header.timeMode == timeMode else { throw FormatError(.invalid("shard or time mode"), at: 3) }
        guard header.isWhole == isFirst else { throw FormatError(.invalid("order of parts"), at: 8) }
        inputSequence = try reader.varint()
        eventsThrough = try reader.varint32()
        clock = try reader.instant()
        setAsideNumbers = try SetAsideNumbers.read(&reader)
        caution = try Caution.read(&reader)
        window.began = try reader.instant()
        sweepFrom = try reader.optional { r throws(FormatError) in try r.varint32() }
        fresh = Set(try reader.list(max: Limits.rulesMax) { r throws(FormatError) in RuleID(try r.fixed()) })
        adoptedAt = try reader.instant()
        table.extend(to: try reader.count(max: Int(UInt32.max)))
        brain.products.extend(to: try reader.count(max: Limits.productsPerShardMax))
        try reader.finish()
    }

    private func restoreCustomer(_ reader: inout ByteReader, _ identified: inout SlotSet) throws(FormatError) {
        let position = reader.position
        let slot = try reader.varint32()
        guard slot < table.count else { throw FormatError(.invalid("slot \(slot)"), at: position) }
        let due = try reader.bool() ? try reader.signed() : CustomerTable.noWakeUp
        let open = try reader.count(max: Limits.openActionsMax)
        let packed = try table.restore(slot, &reader, wakeUp: due)
        if Profile.hasIdentity(reader.bytes, at: packed.lowerBound + 1 + Int(reader.bytes[packed.lowerBound])) {
            identified.insert(slot)
        } else {
            _ = identified.remove(slot)
        }
        if open > 0 || openActions > 0 { note(open: open, of: slot) }
    }

    /// What is kept beside the customers of who they are; only those with an identity are read for it.
    private func countCustomers(_ identified: SlotSet) throws(FormatError) {
        customers = table.count - identified.count
        doubtful = []
        var packed: [UInt8] = []
        var from = 0
        while let slot = identified.first(from: from) {
            from = Int(slot) + 1
            table.load(slot, into: &packed)
            let keyEnd = 1 + Int(packed[0])
            var reader = ByteReader(packed, in: keyEnd..<packed.count)
            var profile = Profile()
            try profile.unpack(from: &reader)
            if profile.isCustomer { customers += 1 }
            guard let identity = profile.identity else { continue }
            var keyReader = ByteReader(packed, in: 1..<keyEnd)
            note(identity, under: try CustomerKey.read(&keyReader), of: slot)
        }
    }

    private struct Header {
        var id: ShardID
        var timeMode: Installation.TimeMode
        var isWhole: Bool
        var revision: UInt64
    }

    private static func kind(_ reader: inout ByteReader) throws(FormatError) -> SnapshotCapture.Kind {
        try reader.header(SnapshotCapture.magic, SnapshotCapture.version, of: "a shard's snapshot")
        return try reader.choice()
    }

    private static func header(_ reader: inout ByteReader) throws(FormatError) -> Header {
        guard try kind(&reader) == .state else { throw FormatError(.invalid("not a state"), at: 2) }
        return Header(
            id: ShardID(try reader.fixed()), timeMode: try reader.choice(), isWhole: try reader.bool(),
            revision: try reader.varint())
    }
}
