package import Model

// What the shard's owner needs to see its messages into the other shards' inputs.

extension Shard {
    /// No message waits for another shard's input.
    package var hasNoMessages: Bool { brain.outbox.count == 0 }
    /// Messages that wait.
    package var messagesWaiting: Int { brain.outbox.count }

    /// Newest counters, by destination, of the messages that steps have sent since the last call.
    package func takeSent() -> [ShardID: UInt64] { brain.outbox.takeFresh() }

    /// Newest counters, by destination, of all that wait.
    package var messagesNewest: [ShardID: UInt64] { brain.outbox.newest }

    /// The next input message for this destination, of messages up to counter `through`, and the counter of its last; nil
    /// when none waits.
    package func messages(to destination: ShardID, through: UInt64) -> (message: InputMessage, last: UInt64)? {
        guard let batch = brain.outbox.batch(to: destination, through: through) else { return nil }
        return (
            .messages(source: id, first: batch.first, bodies: batch.bodies), batch.first + UInt64(batch.bodies.count) - 1
        )
    }
}
