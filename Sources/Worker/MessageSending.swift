import Model

/// What an owner knows of its shard's messages on their way into other shards' inputs. Pure; not part of the shard's state:
/// a new owner begins anew with all that waits, and what was there already is passed over by the destination.
///
///     sent by a step --its commit is acknowledged--> may leave --offered--> under way
///     under way --acknowledged by the destination's input--> delivered --a step is told--> forgotten
///     under way --refused, or no answer--> resting --after a pause--> may leave
///
/// One batch is under way to a destination at a time, so that they stand in its input in order.
struct MessageSending: Equatable, Sendable {
    private struct Made: Equatable, Sendable {
        let commit: UInt64
        let newest: [ShardID: UInt64]
    }

    private var made: [Made] = []
    private var mayLeave: [ShardID: UInt64] = [:]
    private var underWay: Set<ShardID> = []
    private var delivered: [ShardID: UInt64] = [:]
    private var failures: [ShardID: Int] = [:]

    init() {}

    /// Nothing waits for anything.
    var isIdle: Bool { made.isEmpty && mayLeave.isEmpty }

    /// These waited when the shard was taken over: each is of an acknowledged commit.
    mutating func begin(with newest: [ShardID: UInt64]) {
        self = MessageSending()
        mayLeave = newest
    }

    /// Commit `number` holds messages up to these counters.
    mutating func made(_ number: UInt64, newest: [ShardID: UInt64]) {
        if !newest.isEmpty { made.append(Made(commit: number, newest: newest)) }
    }

    /// Every commit up to `number` is in the log. Returns the destinations to offer messages to, and up to which counter.
    mutating func ready(acknowledged number: UInt64) -> [(destination: ShardID, through: UInt64)] {
        while let first = made.first, first.commit <= number {
            mayLeave.merge(first.newest) { $1 }
            made.removeFirst()
        }
        return mayLeave.filter { !underWay.contains($0.key) }.sorted { $0.key < $1.key }
            .map { (destination: $0.key, through: $0.value) }
    }

    mutating func offered(_ destination: ShardID) { underWay.insert(destination) }

    /// Nothing waits for this destination any more.
    mutating func finished(_ destination: ShardID) { mayLeave[destination] = nil }

    mutating func taken(_ destination: ShardID, through counter: UInt64) {
        failures[destination] = nil
        delivered[destination] = counter
    }

    private static let pauseFirst: Int64 = 100
    private static let pauseMax: Int64 = 5 * Milliseconds.second

    /// The batch may not be there; milliseconds to wait before ``retry(_:)``.
    mutating func failed(_ destination: ShardID) -> Int64 {
        let count = failures[destination] ?? 0
        failures[destination] = count + 1
        return min(Self.pauseFirst << min(count, 6), Self.pauseMax)
    }

    mutating func retry(_ destination: ShardID) { underWay.remove(destination) }

    /// What the next step is to be told; afterwards the destinations may be offered more.
    mutating func takeDelivered() -> [ShardID: UInt64] {
        guard !delivered.isEmpty else { return [:] }
        defer { delivered = [:] }
        underWay.subtract(delivered.keys)
        return delivered
    }
}
