/// What was set aside and what became of it: the fold of DEAD.
///
///     waiting --its shard took it again--> replayed
///     waiting --a person--> discarded --its shard took it again all the same--> replayed
package struct DeadLetterBook: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case waiting
        /// Taken again in this commit of its shard.
        case replayed(commit: UInt64)
        case discarded(at: Instant, reason: String)
    }

    package struct Letter: Equatable, Sendable {
        package let id: DeadLetterID
        /// The commit that set it aside.
        package let commit: UInt64
        package let event: SetAside
        package var state: State
    }

    private var letters: [DeadLetterID: Letter] = [:]

    package init() {}

    package subscript(id: DeadLetterID) -> Letter? { letters[id] }

    /// All of them, by shard and number.
    package var all: [Letter] { letters.values.sorted { $0.id < $1.id } }

    package mutating func add(_ record: DeadRecord) {
        for entry in record.entries {
            switch entry {
            case .setAside(let origin, let event):
                let id = DeadLetterID(shard: origin.shard, number: event.number)
                letters[id] = letters[id] ?? Letter(id: id, commit: origin.commit, event: event, state: .waiting)
            case .replayed(let origin, let number):
                letters[DeadLetterID(shard: origin.shard, number: number)]?.state = .replayed(commit: origin.commit)
            case .discarded(let id, let time, let reason):
                if letters[id]?.state == .waiting { letters[id]?.state = .discarded(at: time, reason: reason) }
            case .carried: break
            }
        }
    }
}

/// How far each shard's words have been carried from LOG to DEAD: what keeps a second carrier, or one that starts over, from
/// writing them twice.
package struct DeadLetterProgress: Equatable, Sendable {
    /// Sequence in DEAD that has been read to.
    package private(set) var sequence: UInt64
    private var last: [ShardID: DeadEntryOrigin] = [:]

    /// Begins behind `sequence`.
    package init(after sequence: UInt64 = 0) { self.sequence = sequence }

    /// Takes the record behind the last one.
    package mutating func add(_ record: DeadRecord, sequence: UInt64) {
        precondition(sequence == self.sequence + 1, "record \(sequence) of DEAD after \(self.sequence)")
        self.sequence = sequence
        for case let origin? in record.entries.map(\.origin) {
            last[origin.shard] = max(last[origin.shard] ?? origin, origin)
        }
    }

    /// Says all of this in the log itself.
    package var marks: [DeadEntry] { last.values.sorted().map { .carried($0) } }

    /// Those that DEAD does not hold yet.
    package func missing(_ entries: [DeadEntry]) -> [DeadEntry] {
        entries.filter { entry in
            guard let origin = entry.origin else { return true }
            return last[origin.shard].map { origin > $0 } ?? true
        }
    }
}
