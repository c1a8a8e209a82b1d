import ArgumentParser
import Foundation
import Model
import Workload

struct FailoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Kill or freeze workers under load, and measure how soon each of their shards serves again.",
        discussion: """
            Measured for each shard from the signal to the first commit with events in it that another worker made, as it \
            comes in here. Exit code 1 when the answers of the workload are wrong.
            """)

    @OptionGroup var options: MovingOptions
    @Option(help: "How often.") var kills: Int = 1
    @Flag(help: "Stop the worker with SIGSTOP and wake it again afterwards, instead of kill -9.") var freeze = false

    func validate() throws {
        guard (1...100).contains(kills) else { throw ValidationError("--kills: 1 to 100") }
    }

    func run() async throws {
        let run = try await options.run(seconds: UInt64(30 + 30 * kills))
        let (kills, freeze) = (kills, freeze)
        let outcome = try await run.run { scene in
            var found: [FailoverReport.Kill] = []
            for number in 0..<kills { found.append(try await Self.kill(number, freeze, scene)) }
            return found
        }
        run.connection.close()
        let status = outcome.found
        let report = FailoverReport(
            customers: run.plan.workload.customers, events: run.plan.workload.events,
            shardsOfInstallation: run.connection.installation.shards.shards, rate: run.plan.rate,
            loadSeconds: outcome.loadSeconds, frozen: freeze, kills: status, correct: outcome.problems.isEmpty)
        print(options.json ? try report.jsonText() : report.text)
        guard outcome.problems.isEmpty else { throw LoadError(outcome.problems.joined(separator: "; ")) }
    }

    private static func kill(_ number: Int, _ freeze: Bool, _ scene: MovingRun.Scene) async throws -> FailoverReport.Kill {
        let workers = try ClusterProcess.all(in: scene.fleet.pids).filter { $0.name.hasPrefix("worker") }.map(\.name).sorted()
        let before = try await scene.cluster.settled(owners: workers.count)
        // Under load for a moment, so that there is a tail.
        try await Task.sleep(for: .seconds(2))
        let name = workers[number % workers.count]
        guard let victim = before.workers.first(where: { $0.id.name == name && $0.alive }) else {
            throw LoadError("the coordinator does not know '\(name)'")
        }
        let shards = Set(before.placement.ownersOf(victim.id))
        let process = try scene.fleet.worker(name)
        let known = scene.watch.takeovers.count
        let killed = ContinuousClock.now
        try process.signal(freeze ? SIGSTOP : SIGKILL)
        var served: [ShardID: ContinuousClock.Instant] = [:]
        while served.count < shards.count {
            for takeover in scene.watch.takeovers[known...] where shards.contains(Int(takeover.shard.number)) {
                if let at = takeover.served, takeover.from == victim.id.description { served[takeover.shard] = at }
            }
            guard killed.duration(to: .now) < scene.cluster.patience else {
                throw LoadError("\(shards.count - served.count) shards of \(name) do not serve again")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        if freeze { try process.signal(SIGCONT) } else { try scene.fleet.start(name) }
        try await scene.cluster.settled(owners: workers.count)
        let times = served.values.map { killed.duration(to: $0) / .milliseconds(1) }
        return FailoverReport.Kill(
            worker: name, workers: workers.count, standbys: before.placement.standbys.first?.count ?? 0,
            customers: victim.shards.filter { shards.contains($0.shard) }.reduce(0) { $0 + $1.customers },
            milliseconds: times.sorted())
    }
}

extension PlacementRecord {
    /// Numbers of the shards placed on this worker.
    func ownersOf(_ worker: WorkerID) -> [Int] {
        owners.indices.filter { shard in owners[shard].map { alive[$0] == worker } ?? false }
    }
}

/// What a run found out; its JSON is what the program prints.
struct FailoverReport: Encodable {
    struct Kill: Encodable, Sendable {
        var worker: String
        var workers: Int
        var standbys: Int
        /// On the worker's shards.
        var customers: Int
        /// For each of its shards, ascending.
        var milliseconds: [Double]
    }

    var scenario = "failover"
    var customers: UInt64
    var events: UInt64
    var shardsOfInstallation: Int
    var rate: UInt64
    var loadSeconds: Double
    var frozen: Bool
    var kills: [Kill]
    var correct: Bool
    var context = RunContext.current()

    private var all: Percentiles { Percentiles(kills.flatMap(\.milliseconds)) }
    private var distribution: Distribution { Distribution(kills.flatMap(\.milliseconds)) }

    enum CodingKeys: String, CodingKey {
        case scenario, customers, events, rate, frozen, correct, context, workers, standbys, shards, kills, distribution
        case shardsOfInstallation = "installation_shards"
        case loadSeconds = "load_seconds"
        case customersOnWorker = "customers_on_worker"
        case p50 = "p50_milliseconds"
        case p99 = "p99_milliseconds"
        case max = "max_milliseconds"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scenario, forKey: .scenario)
        try container.encode(customers, forKey: .customers)
        try container.encode(events, forKey: .events)
        try container.encode(shardsOfInstallation, forKey: .shardsOfInstallation)
        try container.encode(rate, forKey: .rate)
        try container.encode(loadSeconds, forKey: .loadSeconds)
        try container.encode(frozen, forKey: .frozen)
        try container.encode(kills.count, forKey: .kills)
        try container.encode(kills.first?.workers ?? 0, forKey: .workers)
        try container.encode(kills.first?.standbys ?? 0, forKey: .standbys)
        try container.encode(kills.map(\.customers).max() ?? 0, forKey: .customersOnWorker)
        try container.encode(all.count, forKey: .shards)
        try container.encode(all.p50, forKey: .p50)
        try container.encode(all.p99, forKey: .p99)
        try container.encode(all.max, forKey: .max)
        try container.encode(distribution, forKey: .distribution)
        try container.encode(correct, forKey: .correct)
        try container.encode(context, forKey: .context)
    }

    var text: String {
        var lines = ["\(customers) customers, \(rate) events/s, loaded in \(Int(loadSeconds)) s"]
        for kill in kills {
            lines.append(
                "\(kill.worker) \(frozen ? "frozen" : "killed"), \(kill.customers) customers, \(kill.standbys) standbys: serving "
                    + "again after \(Percentiles(kill.milliseconds).text) shards")
        }
        lines.append("all: \(all.text) shards")
        lines.append("answers: \(correct ? "right" : "WRONG")")
        return lines.joined(separator: "\n")
    }
}
