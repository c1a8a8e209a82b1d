internal import Logging
internal import Model
internal import Ports

/// Carries what commits say of events set aside from LOG to DEAD, where it stays when LOG and IN are trimmed.
///
/// Each entry is named by the commit that says it, and entries of a shard are carried in the order of its commits. Every
/// append states the record of DEAD that it follows: so of several carriers, or of one that crashed and starts over, each
/// entry is written once.
actor DeadLetterCarrier {
    private let logs: any LogStore
    private let log: Logger
    /// What DEAD holds; nil = not read yet. Reading it waits for the first entry: most installations have none.
    private var progress: DeadLetterProgress?

    init(logs: any LogStore, log: Logger) {
        self.logs = logs
        self.log = log
    }

    /// Returns when DEAD holds all of them.
    func carry(_ entries: [DeadEntry]) async throws {
        var rest = entries
        while !rest.isEmpty {
            let progress = try await readOn()
            rest = progress.missing(rest)
            guard !rest.isEmpty else { return }
            let record = DeadRecord(Array(rest.prefix(Self.fitting(rest)))).encoded()
            do throws(LogError) {
                _ = try await logs.append(to: .deadLetters, record, expecting: progress.sequence, id: nil)
            } catch {
                // Another came first, or it is written and nobody said so: what DEAD holds tells.
                guard error.code == .refused || error.code == .ambiguous else { throw error }
            }
        }
    }

    /// How many of the entries fit into one record; at least one.
    private static func fitting(_ entries: [DeadEntry]) -> Int {
        var bytes = 0
        for (index, entry) in entries.enumerated() {
            if case .setAside(_, let event) = entry { bytes += event.message.count + event.reason.utf8.count }
            bytes += 100
            if index > 0 && bytes > Limits.deadRecordBytesTarget { return index }
        }
        return entries.count
    }

    /// Reads DEAD to its end.
    private func readOn() async throws -> DeadLetterProgress {
        let end = try await logs.last(of: .deadLetters)?.sequence ?? 0
        if progress == nil {
            let first = try await logs.state(of: .deadLetters).first
            progress = progress ?? DeadLetterProgress(after: max(first, 1) - 1)
        }
        if let behind = progress?.sequence, behind < end {
            let reader = try await logs.read(.deadLetters, from: behind + 1)
            defer { reader.close() }
            while (progress?.sequence ?? end) < end {
                for record in try await reader.next(max: 64) { take(record) }
            }
        }
        return progress ?? DeadLetterProgress()
    }

    private func take(_ record: LogRecord) {
        // Somebody else has read on meanwhile.
        guard record.sequence == (progress?.sequence ?? 0) + 1 else { return }
        do {
            progress?.add(try DeadRecord.decoded(record.payload), sequence: record.sequence)
        } catch {
            log.error("a record of DEAD cannot be read", metadata: ["sequence": "\(record.sequence)", "error": "\(error)"])
            progress?.add(DeadRecord([]), sequence: record.sequence)
        }
    }
}
