package import Model

/// Follows what shards tell each other, from the sender's LOG through the addressee's IN into its LOG: every message is
/// sent, brought and applied once and in order, and comes as it was sent.
///
/// Feed the effects of every LOG and the records of every IN as they are written. A value type.
package struct MessageChecker: Sendable {
    private struct Way: Hashable, Comparable {
        let from: ShardID
        let to: ShardID

        static func < (left: Way, right: Way) -> Bool { (left.from, left.to) < (right.from, right.to) }
    }

    private struct Lane {
        var sent: [[UInt8]] = []
        var brought: UInt64 = 0
        var applied: UInt64 = 0
        var isBroken = false
    }

    private var lanes: [Way: Lane] = [:]
    private var found: [Violation] = []
    /// Messages that are sent and not applied yet.
    package private(set) var waiting = 0
    /// Messages that IN had already when they came: sent again by who did not know.
    package private(set) var repeats = 0

    package init() {}

    /// An effect of a commit of `shard`.
    package mutating func feed(_ effect: Effect, of shard: ShardID) {
        switch effect {
        case .messageSent(let to, let counter, let body):
            let way = Way(from: shard, to: to)
            let sent = UInt64(lanes[way]?.sent.count ?? 0)
            if counter != sent + 1 { report(way, "message \(counter) is sent behind \(sent)") }
            lanes[way, default: Lane()].sent.append(body)
            waiting += 1
        case .messagesDelivered(let to, let through):
            let way = Way(from: shard, to: to)
            let brought = lanes[way]?.brought ?? 0
            if through > brought { report(way, "\(through) is called delivered, IN has \(brought)") }
        case .messageApplied(let from, let counter):
            let way = Way(from: from, to: shard)
            let lane = lanes[way] ?? Lane()
            if counter != lane.applied + 1 { report(way, "message \(counter) is applied behind \(lane.applied)") }
            if counter > lane.brought { report(way, "message \(counter) is applied, IN has \(lane.brought)") }
            lanes[way, default: Lane()].applied = counter
            waiting -= 1
        default: break
        }
    }

    /// Messages that IN of `shard` took.
    package mutating func feed(from source: ShardID, first: UInt64, _ bodies: [[UInt8]], to shard: ShardID) {
        let way = Way(from: source, to: shard)
        var lane = lanes[way] ?? Lane()
        for (index, body) in bodies.enumerated() {
            let counter = first + UInt64(index)
            guard counter >= 1, counter <= UInt64(lane.sent.count) else {
                report(way, "message \(counter) came before a commit said so")
                continue
            }
            if lane.sent[Int(counter) - 1] != body { report(way, "message \(counter) came otherwise than it was sent") }
            if counter <= lane.brought { repeats += 1 }
            if counter > lane.brought + 1 { report(way, "message \(counter) came behind \(lane.brought)") }
            lane.brought = max(lane.brought, counter)
        }
        lanes[way, default: Lane()].brought = lane.brought
    }

    /// As of the end of a run, when everybody has come to rest.
    package func violations() -> [Violation] {
        let missing = lanes.sorted { $0.key < $1.key }.filter { $0.value.applied != UInt64($0.value.sent.count) }
        return found
            + missing.map { way, lane in
                violation(way, "\(lane.sent.count) messages were sent, \(lane.applied) applied")
            }
    }

    /// Once for each way: what follows the first is mostly its consequence.
    private mutating func report(_ way: Way, _ what: String) {
        guard lanes[way]?.isBroken != true else { return }
        lanes[way, default: Lane()].isBroken = true
        found.append(violation(way, what))
    }

    private func violation(_ way: Way, _ what: String) -> Violation {
        Violation("messages between shards", "from \(way.from) to \(way.to): \(what)")
    }
}
