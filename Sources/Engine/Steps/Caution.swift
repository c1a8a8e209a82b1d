package import Model

/// What a shard knows of workers that ended at it: a fold of fences, attempts and steps, and so part of its state (I4).
///
/// What a new owner does follows from how the last one fared:
///
///     none    --ended before its first step--> message
///     message --ended within its first steps--> event
///     event   --ended within its first steps--> event, and, when several ended at one place, that place is set aside
///     any     --gave the shard up, left a last word, or went on for long enough--> none
struct Caution: Equatable, Sendable {
    /// Places that ended a worker and have not come up since, and how many workers each ended; the oldest first.
    private(set) var attempts: [(place: Place, count: UInt32)] = []
    private(set) var takeover = Takeover.first
    /// Steps since that takeover; counted as far as it matters.
    private(set) var steps: UInt32 = 0
    /// Never owned, given up, or its owner said what ended it: there is nothing to be found out by going carefully.
    private(set) var isFree = true
    /// The first thing after the takeover is to be set aside, and has not come up yet.
    private(set) var skipsFirst = false

    /// Nothing is to be set aside now: the usual case, and the only question asked for each event.
    var isCalm: Bool { attempts.isEmpty && !skipsFirst }

    /// How much a commit may hold now.
    var bound: Takeover.Caution { steps < Limits.carefulStepsMax ? takeover.caution : .none }

    /// What the next fence is to say, at this position of the input.
    func next(inputSequence: UInt64, eventsThrough: UInt32) -> Takeover {
        func takeover(_ caution: Takeover.Caution, stalled: UInt32) -> Takeover {
            Takeover(inputSequence: inputSequence, eventsThrough: eventsThrough, stalled: stalled, caution: caution)
        }
        if isFree { return takeover(.none, stalled: 0) }
        let stalled = steps == 0 ? self.takeover.stalled + 1 : 0
        switch bound {
        case .none: return takeover(stalled > 0 ? .message : .none, stalled: stalled)
        // The count begins anew with each kind of caution.
        case .message: return takeover(.event, stalled: 0)
        case .event: return takeover(.event, stalled: stalled)
        }
    }

    mutating func fenced(_ takeover: Takeover) {
        self.takeover = takeover
        isFree = false
        steps = 0
        skipsFirst = takeover.skipsFirst
    }

    mutating func released() { isFree = true }

    mutating func stepped() {
        if steps < Limits.carefulStepsMax { steps += 1 }
    }

    mutating func ended(at place: Place) {
        var count: UInt32 = 1
        if let known = attempts.firstIndex(where: { $0.place == place }) { count += attempts.remove(at: known).count }
        if attempts.count == Limits.attemptsKeptMax { attempts.removeFirst() }
        attempts.append((place, count))
        isFree = true
    }

    /// Whether this is to be set aside now, and how many workers it ended; asked once when it comes up.
    mutating func takeAttempts(at place: Place) -> UInt32? {
        let first = skipsFirst
        skipsFirst = false
        if let known = attempts.firstIndex(where: { $0.place == place }) { return attempts.remove(at: known).count }
        return first ? takeover.stalled : nil
    }

    static func == (left: Caution, right: Caution) -> Bool {
        left.takeover == right.takeover && left.steps == right.steps && left.isFree == right.isFree
            && left.skipsFirst == right.skipsFirst
            && left.attempts.elementsEqual(right.attempts) { $0.place == $1.place && $0.count == $1.count }
    }

    func write(to writer: inout ByteWriter) {
        takeover.write(to: &writer)
        writer.varint(UInt64(steps))
        writer.bool(isFree)
        writer.bool(skipsFirst)
        writer.list(attempts) { writer, attempt in
            attempt.place.write(to: &writer)
            writer.varint(UInt64(attempt.count))
        }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Caution {
        var caution = Caution()
        caution.takeover = try Takeover.read(&reader)
        caution.steps = try reader.varint32()
        caution.isFree = try reader.bool()
        caution.skipsFirst = try reader.bool()
        caution.attempts = try reader.list(max: Limits.attemptsKeptMax) { r throws(FormatError) in
            (try Place.read(&r), try r.varint32())
        }
        return caution
    }
}

extension Shard {
    /// What the fence of a new owner is to say. Between two steps.
    package func nextTakeover() -> Takeover { caution.next(inputSequence: inputSequence, eventsThrough: eventsThrough) }

    /// Takes what a commit says besides its steps, when those have run: of a commit made here as of one that is replayed.
    package func follow(_ kind: Commit.Kind, _ takeover: Takeover?, _ attempt: Attempt?) {
        if let takeover { caution.fenced(takeover) }
        if let attempt { caution.ended(at: attempt.place) }
        if kind.endsOwnership { caution.released() }
    }

    /// How much the next commit may hold.
    package var commitBound: Takeover.Caution { caution.bound }
}
