import ArgumentParser
import Foundation
import Model
import Workload

struct ReferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract: "Run the reference workload W1 and compare the answers.",
        discussion: """
            The cluster must be in event-time mode, empty, have W1's rules (loadtest rules) and be ready. Events go straight
            into the shards' input logs; the answers are summed from what the workers commit. Exit code 1 when they are
            wrong.
            """)

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "C: how many customers.") var customers: UInt64 = 1000
    @Option(help: "E: how many events.") var events: UInt64 = 100_000
    @Option(help: "What the events are made from; the known answers are for 42.") var seed: UInt64 = 42
    @Option(help: ArgumentHelp("Folder with a file for each process of the cluster: its id and start time.", valueName: "folder"))
    var pids: String
    @Option(help: ArgumentHelp("Kill this process with -9 when half of the events are committed.", valueName: "name"))
    var kill: String?
    @Option(help: ArgumentHelp("Give up when nothing is committed for so long.", valueName: "seconds"))
    var patience: Int = 120
    @Flag(help: "Where the answers are not known, compute them in the plainest way.") var check = false
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard ReferenceWorkload(customers: customers, events: events, seed: seed) != nil, events >= 1 else {
            throw ValidationError("--customers and --events: from 1 to \(ReferenceWorkload.countMax)")
        }
        guard patience >= 1 else { throw ValidationError("--patience: 1 second or more") }
    }

    func run() async throws {
        guard let workload = ReferenceWorkload(customers: customers, events: events, seed: seed) else {
            throw LoadError("--customers and --events: from 1 to \(ReferenceWorkload.countMax)")
        }
        let processes = try ClusterProcess.all(in: pids)
        let victim = try kill.map { name in
            guard let process = processes.first(where: { $0.name == name }) else {
                throw LoadError("--kill: there is no '\(name)'; there are \(processes.map(\.name).joined(separator: ", "))")
            }
            return process
        }
        let connection = try await ClusterConnection.open(cluster)
        guard connection.installation.timeMode == .eventTime else {
            throw LoadError("the installation '\(cluster.prefix)' is in live mode; W1 needs --event-time")
        }
        let run = ReferenceRun(
            workload: workload, map: connection.installation.shards, logs: connection.logs,
            processes: processes + [.own("loadtest")], victim: victim, patience: .seconds(patience))
        let outcome = try await run.run()
        connection.close()
        try report(outcome, run)
    }

    private func report(_ outcome: ReferenceRun.Outcome, _ run: ReferenceRun) throws {
        let answers = outcome.view.fold.answers
        let right = ReferenceAnswers.known(for: run.workload) ?? (check ? ReferenceInterpreter.answers(for: run.workload) : nil)
        var problems: [String] = []
        if let right, right != answers { problems.append("the answers are wrong; right are \(try Self.text(right))") }
        if run.victim != nil, !outcome.killed { problems.append("it was over before a worker could be killed") }
        let applied = outcome.view.fold.eventsApplied
        if applied != Int64(run.workload.events) { problems.append("\(applied) events applied of \(run.workload.events)") }
        if let odd = outcome.view.fold.firstUnexpected {
            problems.append("\(outcome.view.fold.unexpected) effects that this workload cannot have; the first: \(odd)")
        }
        let report = ReferenceReport(
            customers: run.workload.customers, events: run.workload.events, seed: run.workload.seed, shards: run.map.shards,
            workers: run.processes.count { $0.name.hasPrefix("worker") },
            killedWorker: outcome.killed ? run.victim?.name : nil, seconds: outcome.seconds,
            eventsPerSecond: (Double(run.workload.events) / outcome.seconds).rounded(), peakBytes: outcome.memory.peakSumBytes,
            processes: run.processes.map { .init(name: $0.name, peakBytes: outcome.memory.peaks[$0.name] ?? 0) },
            commits: outcome.view.commits, answers: answers, correct: right.map { $0 == answers })
        print(json ? try report.json() : report.text)
        guard problems.isEmpty else { throw LoadError(problems.joined(separator: "; ")) }
    }

    private static func text(_ answers: ReferenceAnswers) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(answers), as: UTF8.self)
    }
}
