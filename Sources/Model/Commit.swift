/// One record of a shard's LOG: every step since the record before, whole or not at all (I3).
///
/// Form: magic, version, header, steps, XXH3-128 of all before. The header holds the hash of the commit before, so the
/// hashes form a chain that shows a lost or exchanged record.
package struct Commit: Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// Steps of the owner.
        case steps = 0
        /// First record of a new owner: no steps, an epoch one higher. From here on the old owner's commits are refused.
        case fence
        /// Last record of an owner that gives the shard up as planned.
        case released
        /// The same, where the brain may change: a snapshot of this very commit was written before it.
        case releasePoint
        /// First record of a new owner whose brain is another than that of the records before, and which took their effects
        /// as the truth. Its step brings the sums up to the state; a snapshot of this very commit was written before it.
        case trusted
        /// The last word of an owner that ended while it applied something: no steps, its own epoch.
        case attempt

        /// The first record of an epoch, one higher than that of the record before.
        package var beginsEpoch: Bool { self == .fence || self == .trusted }
        /// The last record of an owner that gave the shard up: it is free.
        package var endsOwnership: Bool { self == .released || self == .releasePoint }
    }

    package var kind: Kind
    package var shard: ShardID
    /// Rises by one with each owner; the first is 1.
    package var epoch: UInt64
    /// Counts the shard's commits from 1, without gaps, over all epochs. Equal to its sequence in the LOG stream.
    package var number: UInt64
    /// Hash of commit `number - 1`; 0 before the first.
    package var previousHash: UInt128 {
        get { previousHalves.value }
        set { previousHalves = Halves(newValue) }
    }
    private var previousHalves: Halves
    /// Which version of the deciding code wrote it.
    package var brain: UInt32
    /// Name of the owner, for people.
    package var owner: String
    /// Of the first record of an epoch: how its owner found the shard.
    package var takeover: Takeover?
    /// Of an attempt: what ended the owner.
    package var attempt: Attempt?
    package var steps: [Step]

    package init(
        kind: Kind, shard: ShardID, epoch: UInt64, number: UInt64, previousHash: UInt128, brain: UInt32, owner: String,
        takeover: Takeover? = nil, attempt: Attempt? = nil, steps: [Step] = []
    ) {
        self.kind = kind
        self.shard = shard
        self.epoch = epoch
        self.number = number
        previousHalves = Halves(previousHash)
        self.brain = brain
        self.owner = owner
        self.takeover = takeover
        self.attempt = attempt
        self.steps = steps
    }
}

/// A bounded piece of a shard's work and what it decided.
///
/// Replaying: adopt `configuration`; apply the events of input `inputSequence` up to `eventsThrough` (from where the step
/// before stopped); set the clock; run `wakeUps` due wake-ups, then `lateWakeUps` late ones; bring `swept` customers up to the
/// configuration. The effects must come out as recorded.
package struct Step: Equatable, Sendable {
    /// Sequence in IN of the message this step read last; 0 = none yet.
    package var inputSequence: UInt64
    /// Events of that message applied so far. Messages before it are applied in whole.
    package var eventsThrough: UInt32
    /// The shard's clock after the step; never goes back.
    package var clock: Instant
    /// Wake-ups that the clock made due and this step ran, apart from those that ran before an event of their customer.
    package var wakeUps: UInt32
    /// Customers woken whose wake-ups were further behind the clock than ``Limits/lateMilliseconds``.
    package var lateWakeUps: UInt32
    /// Customers that were brought up to the configuration, in their order in the shard.
    package var swept: UInt32
    package var configuration: UInt64
    /// Effects in order, each as ``Effect`` writes itself.
    package var effects: [UInt8]

    package init(
        inputSequence: UInt64, eventsThrough: UInt32, clock: Instant, wakeUps: UInt32, lateWakeUps: UInt32 = 0,
        swept: UInt32 = 0, configuration: UInt64, effects: [UInt8]
    ) {
        self.inputSequence = inputSequence
        self.eventsThrough = eventsThrough
        self.clock = clock
        self.wakeUps = wakeUps
        self.lateWakeUps = lateWakeUps
        self.swept = swept
        self.configuration = configuration
        self.effects = effects
    }

    /// Decodes all effects.
    package func decodedEffects() throws(FormatError) -> [Effect] {
        var reader = ByteReader(effects)
        var decoded: [Effect] = []
        while !reader.isAtEnd { decoded.append(try Effect.read(&reader)) }
        return decoded
    }
}

/// A commit as it stands in the log: its bytes and the hash at their end.
package struct EncodedCommit: Equatable, Sendable {
    package let bytes: [UInt8]
    private let halves: Halves

    init(bytes: [UInt8], hash: UInt128) {
        self.bytes = bytes
        halves = Halves(hash)
    }

    package var hash: UInt128 { halves.value }
}

extension Commit {
    static let magic: UInt8 = 0xC1
    static let version: UInt8 = 4

    package func encoded() -> EncodedCommit {
        var writer = ByteWriter(reserving: 128 + steps.reduce(0) { $0 + $1.effects.count + 32 })
        writer.byte(Self.magic)
        writer.byte(Self.version)
        writer.byte(kind.rawValue)
        writer.fixed(shard.number)
        writer.varint(epoch)
        writer.varint(number)
        writer.fixed(previousHash)
        writer.varint(UInt64(brain))
        writer.string(owner)
        writer.optional(takeover) { writer, takeover in takeover.write(to: &writer) }
        writer.optional(attempt) { writer, attempt in attempt.write(to: &writer) }
        writer.list(steps) { writer, step in
            writer.varint(step.inputSequence)
            writer.varint(UInt64(step.eventsThrough))
            writer.instant(step.clock)
            writer.varint(UInt64(step.wakeUps))
            writer.varint(UInt64(step.lateWakeUps))
            writer.varint(UInt64(step.swept))
            writer.varint(step.configuration)
            writer.block(step.effects)
        }
        let hash = Hashing.hash128(writer.bytes)
        writer.fixed(hash)
        return EncodedCommit(bytes: writer.bytes, hash: hash)
    }

    /// The commit and its hash. Fails on damage, on an unknown version and on a tail.
    package static func decoded(_ bytes: [UInt8]) throws(FormatError) -> (commit: Commit, hash: UInt128) {
        guard bytes.count > 18 else { throw FormatError(.truncated, at: bytes.count) }
        let end = bytes.count - 16
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.header(magic, version, of: "a commit")
        var trailer = ByteReader(bytes, in: end..<bytes.count)
        let hash: UInt128 = try trailer.fixed()
        guard Hashing.hash128(Array(bytes[..<end])) == hash else { throw FormatError(.checksum, at: end) }
        let commit = Commit(
            kind: try reader.choice(), shard: ShardID(try reader.fixed()), epoch: try reader.varint(),
            number: try reader.varint(),
            previousHash: try reader.fixed(), brain: try reader.varint32(), owner: try reader.string(),
            takeover: try reader.optional(Takeover.read), attempt: try reader.optional(Attempt.read),
            steps: try reader.list(max: Limits.commitStepsMax) { r throws(FormatError) in
                Step(
                    inputSequence: try r.varint(), eventsThrough: try r.varint32(), clock: try r.instant(),
                    wakeUps: try r.varint32(), lateWakeUps: try r.varint32(), swept: try r.varint32(),
                    configuration: try r.varint(),
                    effects: try r.block())
            })
        try reader.finish()
        return (commit, hash)
    }
}
