internal import Logging
internal import Model
internal import Ports

/// Notes the ends of all logs until a cut can be vouched for. The installation goes on meanwhile; nothing is asked of it.
struct CutTaker: Sendable {
    let logs: any LogStore
    let shards: [ShardID]
    let log: Logger

    private static let triesMax = 200
    private static let atOnce = 16

    func take() async throws -> Cut {
        for attempt in 1...Self.triesMax {
            if let cut = try await look() { return cut }
            log.debug("No cut could be vouched for; looking again", metadata: ["attempt": "\(attempt)"])
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BackupError(
            "no consistent cut was found in \(Self.triesMax) tries: try again when less is under way, in event-time mode when "
                + "the clock is not told all the while")
    }

    private func look() async throws -> Cut? {
        var ends = LogEnds(commits: [], inputs: [])
        for _ in 0..<LogEnds.rounds {
            ends.commits.append(try await lasts { .commits($0) })
            ends.inputs.append(try await lasts { .input($0) })
        }
        let noted = ends
        do {
            let commits = try await each { index, shard in
                try await records(.commits(shard), noted.commits[0][index], noted.commits[2][index]).map { record in
                    try CommitEntry(Commit.decoded(record.payload).commit)
                }
            }
            let inputs = try await each { index, shard in
                try await records(.input(shard), noted.inputs[0][index], noted.inputs[2][index]).map {
                    InputEntry($0, of: shard)
                }
            }
            return CutFinder(ends: ends, inputs: inputs, commits: commits).find()
        } catch is LogCopy.Trimmed {
            return nil
        }
    }

    private func lasts(_ name: @escaping @Sendable (ShardID) -> LogName) async throws -> [UInt64] {
        try await each { _, shard in try await logs.state(of: name(shard)).last }
    }

    /// Those behind `first` up to `last`. Throws ``LogCopy/Trimmed`` when one was trimmed since they were noted.
    private func records(_ name: LogName, _ first: UInt64, _ last: UInt64) async throws -> [LogRecord] {
        guard last > first else { return [] }
        var records: [LogRecord] = []
        for sequence in first + 1...last {
            guard let record = try await logs.record(sequence, of: name) else {
                if try await logs.state(of: name).first > sequence { throw LogCopy.Trimmed() }
                throw BackupError("\(name): record \(sequence) is missing: the log is damaged")
            }
            records.append(record)
        }
        return records
    }

    /// By shard number.
    private func each<Value: Sendable>(_ body: @escaping @Sendable (Int, ShardID) async throws -> Value) async throws -> [Value] {
        try await AtOnce.map(Array(shards.enumerated()), atMost: Self.atOnce) { try await body($0.offset, $0.element) }
    }
}

/// Runs a bounded number of tasks at once.
enum AtOnce {
    /// In the order of `items`; the first error ends all.
    static func map<Item: Sendable, Value: Sendable>(
        _ items: [Item], atMost: Int, _ body: @escaping @Sendable (Item) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            var values: [Value?] = Array(repeating: nil, count: items.count)
            var next = 0
            func start() {
                guard next < items.count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await body(items[index])) }
            }
            for _ in 0..<atMost { start() }
            while let (index, value) = try await group.next() {
                values[index] = value
                start()
            }
            return values.compactMap { $0 }
        }
    }
}
