import ArgumentParser
import Model
import Workload

/// What the scenarios with workers that come and go have in common.
struct MovingOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions
    @Option(help: "C: how many customers.") var customers: UInt64 = 2000
    @Option(help: "Events that make the customers known, sent first. Default: five for each customer.")
    var loadEvents: UInt64?
    @Option(help: "Events a second while it is measured.") var rate: UInt64 = 2000
    @Option(help: "For how many seconds there is live load at most. Default: what is likely to be needed.")
    var seconds: UInt64?
    @Option(help: "What the events are made from.") var seed: UInt64 = 42
    @Option(help: ArgumentHelp("Folder with a file for each process of the cluster: its id and start time.", valueName: "folder"))
    var pids: String
    @Option(help: ArgumentHelp("The reprise program, to start workers with.", valueName: "path"))
    var reprise: String
    @Option(help: ArgumentHelp("Give up when something that is waited for takes so long.", valueName: "seconds"))
    var patience: Int = 120
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...ReferenceWorkload.countMax).contains(customers) else {
            throw ValidationError("--customers: from 1 to \(ReferenceWorkload.countMax)")
        }
        guard (100...1_000_000).contains(rate) else { throw ValidationError("--rate: 100 to 1000000 events a second") }
        guard (1...3600).contains(seconds ?? 1) else { throw ValidationError("--seconds: 1 to 3600") }
        guard patience >= 1 else { throw ValidationError("--patience: 1 second or more") }
    }

    /// Opens the cluster; `seconds` = how long the live load should last when nobody says otherwise.
    func run(seconds likely: UInt64) async throws -> MovingRun {
        let load = loadEvents ?? 5 * customers
        let events = load + rate * (seconds ?? likely)
        guard let workload = ReferenceWorkload(customers: customers, events: events, seed: seed) else {
            throw LoadError("\(events) events: at most \(ReferenceWorkload.countMax) are possible")
        }
        let connection = try await ClusterConnection.open(cluster)
        guard connection.installation.timeMode == .eventTime else {
            throw LoadError("the installation '\(cluster.prefix)' is in live mode; W1 needs --event-time")
        }
        return MovingRun(
            plan: MovingRun.Plan(workload: workload, loadEvents: load, rate: rate), connection: connection,
            fleet: WorkerFleet(binary: reprise, pids: pids), patience: .seconds(patience))
    }
}
