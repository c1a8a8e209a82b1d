import ArgumentParser
import Foundation
import Model
import Workload

struct RescaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescale",
        abstract: "Let a worker join and drain another under load, and measure pauses, moves and throughput.",
        discussion: """
            A shard's pause is from the last step of its old owner to the fence of the new one, both by the log's clock; a \
            batch's latency from its sending to its commit. Exit code 1 when the answers of the workload are wrong, or more \
            shards moved than had to.
            """)

    @OptionGroup var options: MovingOptions
    @Option(help: "How long it is measured before, between and after the changes.") var phase: Int = 5

    func validate() throws {
        guard (1...600).contains(phase) else { throw ValidationError("--phase: 1 to 600 seconds") }
    }

    func run() async throws {
        let run = try await options.run(seconds: UInt64(60 + 4 * phase))
        let phase = Duration.seconds(phase)
        let outcome = try await run.run { scene in try await Self.rescale(scene, phase) }
        run.connection.close()
        var problems = outcome.problems
        for change in outcome.found.changes where change.moved > change.bound {
            problems.append("\(change.what): \(change.moved) shards moved, \(change.bound) had to")
        }
        let report = RescaleReport(
            customers: run.plan.workload.customers, events: run.plan.workload.events,
            shards: run.connection.installation.shards.shards, rate: run.plan.rate, before: outcome.found.before,
            changes: outcome.found.changes, correct: problems.isEmpty)
        print(options.json ? try report.jsonText() : report.text)
        guard problems.isEmpty else { throw LoadError(problems.joined(separator: "; ")) }
    }

    struct Found: Sendable {
        var before: Double
        var changes: [RescaleReport.Change]
    }

    private static func rescale(_ scene: MovingRun.Scene, _ phase: Duration) async throws -> Found {
        let workers = try ClusterProcess.all(in: scene.fleet.pids).filter { $0.name.hasPrefix("worker") }.map(\.name).sorted()
        let start = try await scene.cluster.settled(owners: workers.count)
        let before = try await scene.eventsPerSecond(over: phase)
        let share = (start.shards + workers.count) / (workers.count + 1)
        let joiner = "worker-\(workers.count + 1)"
        let join = try await change("\(joiner) joins", bound: share, owners: workers.count + 1, phase, scene) {
            try scene.fleet.start(joiner)
        }
        let now = try await scene.cluster.status()
        let had = now.workers.filter { $0.id.name == workers[0] && $0.alive }.flatMap { now.placement.ownersOf($0.id) }.count
        let drain = try await change("\(workers[0]) drained", bound: had, owners: workers.count, phase, scene) {
            try await scene.fleet.run(["worker", "drain", workers[0], "--wait", "60"])
        }
        return Found(before: before, changes: [join, drain])
    }

    private static func change(
        _ what: String, bound: Int, owners: Int, _ phase: Duration, _ scene: MovingRun.Scene, _ act: () async throws -> Void
    ) async throws -> RescaleReport.Change {
        _ = scene.watch.takeLatencies()
        let known = scene.watch.takeovers.count
        let began = (scene.board.view.fold.eventsApplied, ContinuousClock.now)
        try await act()
        try await scene.cluster.settled(owners: owners)
        let during = MovingRun.Scene.rate(began, scene.board.view.fold.eventsApplied)
        let seconds = began.1.duration(to: .now) / .seconds(1)
        let moves = scene.watch.takeovers[known...]
        let latencies = Percentiles(scene.watch.takeLatencies())
        return RescaleReport.Change(
            what: what, moved: moves.count, bound: bound, released: moves.count { $0.wasReleased },
            pause: Percentiles(moves.map { Double($0.pauseMilliseconds) }), latency: latencies,
            seconds: (seconds * 10).rounded() / 10, during: during, after: try await scene.eventsPerSecond(over: phase))
    }
}

/// What a run found out; its JSON is what the program prints.
struct RescaleReport: Encodable {
    struct Change: Encodable, Sendable {
        var what: String
        /// Shards that went from one worker to another, and how many had to.
        var moved: Int
        var bound: Int
        /// Those that their owner had released.
        var released: Int
        /// Milliseconds, over the moved shards.
        var pause: Percentiles
        /// Milliseconds, over all batches committed meanwhile.
        var latency: Percentiles
        var seconds: Double
        /// Committed events a second, until all was at rest, and then.
        var during: Double
        var after: Double

        enum CodingKeys: String, CodingKey {
            case what, moved, bound, released, seconds
            case pause = "pause_milliseconds"
            case latency = "latency_milliseconds"
            case during = "events_per_second_during"
            case after = "events_per_second_after"
        }
    }

    var scenario = "rescale"
    var customers: UInt64
    var events: UInt64
    var shards: Int
    var rate: UInt64
    var before: Double
    var changes: [Change]
    var correct: Bool
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, events, shards, rate, changes, correct, context
        case before = "events_per_second_before"
    }

    var text: String {
        var lines = ["\(customers) customers, \(rate) events/s sent, \(Int(before)) committed before"]
        for change in changes {
            lines.append(
                "\(change.what): \(change.moved) of at most \(change.bound) shards moved in \(change.seconds) s; pause "
                    + "\(change.pause.text); batches \(change.latency.text)")
            lines.append("  events/s \(Int(change.during)) meanwhile, then \(Int(change.after))")
        }
        lines.append(correct ? "answers: right" : "WRONG")
        return lines.joined(separator: "\n")
    }
}
