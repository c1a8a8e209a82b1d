package import Model

/// Compares DEAD with what the commits set aside: each once, in the order of its shard, and nothing else; each taken again
/// at most once; and nothing set aside but what there was a reason for (I7). A value type.
package struct DeadLetterChecker: Sendable {
    private var said: [DeadEntryOrigin: DeadEntry] = [:]
    private var carried: Set<DeadEntryOrigin> = []
    private var newest: [ShardID: DeadEntryOrigin] = [:]
    private var replayed: Set<DeadLetterID> = []
    private var found: [Violation] = []
    /// What is set aside, could be taken again, and was not.
    package private(set) var open: [DeadLetterID: SetAside] = [:]

    package init() {}

    /// A commit and its effects, in order.
    package mutating func feed(_ commit: Commit, _ effects: [Effect]) {
        var index: UInt32 = 0
        for effect in effects {
            let origin = DeadEntryOrigin(shard: commit.shard, commit: commit.number, index: index)
            switch effect {
            case .setAside(let event):
                said[origin] = .setAside(origin, event)
                let id = DeadLetterID(shard: commit.shard, number: event.number)
                if event.isReplayable { open[id] = event }
            case .replayed(let number):
                said[origin] = .replayed(origin, number: number)
                let id = DeadLetterID(shard: commit.shard, number: number)
                open[id] = nil
                if !replayed.insert(id).inserted { report("\(id) was taken again twice") }
            default: continue
            }
            index += 1
        }
    }

    /// A record of DEAD.
    package mutating func feed(_ record: LogRecord) {
        guard let dead = try? DeadRecord.decoded(record.payload) else {
            return report("record \(record.sequence) cannot be read")
        }
        for entry in dead.entries {
            guard let origin = entry.origin else { continue }
            if said[origin] != entry { report("\(origin) is not what its commit says") }
            if !carried.insert(origin).inserted { report("\(origin) stands there twice") }
            if let last = newest[origin.shard], last > origin { report("\(origin) stands behind \(last)") }
            newest[origin.shard] = origin
        }
    }

    /// As of the end of a run, when the sums contain every commit.
    package func violations() -> [Violation] {
        let missing = said.keys.filter { !carried.contains($0) }.sorted()
        return found + missing.map { Violation("I7 dead letters", "DEAD: \($0) is missing") }
    }

    private mutating func report(_ what: String) { found.append(Violation("I7 dead letters", "DEAD: " + what)) }
}
