import ArgumentParser
import Foundation
import Model
import Ports
import Workload

struct TimersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timers",
        abstract: "Arm a timer for each of many customers, let all of them fall due, and count how many fire a second.",
        discussion: """
            The cluster must be in event-time mode, empty, have the rule (loadtest rules --lapse-after) and be ready. One order
            of each customer arms its timer; then the clock is set behind the last of them. Exit code 1 unless each has fired
            once, at its time.
            """)

    /// The orders are spread over so much of the events' time.
    private static let spanMilliseconds = 30 * Milliseconds.day

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "How many timers are armed, one a customer.") var customers: UInt64 = 1_000_000
    @Option(help: "What --lapse-after of the rule is, milliseconds.") var lapseAfter: Int64
    @Option(help: "How many clock records bring the time forward.") var ticks: Int64 = 1
    @Option(help: ArgumentHelp("Folder with a file for each process of the cluster: its id and start time.", valueName: "folder"))
    var pids: String
    @Option(help: ArgumentHelp("Give up when nothing is committed for so long.", valueName: "seconds")) var patience: Int = 120
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...ReferenceWorkload.countMax).contains(customers), (1...10_000).contains(ticks), patience >= 1, lapseAfter >= 1
        else {
            throw ValidationError("--customers: 1 to \(ReferenceWorkload.countMax); --ticks: 1 to 10000; --patience: 1 or more")
        }
    }

    func run() async throws {
        let connection = try await ClusterConnection.open(cluster)
        defer { connection.close() }
        guard connection.installation.timeMode == .eventTime else {
            throw LoadError("the installation '\(cluster.prefix)' is in live mode; this needs --event-time")
        }
        let map = connection.installation.shards
        let processes = try ClusterProcess.all(in: pids) + [.own("loadtest")]
        let sampler = MemorySampler(processes)
        sampler.start()
        let watch = FireWatch(keepsLateness: false)
        let logs = connection.logs
        let publisher = try await InputPublisher(logs: logs, shards: map.all)
        for shard in map.all where await publisher.last(of: shard) > 0 { throw LoadError("\(LogName.input(shard)) is not empty") }
        let following = Task { try await watch.follow(map.all, logs) }
        defer { following.cancel() }
        let loadSeconds = try await load(publisher, map, watch)
        let armedMemory = sampler.stop()
        let fireSeconds = try await fire(publisher, map, watch)
        let expected = (0..<customers).reduce(UInt64(0)) { $0 &+ UInt64(bitPattern: due(of: $1).milliseconds) }
        let view = watch.view
        let report = TimersReport(
            timers: customers, shards: map.shards, workers: processes.count { $0.name.hasPrefix("worker") }, ticks: ticks,
            loadSeconds: loadSeconds, fireSeconds: fireSeconds,
            firesPerSecond: (Double(customers) / fireSeconds).rounded(),
            workersArmedBytes: armedMemory.peaks.filter { $0.key.hasPrefix("worker") }.reduce(0) { $0 + $1.value },
            correct: view.fired == Int(customers) && view.dueSum == expected && view.armed == 0)
        print(json ? try report.jsonText() : report.text)
        guard report.correct else {
            throw LoadError(
                "\(view.fired) timers fired of \(customers), \(view.armed) are still armed, or at other times than due")
        }
    }

    private func placed(_ number: UInt64) -> Instant {
        ReferenceWorkload.start + Int64(Double(Self.spanMilliseconds) * Double(number) / Double(customers))
    }

    private func due(of number: UInt64) -> Instant { placed(number) + lapseAfter }

    /// All orders; seconds until the last is committed.
    private func load(_ publisher: InputPublisher, _ map: ShardMap, _ watch: FireWatch) async throws -> Double {
        let began = ContinuousClock.now
        let wanted = Int64(customers)
        async let sending: Void = {
            var batches = ShardBatches(map: map)
            for number in 0..<customers {
                let shard = batches.append(FirstOrders.event(number, of: 1, at: placed(number)))
                if batches.isFull(shard) { try await publisher.send(batches.take(shard), to: shard) }
            }
            for shard in map.all where batches.count(shard) > 0 { try await publisher.send(batches.take(shard), to: shard) }
            try await publisher.drain()
        }()
        try await watch.wait(patience: .seconds(patience)) { view in
            "\(view.applied) of \(wanted) orders, \(view.armed) timers armed"
        } until: {
            $0.applied == wanted
        }
        try await sending
        guard watch.view.armed == wanted else { throw LoadError("\(watch.view.armed) timers are armed for \(wanted) orders") }
        return began.duration(to: .now) / .seconds(1)
    }

    /// Brings the time behind all of them; seconds until the last has fired and is committed.
    private func fire(_ publisher: InputPublisher, _ map: ShardMap, _ watch: FireWatch) async throws -> Double {
        let began = ContinuousClock.now
        let wanted = Int(customers)
        for tick in 1...ticks {
            let time = ReferenceWorkload.start + lapseAfter + Self.spanMilliseconds * tick / ticks
            let record = InputMessage.clock(time).encoded()
            for shard in map.all { try await publisher.send(record, to: shard) }
        }
        try await watch.wait(patience: .seconds(patience)) { view in
            "\(view.fired) of \(wanted) timers fired"
        } until: {
            $0.fired >= wanted
        }
        return began.duration(to: .now) / .seconds(1)
    }
}

/// What a run found out; its JSON is what the program prints.
struct TimersReport: Encodable {
    var scenario = "timers"
    var timers: UInt64
    var shards: Int
    var workers: Int
    var ticks: Int64
    /// From the first order's sending to the last one's commit.
    var loadSeconds: Double
    /// From the clock record's sending until the last timer's commit was read.
    var fireSeconds: Double
    var firesPerSecond: Double
    /// Peaks of the workers' resident memory before the first one fired, added.
    var workersArmedBytes: UInt64
    var correct: Bool
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, timers, shards, workers, ticks, correct, context
        case loadSeconds = "load_seconds"
        case fireSeconds = "fire_seconds"
        case firesPerSecond = "fires_per_second"
        case workersArmedBytes = "workers_armed_rss_bytes"
    }

    var text: String {
        """
        \(timers) timers armed in \(String(format: "%.1f", loadSeconds)) s, workers \(workersArmedBytes >> 20) MB: \
        \(workersArmedBytes / max(timers, 1)) bytes a customer
        fired, decided and committed in \(String(format: "%.2f", fireSeconds)) s: \(Int(firesPerSecond)) a second
        each once and at its time: \(correct ? "yes" : "NO")
        """
    }
}
