import Foundation
import Workload

/// What a run found out; its JSON is what the program prints.
struct ReferenceReport: Encodable {
    struct Process: Encodable {
        var name: String
        var peakBytes: UInt64

        enum CodingKeys: String, CodingKey {
            case name
            case peakBytes = "peak_rss_bytes"
        }
    }

    var scenario = "reference"
    var customers: UInt64
    var events: UInt64
    var seed: UInt64
    var shards: Int
    var workers: Int
    var killedWorker: String?
    /// From the first publish to the completion of the summed answers.
    var seconds: Double
    var eventsPerSecond: Double
    /// The largest sum over all processes at one time; this program is one of them.
    var peakBytes: UInt64
    var processes: [Process]
    var commits: Int
    var answers: ReferenceAnswers
    /// Nil when the right ones are not known and were not computed.
    var correct: Bool?
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, events, seed, shards, workers, seconds, processes, commits, answers, correct, context
        case killedWorker = "killed_worker"
        case eventsPerSecond = "events_per_second"
        case peakBytes = "peak_rss_bytes"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scenario, forKey: .scenario)
        try container.encode(context, forKey: .context)
        try container.encode(customers, forKey: .customers)
        try container.encode(events, forKey: .events)
        try container.encode(seed, forKey: .seed)
        try container.encode(shards, forKey: .shards)
        try container.encode(workers, forKey: .workers)
        try container.encode(killedWorker, forKey: .killedWorker)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(eventsPerSecond, forKey: .eventsPerSecond)
        try container.encode(peakBytes, forKey: .peakBytes)
        try container.encode(processes, forKey: .processes)
        try container.encode(commits, forKey: .commits)
        try container.encode(answers, forKey: .answers)
        try container.encode(correct, forKey: .correct)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        let verdict =
            switch correct {
            case true?: "right"
            case false?: "WRONG"
            case nil: "not known for this size; --check computes them"
            }
        var lines = [
            "\(events) events of \(customers) customers in \(Self.rounded(seconds)) s: \(Int(eventsPerSecond)) events/s",
            "answers: \(verdict)",
            "  fired   reorder \(answers.firedReorder), lapsed \(answers.firedLapsed), review \(answers.firedReview)",
            "  armed   \(answers.armed)",
            "  orders  \(answers.orders), revenue \(answers.revenue)",
            "memory: \(peakBytes >> 20) MB at most, all processes together",
        ]
        for process in processes { lines.append("  \(process.name): \(process.peakBytes >> 20) MB") }
        if let killedWorker { lines.append("killed on the way: \(killedWorker)") }
        return lines.joined(separator: "\n")
    }

    private static func rounded(_ value: Double) -> String { String(Double(Int(value * 100)) / 100) }
}
