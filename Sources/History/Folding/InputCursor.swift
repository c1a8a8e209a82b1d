internal import Model
internal import Ports

/// Reads one IN as far as the steps say, each record once. Used by one task.
struct InputCursor {
    private let logs: any LogStore
    private let name: LogName
    private var reader: (any LogReader)?
    private var waiting: [LogRecord] = []
    /// The record that is read next.
    private var next: UInt64
    /// Records that were trimmed before they were read, since the last `takeGaps`.
    private var gaps: [HistoryGap] = []

    init(_ logs: any LogStore, shard: ShardID, from: UInt64) {
        self.logs = logs
        name = .input(shard)
        next = from
    }

    mutating func takeGaps() -> [HistoryGap] {
        defer { gaps = [] }
        return gaps
    }

    /// The records `first` to `last` that are there; waits for those that are still to come. `last` stays for the next step,
    /// which may read on in it.
    mutating func records(_ first: UInt64, through last: UInt64) async throws -> [LogRecord] {
        waiting.removeAll { $0.sequence < first }
        while next <= last {
            do {
                let reader = try await open()
                let more = try await reader.next(max: 64)
                waiting += more
                if let newest = more.last { next = newest.sequence + 1 }
            } catch let error as LogError {
                close()
                guard case .trimmed(let found) = error.code, found > next else { throw error }
                gaps.append(HistoryGap(log: name.description, first: next, last: found - 1))
                next = found
            }
        }
        return waiting.filter { $0.sequence <= last }
    }

    private mutating func open() async throws -> any LogReader {
        if let reader { return reader }
        let opened = try await logs.read(name, from: next)
        reader = opened
        return opened
    }

    mutating func close() {
        reader?.close()
        reader = nil
    }
}
