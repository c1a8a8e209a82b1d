import ArgumentParser
import Foundation
import Model
import Ports
import Synchronization

struct HotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hot",
        abstract: "Measure what customers wait for their commits, without and with one that sends far too much.",
        discussion: "Exit code 1 when an event that was answered with 200 does not stand in a commit.")

    private static let senders = 16
    private static let hotBatch = 50
    private static let hotSenders = 4
    private static let settling = Duration.seconds(20)

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "The gateway.") var gateway: String
    @Option(help: "Its write key.") var key: String
    @Option var customers: Int = 500
    @Option(help: "Events a second of all customers but the hot one.") var rate: Int = 200
    @Option(help: "Events a second of the hot one.") var hotRate: Int = 1667
    @Option(help: "Of each part.") var seconds: Int = 20
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...100_000).contains(rate), (1...1_000_000).contains(hotRate), (1...600).contains(seconds), customers >= 1 else {
            throw ValidationError("--rate: 1 to 100000; --hot-rate: 1 to 1000000; --seconds: 1 to 600; --customers: 1 or more")
        }
    }

    func run() async throws {
        let connection = try await ClusterConnection.open(cluster)
        defer { connection.close() }
        let watch = EventWatch()
        let logs = connection.logs
        let following = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for shard in connection.installation.shards.all { group.addTask { try await watch.follow(shard, logs) } }
                try await group.waitForAll()
            }
        }
        defer { following.cancel() }
        let gate = Views(GatewayClient(url: gateway, key: key, connections: Self.senders + Self.hotSenders))
        _ = try await part(gate, watch, seconds: 3, hot: false)
        let alone = try await part(gate, watch, seconds: seconds, hot: false)
        let beside = try await part(gate, watch, seconds: seconds, hot: true)
        let home = connection.installation.shards.shard(of: .user("hot"))
        let report = HotReport(
            customers: customers, rate: rate, hotRate: hotRate, seconds: seconds,
            shards: connection.installation.shards.shards, alone: Percentiles(alone.latencies.map(\.milliseconds)),
            beside: Percentiles(beside.latencies.map(\.milliseconds)),
            sameShard: Percentiles(beside.latencies.filter { $0.shard == home }.map(\.milliseconds)),
            hotAccepted: beside.hot.accepted, hotRefused: beside.hot.refused,
            othersRefused: alone.refused + beside.refused, missing: watch.underWay)
        print(json ? try report.jsonText() : report.text)
        guard report.missing == 0 else { throw LoadError("\(report.missing) events were accepted and stand in no commit") }
    }

    private struct Part {
        var latencies: [EventWatch.Latency]
        /// Requests of the others that were not answered with 200.
        var refused: Int
        var hot: (accepted: Int, refused: Int)
    }

    private func part(_ gate: Views, _ watch: EventWatch, seconds: Int, hot: Bool) async throws -> Part {
        _ = watch.takeLatencies()
        let end = ContinuousClock.now + .seconds(seconds)
        let tally = HotTally()
        let (rate, customers, hotRate) = (rate, customers, hotRate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<Self.senders {
                group.addTask {
                    var number = sender
                    try await Pace.keep(Double(rate) / Double(Self.senders), until: { .now >= end }) {
                        let customer = CustomerKey.user("q\(number % customers)")
                        number += Self.senders
                        guard watch.sending(customer) else { return }
                        if try await gate.track(user: "q\((number - Self.senders) % customers)", count: 1) != 200 {
                            watch.forget(customer)
                            tally.refused.add(1, ordering: .relaxed)
                        }
                    }
                }
            }
            for _ in 0..<(hot ? Self.hotSenders : 0) {
                group.addTask {
                    try await Pace.keep(Double(hotRate) / Double(Self.hotBatch * Self.hotSenders), until: { .now >= end }) {
                        let isTaken = try await gate.track(user: "hot", count: Self.hotBatch) == 200
                        if isTaken {
                            tally.hotAccepted.add(Self.hotBatch, ordering: .relaxed)
                        } else {
                            tally.hotRefused.add(Self.hotBatch, ordering: .relaxed)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let settled = ContinuousClock.now + Self.settling
        while watch.underWay > 0 && ContinuousClock.now < settled { try await Task.sleep(for: .milliseconds(20)) }
        return Part(
            latencies: watch.takeLatencies(), refused: tally.refused.load(ordering: .relaxed),
            hot: (tally.hotAccepted.load(ordering: .relaxed), tally.hotRefused.load(ordering: .relaxed)))
    }
}

private final class HotTally: Sendable {
    let refused = Atomic(0)
    let hotAccepted = Atomic(0)
    let hotRefused = Atomic(0)
}

/// What a run found out; its JSON is what the program prints.
struct HotReport: Encodable {
    var scenario = "hot"
    var customers: Int
    var rate: Int
    var hotRate: Int
    var seconds: Int
    var shards: Int
    /// Milliseconds until the commit, of the others' events: without the hot one, beside it, and on its shard beside it.
    var alone: Percentiles
    var beside: Percentiles
    var sameShard: Percentiles
    /// Events of the hot one.
    var hotAccepted: Int
    var hotRefused: Int
    /// Of the others.
    var othersRefused: Int
    var missing: Int
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, rate, seconds, shards, missing, context
        case hotRate = "hot_rate"
        case alone = "alone_milliseconds"
        case beside = "beside_milliseconds"
        case sameShard = "beside_on_its_shard_milliseconds"
        case hotAccepted = "hot_events_accepted"
        case hotRefused = "hot_events_refused"
        case othersRefused = "others_refused"
    }

    var text: String {
        func ratio(_ one: Double, _ other: Double) -> String { other > 0 ? String(format: "%.2f", one / other) : "-" }
        return """
            \(customers) customers, \(rate) events/s
            the hot one:  \(hotRate) events/s, \(hotAccepted) accepted, \(hotRefused) refused
            alone:        \(alone.text)
            beside it:    \(beside.text); p50 × \(ratio(beside.p50, alone.p50)), p99 × \(ratio(beside.p99, alone.p99))
            on its shard: \(sameShard.text)
            others refused: \(othersRefused); missing: \(missing)
            """
    }
}
