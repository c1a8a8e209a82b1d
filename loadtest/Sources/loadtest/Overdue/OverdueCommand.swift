import ArgumentParser
import Foundation
import Model
import Ports
import Synchronization

struct OverdueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overdue",
        abstract: "Let timers become overdue while no worker is there; measure how they are caught up, and what others wait.",
        discussion: """
            Exit code 1 when a timer does not run once, a shard runs more of them than the bound allows, one comes before \
            another that was due later, or an event that was answered with 200 does not stand in a commit.
            """)

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "The gateway.") var gateway: String
    @Option(help: "Its write key.") var key: String
    @Option(help: ArgumentHelp("Folder with a file for each process of the cluster: its id and start time.", valueName: "folder"))
    var pids: String
    @Option(help: ArgumentHelp("The reprise program, to start workers with.", valueName: "path"))
    var reprise: String
    @Option(help: "How many have a timer.") var customers: Int = 50_000
    @Option(help: "Other events a second.") var rate: Int = 200
    @Option(help: "Of measuring before the outage.") var seconds: Int = 10
    @Option(help: "Seconds from an order to its timer, as `loadtest rules --lapse-after` has set it.") var after: Int
    @Option(help: ArgumentHelp("Give up when something that is waited for takes so long.", valueName: "seconds"))
    var patience: Int = 600
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...100_000).contains(rate), (1...600).contains(seconds), (1...10_000_000).contains(customers) else {
            throw ValidationError("--rate: 1 to 100000; --seconds: 1 to 600; --customers: 1 to 10000000")
        }
    }

    func run() async throws {
        let connection = try await ClusterConnection.open(cluster)
        defer { connection.close() }
        guard connection.installation.timeMode == .live else { throw LoadError("the installation is not in live mode") }
        let run = OverdueRun(
            connection: connection, gate: Views(GatewayClient(url: gateway, key: key, connections: OverdueRun.senders)),
            fleet: WorkerFleet(binary: reprise, pids: pids), customers: customers, rate: rate,
            before: .seconds(seconds), afterSeconds: after, patience: .seconds(patience))
        let (report, problems) = try await run.run()
        print(json ? try report.jsonText() : report.text)
        guard problems.isEmpty else { throw LoadError(problems.joined(separator: "; ")) }
    }
}

/// What a run found out; its JSON is what the program prints.
struct OverdueReport: Encodable {
    var scenario = "overdue"
    var customers: Int
    var shards: Int
    var workers: Int
    var rate: Int
    /// From the kill to the workers' start.
    var awaySeconds: Double
    /// How late the timers were then.
    var overdueSecondsLeast: Double
    var overdueSecondsMost: Double
    /// From the workers' start until each shard was served, and until the last overdue timer had run.
    var servingSeconds: Double
    var caughtUpSeconds: Double
    /// Timers a second, from the first to the last that ran late, and what the pace allows.
    var firesPerSecond: Double
    var boundPerSecond: Double
    /// Of single shards.
    var shardPerSecondMost: Double
    var shardBoundPerSecond: Double
    /// Timers that came before one of their shard that was due later.
    var outOfOrder: Int
    /// Milliseconds until the commit, of other events.
    var before: Percentiles
    var meanwhile: Percentiles
    var missing: Int
    var correct: Bool
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, shards, workers, rate, missing, correct, context
        case awaySeconds = "away_seconds"
        case overdueSecondsLeast = "overdue_seconds_least"
        case overdueSecondsMost = "overdue_seconds_most"
        case servingSeconds = "serving_seconds"
        case caughtUpSeconds = "caught_up_seconds"
        case firesPerSecond = "fires_per_second"
        case boundPerSecond = "bound_per_second"
        case shardPerSecondMost = "shard_per_second_most"
        case shardBoundPerSecond = "shard_bound_per_second"
        case outOfOrder = "out_of_order"
        case before = "before_milliseconds"
        case meanwhile = "meanwhile_milliseconds"
    }

    var text: String {
        """
        \(customers) timers on \(shards) shards, overdue by \(overdueSecondsLeast) to \(overdueSecondsMost) s
        served again after \(servingSeconds) s, caught up after \(caughtUpSeconds) s
        timers/s: \(firesPerSecond) of at most \(boundPerSecond); a shard \(shardPerSecondMost) of \(shardBoundPerSecond)
        before one that was due later: \(outOfOrder)
        others before: \(before.text)
        meanwhile:     \(meanwhile.text)
        \(correct ? "each ran once" : "WRONG"); missing: \(missing)
        """
    }
}
