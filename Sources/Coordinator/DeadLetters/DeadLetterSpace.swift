internal import Logging
internal import Model
internal import Ports

/// Makes room in DEAD: what was replayed or discarded goes, what waits stays.
///
/// A log is trimmed from its beginning only. So what waits in its oldest records is written once more at its end, with a word
/// for each shard up to where it was carried, and then the oldest records are trimmed. A crash in between leaves letters that
/// stand twice under one number, which are one.
struct DeadLetterSpace: Sendable {
    let logs: any LogStore
    let log: Logger

    /// Frees something; false when there is too little that could be freed.
    ///
    /// - Parameters:
    ///   - progress: of the whole log: its end is where the copies are to stand.
    ///   - bound: of the log, bytes.
    func free(_ progress: DeadLetterProgress, bound: UInt64) async throws -> Bool {
        let part = Int(clamping: bound / 100 * Limits.deadMovedPercentMax)
        let first = max(try await logs.state(of: .deadLetters).first, 1)
        let settled = try await settled(from: first, through: progress.sequence)
        guard settled.bytes >= part else { return false }
        var kept: [DeadEntry] = []
        var bytes = 0
        var cut = first - 1
        try await forEach(from: first, through: progress.sequence) { record, entries in
            let waiting = entries.filter { entry in
                if case .setAside(let origin, let event) = entry { return !settled.ids.contains(Self.id(origin, event)) }
                return false
            }
            let size = waiting.reduce(0) { $0 + Self.bytes(of: $1) }
            guard cut < first || bytes + size <= part else { return false }
            kept += waiting
            bytes += size
            cut = record.sequence
            return true
        }
        guard try await write(progress.marks + kept, behind: progress.sequence) else { return true }
        try await logs.trim(.deadLetters, below: cut + 1)
        log.notice(
            "room made among what was set aside",
            metadata: ["trimmedThrough": "\(cut)", "keptEntries": "\(kept.count)", "keptBytes": "\(bytes)"])
        return true
    }

    /// False when somebody else wrote meanwhile: then it is to be looked at again.
    private func write(_ entries: [DeadEntry], behind end: UInt64) async throws -> Bool {
        var rest = entries[...]
        var end = end
        while !rest.isEmpty {
            let count = Self.fitting(Array(rest))
            do throws(LogError) {
                end = try await logs.append(to: .deadLetters, DeadRecord(Array(rest.prefix(count))).encoded(), expecting: end)
            } catch {
                guard error.code == .refused || error.code == .ambiguous else { throw error }
                return false
            }
            rest.removeFirst(count)
        }
        return true
    }

    /// What waits no more, and how many bytes it takes.
    private func settled(
        from first: UInt64, through end: UInt64
    ) async throws -> (ids: Set<DeadLetterID>, bytes: Int) {
        var sizes: [DeadLetterID: Int] = [:]
        var ids: Set<DeadLetterID> = []
        var words = 0
        try await forEach(from: first, through: end) { _, entries in
            for entry in entries {
                switch entry {
                case .setAside(let origin, let event): sizes[Self.id(origin, event), default: 0] += Self.bytes(of: entry)
                case .replayed(let origin, let number): ids.insert(DeadLetterID(shard: origin.shard, number: number))
                case .discarded(let id, _, _): ids.insert(id)
                case .carried: break
                }
                if case .setAside = entry { continue }
                words += Self.bytes(of: entry)
            }
            return true
        }
        return (ids, ids.reduce(words) { $0 + (sizes[$1] ?? 0) })
    }

    /// Calls `body` with each record until it says that this is enough. A record that cannot be read counts as empty.
    private func forEach(
        from first: UInt64, through end: UInt64, _ body: (LogRecord, [DeadEntry]) -> Bool
    ) async throws {
        guard first <= end else { return }
        let reader = try await logs.read(.deadLetters, from: first)
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 16) {
                let entries = (try? DeadRecord.decoded(record.payload))?.entries ?? []
                guard body(record, entries), record.sequence < end else { return }
            }
        }
    }

    private static func id(_ origin: DeadEntryOrigin, _ event: SetAside) -> DeadLetterID {
        DeadLetterID(shard: origin.shard, number: event.number)
    }

    /// About what an entry takes in a record.
    private static func bytes(of entry: DeadEntry) -> Int {
        switch entry {
        case .setAside(_, let event): 100 + event.message.count + event.reason.utf8.count
        case .discarded(_, _, let reason): 40 + reason.utf8.count
        case .replayed, .carried: 40
        }
    }

    /// How many of the entries fit into one record; at least one.
    static func fitting(_ entries: [DeadEntry]) -> Int {
        var total = 0
        for (index, entry) in entries.enumerated() {
            total += bytes(of: entry)
            if index > 0 && total > Limits.deadRecordBytesTarget { return index }
        }
        return entries.count
    }
}
