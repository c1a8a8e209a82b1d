import ArgumentParser
import Foundation
import Model
import Synchronization

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Measure a gateway: batches as fast as they are taken, then single events at a rate.",
        discussion: "Exit code 1 when events that were answered with 200 do not stand in commits.")

    private static let senders = 64

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "The gateway.") var gateway: String
    @Option(help: "Its write key.") var key: String
    @Option(help: ArgumentHelp("Folder with a file for each process of the cluster: its id and start time.", valueName: "folder"))
    var pids: String
    @Option(help: "Who the events are of.") var customers: UInt64 = 100_000
    @Option(help: "Events in a batch.") var batch: Int = 100
    @Option(help: "Batches on their way at once.") var connections: Int = 16
    @Option(help: "Requests a second of one event each.") var rate: Int = 1000
    @Option(help: "Of each part.") var seconds: Int = 15
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...500).contains(batch), (1...512).contains(connections), (1...100_000).contains(rate),
            (1...600).contains(seconds), customers >= 1
        else {
            throw ValidationError(
                "--batch: 1 to 500; --connections: 1 to 512; --rate: 1 to 100000; --seconds: 1 to 600; --customers: 1 or more")
        }
    }

    func run() async throws {
        guard let process = try ClusterProcess.all(in: pids).first(where: { $0.name == "gateway" }) else {
            throw LoadError("there is no gateway among the processes of \(pids)")
        }
        let connection = try await ClusterConnection.open(cluster)
        defer { connection.close() }
        let watch = FireWatch(keepsLateness: false)
        let (shards, logs) = (connection.installation.shards.all, connection.logs)
        let following = Task { try await watch.follow(shards, logs) }
        defer { following.cancel() }
        let client = GatewayClient(url: gateway, key: key, connections: max(connections, Self.senders))
        let warm = try await inBatches(client, seconds: 2)
        let before = process.processorSeconds() ?? 0
        let bulk = try await inBatches(client, seconds: seconds)
        let used = (process.processorSeconds() ?? 0) - before
        let accepted = warm.accepted + bulk.accepted
        try await watch.wait(patience: .seconds(30)) {
            "\($0.applied) of \(accepted) events are applied"
        } until: {
            $0.applied >= Int64(accepted)
        }
        let single = try await oneByOne(client)
        let all = accepted + single.latencies.count
        try await watch.wait(patience: .seconds(30)) {
            "\($0.applied) of \(all) events are applied"
        } until: {
            $0.applied >= Int64(all)
        }
        let report = GatewayReport(
            batch: batch, bytesPerEvent: bulk.bytesPerEvent, connections: connections, accepted: bulk.accepted,
            refused: bulk.refused, eventsPerSecond: (Double(bulk.accepted) / bulk.seconds).rounded(),
            eventsPerProcessorSecond: (Double(bulk.accepted) / used).rounded(), rate: rate,
            single: Percentiles(single.latencies), singleRefused: single.refused)
        print(json ? try report.jsonText() : report.text)
    }

    private struct Bulk {
        var accepted = 0
        var refused = 0
        var seconds = 0.0
        var bytesPerEvent = 0
    }

    /// Each connection sends the next batch when the one before is answered; one that is refused is counted and not repeated.
    private func inBatches(_ client: GatewayClient, seconds: Int) async throws -> Bulk {
        let began = ContinuousClock.now
        let end = began + .seconds(seconds)
        let run = Self.runName()
        let (batch, customers) = (batch, customers)
        var bulk = Bulk()
        try await withThrowingTaskGroup(of: Bulk.self) { group in
            for connection in 0..<connections {
                group.addTask {
                    var body = ShopBatch(events: batch, customers: customers, run: "\(run)\(connection)")
                    var own = Bulk(bytesPerEvent: body.bytes.count / batch)
                    var number: UInt64 = 0
                    while .now < end {
                        body.number(number)
                        number += 1
                        if try await client.post(body.bytes) == 200 { own.accepted += batch } else { own.refused += batch }
                    }
                    return own
                }
            }
            for try await own in group {
                bulk.accepted += own.accepted
                bulk.refused += own.refused
                bulk.bytesPerEvent = own.bytesPerEvent
            }
        }
        bulk.seconds = began.duration(to: .now) / .seconds(1)
        return bulk
    }

    /// At the rate, spread over senders that each keep to its moments: a late answer makes the next request's latency longer,
    /// which counts from the moment at which it was to be sent.
    private func oneByOne(_ client: GatewayClient) async throws -> (latencies: [Double], refused: Int) {
        let run = Self.runName()
        let (customers, seconds) = (customers, seconds)
        let pause = Duration.seconds(Double(Self.senders) / Double(rate))
        return try await withThrowingTaskGroup(of: (latencies: [Double], refused: Int).self) { group in
            for sender in 0..<Self.senders {
                group.addTask {
                    var body = ShopBatch(events: 1, customers: customers, run: "\(run)\(sender)")
                    var own = (latencies: [Double](), refused: 0)
                    var next = ContinuousClock.now + pause * Double.random(in: 0..<1)
                    let end = next + .seconds(seconds)
                    var number: UInt64 = 0
                    while next < end {
                        try await Task.sleep(until: next)
                        body.number(number)
                        number += 1
                        if try await client.post(body.bytes) == 200 {
                            own.latencies.append(next.duration(to: .now) / .milliseconds(1))
                        } else {
                            own.refused += 1
                        }
                        next += pause
                    }
                    return own
                }
            }
            var all = (latencies: [Double](), refused: 0)
            for try await own in group {
                all.latencies += own.latencies
                all.refused += own.refused
            }
            return all
        }
    }

    private static func runName() -> String { String(UInt64.random(in: .min ... .max), radix: 36) + "-" }
}

/// What a run found out; its JSON is what the program prints.
struct GatewayReport: Encodable {
    var scenario = "gateway"
    var batch: Int
    var bytesPerEvent: Int
    var connections: Int
    /// Events of the batches that were answered with 200, and of the others.
    var accepted: Int
    var refused: Int
    var eventsPerSecond: Double
    /// Of the gateway's processor time alone.
    var eventsPerProcessorSecond: Double
    /// Requests of one event each.
    var rate: Int
    /// Milliseconds from when it was to be sent to its answer.
    var single: Percentiles
    var singleRefused: Int
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, batch, connections, accepted, refused, rate, context
        case bytesPerEvent = "bytes_per_event"
        case eventsPerSecond = "events_per_second"
        case eventsPerProcessorSecond = "events_per_gateway_processor_second"
        case single = "single_milliseconds"
        case singleRefused = "single_refused"
    }

    var text: String {
        """
        batches of \(batch) (\(bytesPerEvent) bytes an event): \(Int(eventsPerSecond)) events/s, \
        \(Int(eventsPerProcessorSecond)) for each second of a core that the gateway used; \(refused) refused
        single events, \(rate) a second: \(single.text); \(singleRefused) refused
        """
    }
}
