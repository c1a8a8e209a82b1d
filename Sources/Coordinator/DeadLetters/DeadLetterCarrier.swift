internal import Logging
internal import Model
internal import Ports

/// Carries what commits say of events set aside from LOG to DEAD, where it stays when LOG and IN are trimmed.
///
/// Each entry is named by the commit that says it, and entries of a shard are carried in the order of its commits. Every
/// append states the record of DEAD that it follows: so of several carriers, or of one that crashed and starts over, each
/// entry is written once.
///
///     taking --near the bound, and enough is settled--> room is made --> taking
///     taking --near the bound, nearly all of it waits--> full: nothing is written or passed over
///     full --somebody settles some--> taking
actor DeadLetterCarrier {
    private let logs: any LogStore
    private let log: Logger
    /// What DEAD holds; nil = not read yet. Reading it waits for the first entry: most installations have none.
    private var progress: DeadLetterProgress?
    private let space: DeadLetterSpace
    /// Where DEAD ended when nothing more could be freed.
    private var fullAt: UInt64?

    init(logs: any LogStore, log: Logger) {
        self.logs = logs
        self.log = log
        space = DeadLetterSpace(logs: logs, log: log)
    }

    /// Returns when DEAD holds all of them.
    func carry(_ entries: [DeadEntry]) async throws {
        var rest = entries
        while !rest.isEmpty {
            let progress = try await readOn()
            rest = progress.missing(rest)
            guard !rest.isEmpty else { return }
            let part = Array(rest.prefix(DeadLetterSpace.fitting(rest)))
            let record = DeadRecord(part).encoded()
            if part.contains(where: \.isLetter) {
                try await makeRoom(for: record.count)
                // Making room writes too.
                guard self.progress?.sequence == progress.sequence else { continue }
            }
            do throws(LogError) {
                _ = try await logs.append(to: .deadLetters, record, expecting: progress.sequence, id: nil)
            } catch {
                // Another came first, or it is written and nobody said so: what DEAD holds tells.
                guard error.code == .refused || error.code == .ambiguous else { throw error }
            }
        }
    }

    /// Letters are taken up to a share of the bound. Above it there is room for what settles them, and for making room.
    private func makeRoom(for bytes: Int) async throws {
        while true {
            let state = try await logs.state(of: .deadLetters)
            guard let bound = state.bytesMax, state.bytes + UInt64(bytes) > bound / 100 * Limits.deadFillPercentMax else {
                return
            }
            let progress = try await readOn()
            // Looking through all of it again helps only when somebody has settled something since.
            if fullAt != progress.sequence, try await space.free(progress, bound: bound) { continue }
            fullAt = try await readOn().sequence
            throw LogError(
                .full,
                "DEAD holds \(state.bytes) of \(bound) bytes of events that were set aside and wait: replay or discard some, "
                    + "see `reprise dead list`")
        }
    }

    /// Reads DEAD to its end.
    private func readOn() async throws -> DeadLetterProgress {
        let end = try await logs.last(of: .deadLetters)?.sequence ?? 0
        if progress == nil {
            let first = try await logs.state(of: .deadLetters).first
            progress = progress ?? DeadLetterProgress(after: max(first, 1) - 1)
        }
        if let behind = progress?.sequence, behind < end {
            do {
                let reader = try await logs.read(.deadLetters, from: behind + 1)
                defer { reader.close() }
                while (progress?.sequence ?? end) < end {
                    for record in try await reader.next(max: 64) { take(record) }
                }
            } catch let error as LogError {
                // Another made room: what stands behind says how far each shard was carried.
                guard case .trimmed(let first) = error.code else { throw error }
                progress = DeadLetterProgress(after: first - 1)
                return try await readOn()
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
