internal import Foundation
internal import Simulation

/// What came of many seeds.
struct CampaignResult: Codable {
    struct Failure: Codable {
        var seed: UInt64
        var violations: [String]
    }

    var first: UInt64 = 0
    var seeds = 0
    var seconds: Double = 0
    var jobs = 0
    var worldMilliseconds: Int64 = 0
    var failures: [Failure] = []
    /// How often each branch was taken, and in how many seeds.
    var counts: [String: Int] = [:]
    var seedsWith: [String: Int] = [:]
    /// Rare branches that no seed took.
    var neverReached: [String] = RareBranches.all

    mutating func add(_ result: SimulationResult) {
        seeds += 1
        jobs += result.jobs
        worldMilliseconds += result.worldMilliseconds
        counts.merge(result.counts) { $0 + $1 }
        for name in result.counts.keys { seedsWith[name, default: 0] += 1 }
        neverReached.removeAll { result.counts[$0] != nil }
        if !result.violations.isEmpty {
            failures.append(Failure(seed: result.seed, violations: result.violations))
            print("BROKEN seed \(result.seed): \(result.violations.prefix(3).joined(separator: " | "))")
        }
        if seeds % 500 == 0 { print("\(seeds) seeds, \(failures.count) broken") }
    }

    mutating func addCrash(_ seed: UInt64, _ how: String) {
        seeds += 1
        failures.append(Failure(seed: seed, violations: [how]))
        print("BROKEN seed \(seed): \(how)")
    }

    func printSummary() {
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            print("  \(count)\tin \(seedsWith[name] ?? 0) seeds\t\(name)")
        }
        for name in neverReached { print("NEVER REACHED: \(name)") }
        let world = worldMilliseconds / 1000
        print("\(seeds) seeds, \(failures.count) broken; \(jobs) jobs in \(world) s of their worlds, \(Int(seconds)) s of ours")
        for failure in failures.sorted(by: { $0.seed < $1.seed }) { print("repeat: ./cluster/test simulate --seed \(failure.seed)") }
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(filePath: path))
    }
}
