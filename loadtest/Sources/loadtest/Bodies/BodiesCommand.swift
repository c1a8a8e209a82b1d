import ArgumentParser
import Foundation
import Gateway
import Model

struct BodiesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bodies",
        abstract: "Run a gateway's work on request bodies alone: from their bytes to batches for the input logs, on one core.",
        discussion: "No HTTP, no log: what is measured is reading, admission and packing. Exit code 1 when an event is missing.")

    @Option(help: "Request bodies.") var bodies: Int = 5000
    @Option(help: "Events in a body.") var batch: Int = 100
    @Option(help: "Who the events are of.") var customers: UInt64 = 100_000
    @Option(help: "Shards, a power of two.") var shards: Int = 16
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        guard (1...500).contains(batch), bodies >= 1, customers >= 1 else {
            throw ValidationError("--batch: 1 to 500; --bodies and --customers: 1 or more")
        }
        guard let map = ShardMap(shards: shards) else {
            throw ValidationError("--shards: a power of two up to \(Limits.shardsMax)")
        }
        var body = ShopBatch(events: batch, customers: customers, run: "b-")
        var path = BodyPath(map: map)
        // The first ones fill caches and tables.
        for number in 0..<UInt64(100) {
            body.number(number)
            try path.take(body.bytes)
        }
        let warm = path.eventsWritten
        var seconds = 0.0
        for number in 0..<UInt64(bodies) {
            body.number(1000 + number)
            let started = ThreadTime.seconds()
            try path.take(body.bytes)
            seconds += ThreadTime.seconds() - started
        }
        let events = path.eventsWritten - warm
        guard events == bodies * batch else { throw LoadError("\(events) events came out of \(bodies * batch)") }
        let report = BodiesReport(
            bodies: bodies, batch: batch, bytesPerEvent: body.bytes.count / batch,
            eventsPerProcessorSecond: (Double(events) / seconds).rounded())
        print(json ? try report.json() : report.text)
    }
}

/// The way of a request's body through a gateway, with a log that takes every batch at once.
private struct BodyPath {
    private let map: ShardMap
    private let reading = RequestReading(
        keys: WriteKeys(["key"]), mapping: EventMapping(settings: EventMapping.Settings(timeMode: .live)))
    private let admission = Admission(CustomerPace.Settings(perMinute: 60_000_000, burst: 60_000_000))
    private var assemblers: [BatchAssembler]
    private var now = Instant(milliseconds: 1_773_000_000_000)
    private var ticket: UInt64 = 0
    private(set) var eventsWritten = 0

    init(map: ShardMap) {
        self.map = map
        assemblers = map.all.map { _ in BatchAssembler(settings: BatchAssembler.Settings()) }
    }

    mutating func take(_ body: [UInt8]) throws {
        now = now + 1
        ticket += 1
        let outcome = try reading.read(.batch, authorization: "Bearer key", body: body, receivedAt: now)
        let decision = admission.decide(outcome.events, now: now)
        guard outcome.rejected.isEmpty, decision.refusal == nil else { throw LoadError("an event was not taken") }
        guard outcome.quick == outcome.events.count else {
            throw LoadError("only \(outcome.quick) events were read the quick way")
        }
        for (shard, events) in decision.events.parts(map) {
            perform(assemblers[Int(shard.number)].add(events, ticket: ticket, now: now), shard)
        }
        for shard in map.all { perform(assemblers[Int(shard.number)].wake(now: now), shard) }
    }

    private mutating func perform(_ actions: [BatchAssembler.Action], _ shard: ShardID) {
        for case .append(let batch, _, let events) in actions {
            eventsWritten += events
            perform(assemblers[Int(shard.number)].finished(batch, .success(1), now: now), shard)
        }
    }
}

struct BodiesReport: Encodable {
    var bodies: Int
    var batch: Int
    var bytesPerEvent: Int
    /// One thread.
    var eventsPerProcessorSecond: Double

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        "\(bodies) bodies of \(batch) events (\(bytesPerEvent) bytes an event): "
            + "\(Int(eventsPerProcessorSecond)) events/s on one core"
    }
}
