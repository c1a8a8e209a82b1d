import Model
import SimulatedPorts

@testable import Backup

/// Shards that read their inputs one after the other, commit, and tell each other: all that a cut has to respect, and
/// nothing else. Every move is drawn from the seed.
struct TellingWorld {
    var random: SplitMix
    var inputs: [[InputEntry]]
    var commits: [[CommitEntry]]
    private var read: [UInt64]
    /// By source and destination: the last counter sent, written, and known by the sender to be written.
    private var sent: [[UInt64]]
    private var written: [[UInt64]]
    private var known: [[UInt64]]
    private var actions: UInt64 = 0
    private var open: [(action: ActionID, shard: Int)] = []
    /// Shards that the instant told last has not come to yet, and what was acknowledged when its teller began.
    private var telling: (left: [Int], inputs: [UInt64], commits: [UInt64])?
    private(set) var told: [Told] = []
    let shards = 3

    /// A clock record, and the ends of all logs before it.
    struct Told {
        var shard: Int
        var sequence: UInt64
        var inputs: [UInt64]
        var commits: [UInt64]
    }

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        inputs = Array(repeating: [], count: shards)
        commits = inputs.map { _ in [] }
        read = Array(repeating: 0, count: shards)
        sent = Array(repeating: Array(repeating: 0, count: shards), count: shards)
        written = sent
        known = sent
    }

    mutating func run(steps: Int) { for _ in 0..<steps { step() } }

    private mutating func step() {
        let shard = Int(random.below(UInt64(shards)))
        switch random.below(9) {
        case 0, 1: add(InputEntry(sequence: 0), to: shard)
        case 2, 3: commit(shard)
        case 4, 5: tell(shard)
        case 6: tellClock()
        default:
            guard !open.isEmpty else { return }
            let ask = open.remove(at: Int(random.below(UInt64(open.count))))
            add(InputEntry(sequence: 0, rests: [.opened(ask.action, in: ShardID(index: ask.shard))]), to: ask.shard)
        }
    }

    private mutating func add(_ entry: InputEntry, to shard: Int) {
        var entry = entry
        entry.sequence = UInt64(inputs[shard].count) + 1
        inputs[shard].append(entry)
    }

    private mutating func commit(_ shard: Int) {
        read[shard] = min(read[shard] + random.below(3), UInt64(inputs[shard].count))
        var entry = CommitEntry(number: UInt64(commits[shard].count) + 1, read: read[shard])
        if random.below(2) == 0 {
            actions += 1
            entry.makes.insert(.opened(ActionID(UInt128(actions)), in: ShardID(index: shard)))
            open.append((ActionID(UInt128(actions)), shard))
        }
        for to in 0..<shards {
            if random.below(3) == 0 {
                sent[shard][to] += 1
                entry.makes.insert(
                    .message(from: ShardID(index: shard), to: ShardID(index: to), counter: sent[shard][to]))
            }
            if written[shard][to] > known[shard][to] {
                known[shard][to] = written[shard][to]
                entry.delivered.append(.init(to: ShardID(index: to), through: known[shard][to]))
            }
        }
        commits[shard].append(entry)
    }

    private mutating func tell(_ shard: Int) {
        let to = Int(random.below(UInt64(shards)))
        guard sent[shard][to] > written[shard][to] else { return }
        let (source, first) = (ShardID(index: shard), written[shard][to] + 1)
        let rests = (first...sent[shard][to]).map { Cause.message(from: source, to: ShardID(index: to), counter: $0) }
        add(InputEntry(sequence: 0, rests: Set(rests), messages: .init(from: source, first: first)), to: to)
        written[shard][to] = sent[shard][to]
    }

    /// One more shard hears of the instant; who tells it began when everything before was acknowledged.
    private mutating func tellClock() {
        var now = telling ?? (Array(0..<shards), inputs.map { UInt64($0.count) }, commits.map { UInt64($0.count) })
        let shard = now.left.remove(at: Int(random.below(UInt64(now.left.count))))
        add(InputEntry(sequence: 0, restsOnAll: true), to: shard)
        told.append(
            Told(shard: shard, sequence: UInt64(inputs[shard].count), inputs: now.inputs, commits: now.commits))
        telling = now.left.isEmpty ? nil : now
    }

    /// The world goes on between any two that are noted.
    mutating func noteEnds() -> LogEnds {
        var ends = LogEnds(commits: [], inputs: [])
        for _ in 0..<LogEnds.rounds {
            var round: [UInt64] = []
            for shard in 0..<shards {
                run(steps: Int(random.below(4)))
                round.append(UInt64(commits[shard].count))
            }
            ends.commits.append(round)
            round = []
            for shard in 0..<shards {
                run(steps: Int(random.below(4)))
                round.append(UInt64(inputs[shard].count))
            }
            ends.inputs.append(round)
        }
        return ends
    }

    func inputTails(_ ends: LogEnds) -> [[InputEntry]] {
        inputs.indices.map { Array(inputs[$0][Int(ends.inputs[0][$0])..<Int(ends.inputs[2][$0])]) }
    }

    func commitTails(_ ends: LogEnds) -> [[CommitEntry]] {
        commits.indices.map { Array(commits[$0][Int(ends.commits[0][$0])..<Int(ends.commits[2][$0])]) }
    }

    struct Kept {
        var inputs: [InputEntry] = []
        var commits: [(shard: Int, commit: CommitEntry)] = []
    }

    struct Gone {
        var made: Set<Cause> = []
        var messages: [(to: Int, entry: InputEntry.Messages)] = []
    }

    func split(_ cut: Cut) -> (Kept, Gone) {
        var (kept, gone) = (Kept(), Gone())
        for shard in 0..<shards {
            kept.inputs += inputs[shard].prefix(Int(cut.inputs[shard]))
            gone.messages += inputs[shard].dropFirst(Int(cut.inputs[shard])).compactMap { entry in
                entry.messages.map { (shard, $0) }
            }
            kept.commits += commits[shard].prefix(Int(cut.commits[shard])).map { (shard, $0) }
            for commit in commits[shard].dropFirst(Int(cut.commits[shard])) { gone.made.formUnion(commit.makes) }
        }
        return (kept, gone)
    }
}

extension SplitMix {
    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}
