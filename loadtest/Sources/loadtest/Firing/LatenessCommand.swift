import ArgumentParser
import Foundation
import Model
import Ports

struct LatenessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lateness",
        abstract: "Measure how late timers fire by the wall clock, with so many falling due a second.",
        discussion: """
            The cluster must be in live mode, empty, have the rule (loadtest rules --lapse-after) and be ready. So many
            customers a second place an order each; every order's timer falls due a moment later. Lateness is the time from due
            to when the log had the commit with the decision, by the log's clock. Exit code 1 unless each has fired once.
            """)

    private static let tick = Duration.milliseconds(10)

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "Orders a second, and so timers that fall due.") var rate: Int = 20_000
    @Option(help: "Of orders.") var seconds: Int = 30
    @Option(help: "What --lapse-after of the rule is, milliseconds.") var lapseAfter: Int64
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...1_000_000).contains(rate), (1...600).contains(seconds), (1...60_000).contains(lapseAfter) else {
            throw ValidationError("--rate: 1 to 1000000; --seconds: 1 to 600; --lapse-after: 1 to 60000")
        }
    }

    func run() async throws {
        let connection = try await ClusterConnection.open(cluster)
        defer { connection.close() }
        guard connection.installation.timeMode == .live else {
            throw LoadError("the installation '\(cluster.prefix)' is in event-time mode; this needs a live one")
        }
        let map = connection.installation.shards
        let watch = FireWatch(keepsLateness: true)
        let logs = connection.logs
        let following = Task { try await watch.follow(map.all, logs) }
        defer { following.cancel() }
        let publisher = try await InputPublisher(logs: logs, shards: map.all)
        let began = ContinuousClock.now
        let sent = try await place(publisher, map)
        let sendSeconds = began.duration(to: .now) / .seconds(1)
        try await watch.wait(patience: .seconds(30) + .milliseconds(lapseAfter)) { view in
            "\(view.applied) orders, \(view.fired) timers fired"
        } until: {
            $0.fired >= sent
        }
        let report = LatenessReport(
            rate: rate, sentPerSecond: (Double(sent) / sendSeconds).rounded(), timers: sent, shards: map.shards,
            lateness: Percentiles(watch.lateness), distribution: Distribution(watch.lateness), correct: watch.view.fired == sent)
        print(json ? try report.jsonText() : report.text)
        guard report.correct else { throw LoadError("\(watch.view.fired) timers fired of \(sent)") }
    }

    /// Orders at the rate, packed as they come in a tick. What cannot be kept is made up for.
    private func place(_ publisher: InputPublisher, _ map: ShardMap) async throws -> Int {
        let began = ContinuousClock.now
        let all = rate * seconds
        var batches = ShardBatches(map: map)
        var next = 0
        var progress = Progress()
        while next < all {
            try await Task.sleep(for: Self.tick)
            let due = min(all, Int(Double(rate) * (began.duration(to: .now) / .seconds(1))))
            let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            while next < due {
                let shard = batches.append(FirstOrders.event(UInt64(next), of: 1, at: now))
                if batches.isFull(shard) { try await publisher.send(batches.take(shard), to: shard) }
                next += 1
            }
            for shard in map.all where batches.count(shard) > 0 { try await publisher.send(batches.take(shard), to: shard) }
            progress.show("\(next) of \(all) orders sent")
        }
        try await publisher.drain()
        return next
    }
}

/// What a run found out; its JSON is what the program prints.
struct LatenessReport: Encodable {
    var scenario = "lateness"
    /// Wanted and reached, orders and so timers a second.
    var rate: Int
    var sentPerSecond: Double
    var timers: Int
    var shards: Int
    /// Milliseconds.
    var lateness: Percentiles
    var distribution: Distribution
    var correct: Bool
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, rate, timers, shards, distribution, correct, context
        case sentPerSecond = "sent_per_second"
        case lateness = "lateness_milliseconds"
    }

    var text: String {
        """
        \(timers) timers, \(Int(sentPerSecond)) a second: lateness \(lateness.text)
        each once: \(correct ? "yes" : "NO")
        """
    }
}
