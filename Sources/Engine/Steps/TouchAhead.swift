import Model

// The memory of a million customers is far away, and each step of finding one waits for the one before. What the next
// events need is looked at beforehand, for many events at once, so that the waits overlap. Changes nothing.

extension Shard {
    private static let touchedAtOnce = 32

    /// Reads the next events' headers and looks at what they need. Returns up to which event of the batch.
    func touchAhead(_ reader: inout EventBatchReader) -> Int {
        reader.lookAhead(Self.touchedAtOnce)
        let ahead = reader.ahead
        touched &+= window.touch(ahead) &+ table.touch(ahead, &slotsAhead)
        return reader.index + max(ahead.count, 1)
    }
}
