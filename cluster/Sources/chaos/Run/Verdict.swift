import Checkers
import Foundation

/// What a run found out; its JSON is what the program prints with --json.
struct Verdict: Encodable, Sendable {
    var seed: UInt64
    var minutes: Double
    var replicas: Int
    var network: String
    var serverVersions: [String]
    var plan: [String]
    /// How many faults of each kind were drawn.
    var faults: [String: Int] = [:]
    var requests = 0
    var retries = 0
    var repeats = 0
    var acknowledged = 0
    var unknown = 0
    var refused = 0
    /// Between two acknowledgements, milliseconds.
    var longestSilenceMilliseconds: Int64 = 0
    var records = 0
    var commits = 0
    /// Of them; the others were decided by another build's brain, or behind one.
    var commitsRunAgain = 0
    /// Commits by the version of the brain that decided them.
    var brains: [String: Int] = [:]
    var takeovers = 0
    var coordinatorEpochs: UInt64 = 0
    var actions = 0
    var mails = 0
    var sent: Int64 = 0
    var uncertain: Int64 = 0
    var undeliverable: Int64 = 0
    var withdrawn: Int64 = 0
    var revenue: Int64 = 0
    var attributed: Int64 = 0
    /// Processes that ended by themselves and were started again.
    var ownEnds: [String] = []
    /// From the end of faults and load until everything was applied and delivered.
    var quietSeconds: Double = 0
    /// All of it, from the first process to the last check.
    var wallSeconds: Double = 0
    var violations: [String] = []

    var passed: Bool { violations.isEmpty }
    mutating func add(_ found: [Violation]) { violations += found.map(\.description) }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        var lines = [
            "seed \(seed), \(minutes) minutes, \(replicas) nats-server(s) \(serverVersions.joined(separator: ", ")), \(network)",
            "  \(plan.count) faults: "
                + faults.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "),
            "  \(takeovers) takeovers of shards, coordinator's epoch \(coordinatorEpochs)",
            "  orders: \(acknowledged) acknowledged, \(unknown) without an answer, \(refused) refused;"
                + " \(retries) requests sent again, \(repeats) once more after the answer;"
                + " longest time without an answer \(longestSilenceMilliseconds) ms",
            "  logs: \(records) records, \(commits) commits, \(commitsRunAgain) of them run again",
            "  brains: "
                + brains.sorted { $0.key < $1.key }.map { "\($0.value) commits by version \($0.key)" }.joined(separator: ", "),
            "  actions: \(actions) decided; \(mails) messages arrived; \(sent) sent or recorded, \(uncertain) uncertain,"
                + " \(undeliverable) undeliverable, \(withdrawn) withdrawn",
            "  revenue \(revenue), of it attributed \(attributed); quiet \(Int(quietSeconds)) s after the end of the faults;"
                + " \(Int(wallSeconds)) s in all",
        ]
        for (end, times) in Dictionary(ownEnds.map { ($0, 1) }, uniquingKeysWith: +).sorted(by: { $0.key < $1.key }) {
            lines.append("  ended by itself, \(times) times: \(end)")
        }
        if passed {
            lines.append("everything holds")
        } else {
            lines.append("\(violations.count) VIOLATIONS")
            lines += violations.prefix(40).map { "  " + $0 }
        }
        return lines.joined(separator: "\n")
    }
}
