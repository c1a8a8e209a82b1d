import Model

// The memory of a million customers is far away, and each step of finding one waits for the one before. What the next
// events need is looked at beforehand, for many events at once, so that the waits overlap. Changes nothing.

/// Hashes of events that come next: of their customers' keys, and their message ids. The memory is used again.
struct HashesAhead {
    private var keys: [UInt64] = []
    private var messages: [UInt64] = []
    /// Whom the table's entries lead to, as far as that can be told without looking at the customers.
    private var slots: [UInt32] = []

    /// Looks at what the next events need; returns how many events, and a number made of what stands there.
    mutating func touch(
        _ most: Int, of reader: EventBatchReader, _ table: CustomerTable, _ window: MessageWindow
    ) -> (count: Int, sum: UInt64) {
        reader.hashesAhead(most, keys: &keys, messages: &messages)
        return (keys.count, table.touch(keys, &slots) &+ window.touch(messages))
    }
}

extension Shard {
    private static let touchedAtOnce = 32

    /// Looks at what the next events need. Returns up to which event of the batch.
    func touchAhead(_ reader: EventBatchReader) -> Int {
        let (count, sum) = ahead.touch(Self.touchedAtOnce, of: reader, table, window)
        touched &+= sum
        return reader.index + max(count, 1)
    }
}
