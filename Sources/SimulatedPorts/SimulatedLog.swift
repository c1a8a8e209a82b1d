package import Model
package import Ports

/// One log's content and rules, without faults, waiting or threads.
package struct SimulatedLog {
    /// As JetStream's duplicate window.
    static let windowMilliseconds = 2 * Milliseconds.minute

    package private(set) var first: UInt64 = 1
    package private(set) var records: [LogRecord] = []
    package private(set) var bytes: UInt64 = 0
    package var bytesMax: UInt64?
    private var ids: [String: (sequence: UInt64, written: Instant)] = [:]
    private var idsByAge: [(id: String, written: Instant)] = []
    private var idsForgotten = 0

    package init(bytesMax: UInt64?) { self.bytesMax = bytesMax }

    package var last: UInt64 { first + UInt64(records.count) - 1 }

    package var state: LogState { LogState(first: first, last: last, bytes: bytes, bytesMax: bytesMax) }

    package func record(_ sequence: UInt64) -> LogRecord? {
        guard sequence >= first, sequence <= last else { return nil }
        return records[Int(sequence - first)]
    }

    package func records(from sequence: UInt64, max: Int) -> ArraySlice<LogRecord> {
        guard sequence >= first, sequence <= last else { return [] }
        let start = Int(sequence - first)
        return records[start..<min(start + max, records.count)]
    }

    /// In JetStream's order: size, id, bound, expectation.
    package mutating func append(_ payload: [UInt8], expecting: UInt64?, id: String?, now: Instant, log: LogName) -> Result<
        UInt64, LogError
    > {
        guard payload.count < Limits.messageBytesMax else {
            return .failure(LogError(.tooLarge, "\(log): \(payload.count) bytes, allowed are \(Limits.messageBytesMax)"))
        }
        forgetIDs(now: now)
        if let id, let known = ids[id] { return .success(known.sequence) }
        if let expecting, expecting != last {
            return .failure(LogError(.refused, "\(log): last is \(last), expected was \(expecting)"))
        }
        if let bytesMax, bytes + UInt64(payload.count) > bytesMax {
            return .failure(LogError(.full, "\(log): \(bytes) of \(bytesMax) bytes are taken"))
        }
        let sequence = last + 1
        records.append(LogRecord(sequence: sequence, time: now, payload: payload))
        bytes += UInt64(payload.count)
        if let id {
            ids[id] = (sequence, now)
            idsByAge.append((id, now))
        }
        return .success(sequence)
    }

    package mutating func trim(below sequence: UInt64) {
        let count = Int(min(max(sequence, first), last + 1) - first)
        for record in records.prefix(count) { bytes -= UInt64(record.payload.count) }
        records.removeFirst(count)
        first += UInt64(count)
    }

    /// Takes a record out of the middle, as damage would.
    package mutating func damage(_ sequence: UInt64, _ change: (inout [UInt8]) -> Void) {
        guard sequence >= first, sequence <= last else { return }
        change(&records[Int(sequence - first)].payload)
    }

    /// Forgets the newest records, as a server does that lost its disk's last writes; nobody is told.
    package mutating func loseSuffix(after sequence: UInt64) {
        while last > sequence, let record = records.popLast() { bytes -= UInt64(record.payload.count) }
        ids = ids.filter { $0.value.sequence <= sequence }
    }

    private mutating func forgetIDs(now: Instant) {
        while idsForgotten < idsByAge.count, now - idsByAge[idsForgotten].written >= Self.windowMilliseconds {
            ids.removeValue(forKey: idsByAge[idsForgotten].id)
            idsForgotten += 1
        }
        if idsForgotten > 4096 {
            idsByAge.removeFirst(idsForgotten)
            idsForgotten = 0
        }
    }
}
