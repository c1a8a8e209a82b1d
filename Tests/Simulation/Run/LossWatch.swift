internal import Checkers
internal import Model
internal import Ports

/// Of a LOG that has lost acknowledged commits: whoever knows of them has to say so, and write no more behind them.
struct LossWatch {
    private(set) var shard: ShardID?
    /// Hosts that came upon it, by number, and what they were called.
    private var met: [UInt64: String] = [:]
    private var said: Set<UInt64> = []
    /// The sums' word that the log lost what they contain.
    private(set) var isSaidOfSums = false
    /// The shard is served no more, and whoever should says so: every snapshot that is left is of what was lost, or damaged.
    private(set) var isGivenUp = false

    mutating func lost(_ shard: ShardID) { self.shard = shard }

    mutating func meets(_ host: Host, _ log: LogName) {
        if let shard, log == .commits(shard) { met[host.number] = host.name }
    }

    /// What a host says: its message, and what stands beside it.
    mutating func hear(_ host: Host, _ message: String, _ words: String) {
        guard let shard, words.contains("shard=\(shard)") else { return }
        if message == "shard failed" { said.insert(host.number) }
        if message == "shard failed" && words.contains("trimmed") { isGivenUp = true }
        if message == "the sums of a shard stop" { isSaidOfSums = true }
    }

    /// Whether anybody found out.
    var isSaid: Bool { isSaidOfSums || !said.isEmpty }

    var violations: [Violation] {
        met.filter { !said.contains($0.key) }.sorted { $0.key < $1.key }.map { _, name in
            Violation(
                "lost suffix is said", "\(name) expects commits that the log of shard \(shard.map(\.description) ?? "?") lost")
        }
    }
}
