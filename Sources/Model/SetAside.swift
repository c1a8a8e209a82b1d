/// What could not be applied, whole enough to be applied later (I7).
package struct SetAside: Equatable, Sendable {
    /// Counts what its shard has set aside, from 1, without gaps.
    package var number: UInt64
    /// Sequence in IN of the message it stood in, and its place there; later ones of that message may be in it too.
    package var inputSequence: UInt64
    package var index: UInt32
    /// When IN took that message.
    package var arrived: Instant
    package var reason: String
    /// The number under which it was set aside before it was replayed; 0 = this is the first time.
    package var replayOf: UInt64
    /// Bytes that there were; more than `message` has = too many to be kept, and to be replayed.
    package var size: UInt32
    /// A message for IN that holds just this; empty for a wake-up, which is none.
    package var message: [UInt8]

    /// Keeps at most ``Limits/setAsideBytesMax`` of `message`.
    package init(
        number: UInt64, inputSequence: UInt64, index: UInt32, arrived: Instant, reason: String, replayOf: UInt64 = 0,
        message: [UInt8] = []
    ) {
        self.number = number
        self.inputSequence = inputSequence
        self.index = index
        self.arrived = arrived
        self.reason = reason
        self.replayOf = replayOf
        size = UInt32(clamping: message.count)
        self.message = message.count > Limits.setAsideBytesMax ? Array(message.prefix(Limits.setAsideBytesMax)) : message
    }

    /// All of it is there, and it is more than a word about a wake-up.
    package var isReplayable: Bool { !message.isEmpty && size == UInt32(clamping: message.count) }
}

extension SetAside {
    package func write(to writer: inout ByteWriter) {
        writer.varint(number)
        writer.varint(inputSequence)
        writer.varint(UInt64(index))
        writer.instant(arrived)
        writer.string(reason)
        writer.varint(replayOf)
        writer.varint(UInt64(size))
        writer.block(message)
    }

    package static func read(_ reader: inout ByteReader) throws(FormatError) -> SetAside {
        var read = SetAside(
            number: try reader.varint(), inputSequence: try reader.varint(), index: try reader.varint32(),
            arrived: try reader.instant(), reason: try reader.string(), replayOf: try reader.varint())
        read.size = try reader.varint32()
        read.message = try reader.block()
        return read
    }
}
