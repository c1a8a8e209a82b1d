package import Model

/// Inputs of a shard that wait for their step: read from IN in order, dropped when applied.
package struct InputQueue: Sendable {
    private var records: [LogRecord] = []
    private var head = 0

    package init() {}

    /// Sequence of the newest record ever put in; 0 = none.
    package private(set) var lastSequence: UInt64 = 0
    package var isEmpty: Bool { head == records.count }
    package var count: Int { records.count - head }

    package mutating func append(_ record: LogRecord) {
        records.append(record)
        lastSequence = record.sequence
    }

    package var first: LogRecord? { head < records.count ? records[head] : nil }

    package mutating func removeFirst() {
        head += 1
        if head == records.count {
            records.removeAll(keepingCapacity: true)
            head = 0
        }
    }
}
