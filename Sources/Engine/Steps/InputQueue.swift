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
    /// Of the payloads that wait.
    package private(set) var bytes = 0

    package mutating func append(_ record: LogRecord) {
        records.append(record)
        bytes += record.payload.count
        lastSequence = record.sequence
    }

    package var first: LogRecord? { head < records.count ? records[head] : nil }

    package mutating func removeFirst() {
        bytes -= records[head].payload.count
        head += 1
        // Now and then, so that what is done with is not kept for as long as something waits.
        if head == records.count || head >= 64 && head * 2 >= records.count {
            records.removeFirst(head)
            head = 0
        }
    }
}
