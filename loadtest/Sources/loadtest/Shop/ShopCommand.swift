import ArgumentParser
import Foundation
import Model
import Ports
import Workload

struct ShopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop",
        abstract: "Play a simulated shop through the cluster, and compare what it found out with what the shop has counted.",
        discussion: """
            The cluster must be in event-time mode, empty, have the rules of docs/examples/shop and be ready. Exit code 1 when \
            customers, events, orders, revenue or the reviews that were asked for are not those that the shop has counted.
            """)

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "How many customers there are, most of whom come sooner or later.") var customers: Int = 100_000
    @Option(help: "Of the shop's time.") var days: Int = 90
    @Option(help: "What the shop is made from.") var seed: UInt64 = 42
    @Option(help: "Hours of the shop's time between two clock records.") var clockHours: Int = 24
    @Option(help: ArgumentHelp("Folder with a file for each process of the cluster: its id and start time.", valueName: "folder"))
    var pids: String
    @Option(help: ArgumentHelp("Give up when nothing is committed for so long.", valueName: "seconds")) var patience: Int = 120
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard ShopWorkload(customers: customers, days: days) != nil, (1...24).contains(clockHours), patience >= 1 else {
            throw ValidationError(
                "--customers: 1 to \(ShopWorkload.customersMax); --days: 1 to \(ShopWorkload.daysMax); --clock-hours: 1 to 24")
        }
    }

    func run() async throws {
        guard let workload = ShopWorkload(customers: customers, days: days, seed: seed) else { throw LoadError("no shop") }
        let connection = try await ClusterConnection.open(cluster)
        defer { connection.close() }
        guard connection.installation.timeMode == .eventTime else { throw LoadError("the installation is in live mode") }
        guard let record = try await connection.logs.last(of: .configuration) else { throw LoadError("no rules are applied") }
        let set = try RuleSet.decoded(record.payload, revision: record.sequence)
        let processes = try ClusterProcess.all(in: pids)
        let run = ShopRun(
            workload: workload, map: connection.installation.shards, logs: connection.logs,
            processes: processes + [.own("loadtest")], clockHours: clockHours, patience: .seconds(patience))
        let report = ShopReport(try await run.run(), run, set)
        print(json ? try report.jsonText() : report.text)
        guard report.problems.isEmpty else { throw LoadError(report.problems.joined(separator: "; ")) }
    }
}

/// What a run found out; its JSON is what the program prints.
struct ShopReport: Encodable {
    var scenario = "shop"
    /// Those who came.
    var customers: Int64
    var days: Int
    var seed: UInt64
    var events: Int64
    var orders: Int64
    /// Minor units.
    var revenue: Int64
    var rules: Int
    var segments: Int
    var shards: Int
    var workers: Int
    var seconds: Double
    var eventsPerSecond: Double
    /// Peaks of the workers' resident memory, over the customers.
    var bytesPerCustomer: Double
    /// How often each rule acted.
    var executions: [String: Int64]
    var suppressed: Int64
    var postponed: Int64
    var timersArmed: Int64
    var commitBytes: Int
    var correct: Bool
    var problems: [String]
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, days, seed, events, orders, revenue, rules, segments, shards, workers, seconds, executions
        case suppressed, postponed, correct, problems, context
        case eventsPerSecond = "events_per_second"
        case bytesPerCustomer = "bytes_per_customer"
        case timersArmed = "timers_armed"
        case commitBytes = "commit_bytes"
    }

    init(_ outcome: ShopRun.Outcome, _ run: ShopRun, _ set: RuleSet) {
        let (tally, view) = (outcome.tally, outcome.view)
        customers = view.customers
        days = run.workload.days
        seed = run.workload.seed
        events = view.events
        orders = view.orders
        revenue = view.revenue
        rules = set.rules.count
        segments = set.segments.count
        shards = run.map.shards
        workers = run.processes.count { $0.name.hasPrefix("worker") }
        seconds = (outcome.seconds * 100).rounded() / 100
        eventsPerSecond = (Double(tally.events) / outcome.seconds).rounded()
        let bytes = outcome.memory.peaks.filter { $0.key.hasPrefix("worker") }.reduce(0) { $0 + $1.value }
        bytesPerCustomer = (Double(bytes) / Double(max(tally.customers, 1))).rounded()
        executions = Dictionary(uniqueKeysWithValues: set.rules.map { ($0.name, view.opened[$0.id] ?? 0) })
        suppressed = view.suppressed
        postponed = view.postponed
        timersArmed = view.armed
        commitBytes = view.commitBytes
        problems = []
        let reviews = view.opened[RuleID(name: ShopWorkload.reviewRule)] ?? 0
        let compared: [(String, Int64, Int64)] = [
            ("customers", view.customers, tally.customers), ("events", view.events, tally.events),
            ("orders", view.orders, tally.orders), ("revenue", view.revenue, tally.revenue),
            ("reviews asked for", reviews, tally.reviews), ("repeats", view.repeats, 0), ("events set aside", view.setAside, 0),
        ]
        for (what, found, right) in compared where found != right { problems.append("\(what): \(found); right are \(right)") }
        correct = problems.isEmpty
    }

    var text: String {
        let acted = executions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return """
            \(customers) customers in \(days) days: \(events) events, \(orders) orders worth \(revenue) minor units, \
            in \(seconds) s: \(Int(eventsPerSecond)) events/s
            memory of \(workers) workers: \(Int(bytesPerCustomer)) bytes a customer; commits \
            \(commitBytes / max(Int(events), 1)) bytes an event
            \(rules) rules, \(segments) segments; \(suppressed) suppressed, \(postponed) postponed; acted: \(acted)
            customers, events, orders, revenue and reviews are those of the shop: \(correct ? "yes" : "NO")
            """
    }
}
