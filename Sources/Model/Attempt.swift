/// What a shard was at when its worker ended: the same on whichever worker it comes up again.
package enum Place: Codable, Hashable, Sendable, CustomStringConvertible {
    /// An event by its message's sequence in IN and its place there.
    case event(inputSequence: UInt64, index: UInt32)
    /// What one customer had due: the instant, and the customer's slot in the shard.
    case wakeUp(due: Instant, slot: UInt32)

    package var description: String {
        switch self {
        case .event(let sequence, let index): "event \(index) of input \(sequence)"
        case .wakeUp(let due, let slot): "wake-up of slot \(slot) at \(due.milliseconds) ms"
        }
    }
}

/// The last word of a worker that ended while it applied this. Whoever owns the shard next sets it aside.
package struct Attempt: Equatable, Sendable {
    package var place: Place
    /// The signal that ended it.
    package var signal: UInt8

    package init(place: Place, signal: UInt8) {
        self.place = place
        self.signal = signal
    }
}

/// What a new owner's fence says of how it found the shard, so that one whose owners end one after another goes on more and
/// more carefully.
package struct Takeover: Equatable, Sendable {
    /// How much one commit may hold, so that where the log ends tells what ended its owner.
    package enum Caution: UInt8, CaseIterable, Sendable {
        /// As much as the limits allow.
        case none = 0
        /// One message of IN.
        case message
        /// One event or wake-up.
        case event
    }

    /// Where the input stood.
    package var inputSequence: UInt64
    package var eventsThrough: UInt32
    /// Owners in a row that ended, not having given the shard up, before they had committed a step.
    package var stalled: UInt32
    package var caution: Caution

    package init(inputSequence: UInt64, eventsThrough: UInt32, stalled: UInt32, caution: Caution) {
        self.inputSequence = inputSequence
        self.eventsThrough = eventsThrough
        self.stalled = stalled
        self.caution = caution
    }

    /// Of a shard that nobody has owned.
    package static let first = Takeover(inputSequence: 0, eventsThrough: 0, stalled: 0, caution: .none)

    /// Several owners that went event by event ended at this very place: what comes first now is set aside.
    package var skipsFirst: Bool { caution == .event && stalled >= Limits.stalledTakeoversMax }
}

extension Place {
    package func write(to writer: inout ByteWriter) {
        switch self {
        case .event(let sequence, let index):
            writer.byte(0)
            writer.varint(sequence)
            writer.varint(UInt64(index))
        case .wakeUp(let due, let slot):
            writer.byte(1)
            writer.instant(due)
            writer.varint(UInt64(slot))
        }
    }

    package static func read(_ reader: inout ByteReader) throws(FormatError) -> Place {
        let start = reader.position
        switch try reader.byte() {
        case 0: return .event(inputSequence: try reader.varint(), index: try reader.varint32())
        case 1: return .wakeUp(due: try reader.instant(), slot: try reader.varint32())
        default: throw FormatError(.invalid("place"), at: start)
        }
    }
}

extension Attempt {
    package func write(to writer: inout ByteWriter) {
        place.write(to: &writer)
        writer.byte(signal)
    }

    package static func read(_ reader: inout ByteReader) throws(FormatError) -> Attempt {
        Attempt(place: try Place.read(&reader), signal: try reader.byte())
    }
}

extension Takeover {
    package func write(to writer: inout ByteWriter) {
        writer.varint(inputSequence)
        writer.varint(UInt64(eventsThrough))
        writer.varint(UInt64(stalled))
        writer.byte(caution.rawValue)
    }

    package static func read(_ reader: inout ByteReader) throws(FormatError) -> Takeover {
        Takeover(
            inputSequence: try reader.varint(), eventsThrough: try reader.varint32(), stalled: try reader.varint32(),
            caution: try reader.choice())
    }
}
