import Foundation

/// What a run found out; its JSON is what the program prints with --json.
struct Verdict: Encodable, Sendable {
    var seed: UInt64
    var minutes: Double
    var replicas: Int
    var network: String
    var serverVersions: [String]
    var plan: [String]
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
    var violations: [String] = []

    var passed: Bool { violations.isEmpty }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        var lines = [
            "seed \(seed), \(minutes) minutes, \(replicas) nats-server(s) \(serverVersions.joined(separator: ", ")), \(network)",
            "  \(plan.count) faults; \(takeovers) takeovers of shards, coordinator's epoch \(coordinatorEpochs)",
            "  orders: \(acknowledged) acknowledged, \(unknown) without an answer, \(refused) refused;"
                + " \(retries) requests sent again, \(repeats) once more after the answer;"
                + " longest time without an answer \(longestSilenceMilliseconds) ms",
            "  logs: \(records) records, \(commits) commits, all run again with the same result",
            "  actions: \(actions) decided; \(mails) messages arrived; \(sent) sent or recorded, \(uncertain) uncertain,"
                + " \(undeliverable) undeliverable, \(withdrawn) withdrawn",
            "  revenue \(revenue), of it attributed \(attributed); quiet \(Int(quietSeconds)) s after the end of the faults",
        ]
        for end in ownEnds { lines.append("  ended by itself: \(end)") }
        if passed {
            lines.append("everything holds")
        } else {
            lines.append("\(violations.count) VIOLATIONS")
            lines += violations.prefix(40).map { "  " + $0 }
        }
        return lines.joined(separator: "\n")
    }
}
