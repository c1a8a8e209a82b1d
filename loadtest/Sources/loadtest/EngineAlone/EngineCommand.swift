import ArgumentParser
import Foundation
import Model
import Workload

struct EngineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "Run the reference workload W1 through the engine alone: steps, actors and rules on one core, no log.",
        discussion: """
            The batches are made beforehand, as the gateway would; what is measured is reading them, the steps, and the
            commits encoded and chained. The answers are summed afterwards. Exit code 1 when they are wrong.
            """)

    enum Clocks: String, ExpressibleByArgument, CaseIterable {
        case end, daily, hourly

        /// Milliseconds of the workload's time between two clock records; nil = one at the end.
        var interval: Int64? {
            switch self {
            case .end: nil
            case .daily: Milliseconds.day
            case .hourly: Milliseconds.hour
            }
        }
    }

    @Option(help: "C: how many customers.") var customers: UInt64 = 100_000
    @Option(help: "E: how many events.") var events: UInt64 = 1_000_000
    @Option(help: "What the events are made from; the known answers are for 42.") var seed: UInt64 = 42
    @Option(help: "Shards, a power of two; all run on one thread.") var shards: Int = 16
    @Option(help: "When clock records come: at the end, or each day or hour of the workload's time as well.")
    var clocks: Clocks = .end
    @Flag(help: "Where the answers are not known, compute them in the plainest way.") var check = false
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        guard let workload = ReferenceWorkload(customers: customers, events: events, seed: seed), events >= 1 else {
            throw ValidationError("--customers and --events: from 1 to \(ReferenceWorkload.countMax)")
        }
        guard let map = ShardMap(shards: shards) else {
            throw ValidationError("--shards: a power of two up to \(Limits.shardsMax)")
        }
        let outcome = try await EngineRun(workload: workload, map: map, clockEvery: clocks.interval).run()
        let right = ReferenceAnswers.known(for: workload) ?? (check ? ReferenceInterpreter.answers(for: workload) : nil)
        let report = EngineReport(
            customers: customers, events: events, shards: shards, clocks: clocks.rawValue, seconds: outcome.seconds,
            processorSeconds: outcome.processorSeconds,
            eventsPerSecond: (Double(events) / outcome.processorSeconds).rounded(),
            bytesPerCustomer: Double(outcome.residentBytes) / Double(customers), answers: outcome.answers,
            correct: right.map { $0 == outcome.answers })
        print(json ? try report.json() : report.text)
        if report.correct == false { throw LoadError("the answers are wrong") }
    }
}

struct EngineReport: Encodable {
    var scenario = "engine"
    var customers: UInt64
    var events: UInt64
    var shards: Int
    var clocks: String
    /// Spent in reading batches, steps and commits; one thread.
    var seconds: Double
    /// Of these, those in which the thread had its core.
    var processorSeconds: Double
    /// Per processor second.
    var eventsPerSecond: Double
    /// By how much the process grew while the events were applied, over the customers.
    var bytesPerCustomer: Double
    var answers: ReferenceAnswers
    /// Nil when the right ones are not known.
    var correct: Bool?
    var context = RunContext.current()

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        let verdict = correct.map { $0 ? "right" : "WRONG" } ?? "not known for this size"
        return "\(events) events of \(customers) customers in \((processorSeconds * 100).rounded() / 100) s: "
            + "\(Int(eventsPerSecond)) events/s on one core, \(Int(bytesPerCustomer)) bytes a customer; answers: \(verdict)"
    }
}
