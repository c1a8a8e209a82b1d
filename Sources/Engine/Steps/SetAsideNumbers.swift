import Model

/// Counts what a shard sets aside, and remembers which of it came again: part of the shard's state (I4), so that a replay
/// is taken once however often and however late it is asked for (I7).
struct SetAsideNumbers: Equatable, Sendable {
    /// Set aside so far; also the newest number.
    private(set) var count: UInt64 = 0
    /// Numbers that were replayed, as runs, ascending, not touching each other.
    private var runs: [ClosedRange<UInt64>] = []
    private(set) var replayed: UInt64 = 0

    mutating func next() -> UInt64 {
        count += 1
        return count
    }

    enum Answer { case taken, repeated, full }

    /// A replay of this number comes up.
    mutating func replay(_ number: UInt64) -> Answer {
        guard number >= 1, number <= count else { return .repeated }
        let after = firstRun(above: number)
        if after > 0, runs[after - 1].contains(number) { return .repeated }
        let joinsBefore = after > 0 && runs[after - 1].upperBound + 1 == number
        let joinsAfter = after < runs.count && runs[after].lowerBound - 1 == number
        switch (joinsBefore, joinsAfter) {
        case (true, true):
            runs[after - 1] = runs[after - 1].lowerBound...runs[after].upperBound
            runs.remove(at: after)
        case (true, false): runs[after - 1] = runs[after - 1].lowerBound...number
        case (false, true): runs[after] = number...runs[after].upperBound
        case (false, false):
            guard runs.count < Limits.replayedRangesMax else { return .full }
            runs.insert(number...number, at: after)
        }
        replayed += 1
        return .taken
    }

    /// Index of the first run that begins above the number.
    private func firstRun(above number: UInt64) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].lowerBound > number { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func write(to writer: inout ByteWriter) {
        writer.varint(count)
        writer.list(runs) { writer, run in
            writer.varint(run.lowerBound)
            writer.varint(run.upperBound - run.lowerBound)
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> SetAsideNumbers {
        var numbers = SetAsideNumbers()
        numbers.count = try reader.varint()
        numbers.runs = try reader.list(max: Limits.replayedRangesMax) { r throws(FormatError) in
            let start = r.position
            let lower = try r.varint()
            let (upper, overflow) = lower.addingReportingOverflow(try r.varint())
            guard !overflow else { throw FormatError(.invalid("run of numbers"), at: start) }
            return lower...upper
        }
        numbers.replayed = numbers.runs.reduce(0) { $0 + UInt64($1.count) }
        return numbers
    }
}
