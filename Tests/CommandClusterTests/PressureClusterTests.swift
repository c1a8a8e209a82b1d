import Foundation
import FoundationNetworking
import Synchronization
import TestSupport
import Testing

@Suite("F6 pressure on a whole cluster", .serialized)
struct PressureClusterTests {
    private static let customers = 100
    private static let senders = 120
    private static let eventsPerBatch = 50
    private static let requestMemoryMB = 32

    @Test("F6 I1 a log that sleeps under full load: memory stays, nothing unwritten is acknowledged, all is applied once")
    func frozenLog() async throws {
        let cluster = try await TestCluster.start(
            workers: 1, shards: 4, timeMode: [], gateway: ["--request-memory", String(Self.requestMemoryMB)])
        do {
            try await frozenLog(cluster)
        } catch {
            Issue.record("\(error)\n\(cluster.logs())")
        }
        try await cluster.stop()
    }

    private func frozenLog(_ cluster: TestCluster) async throws {
        let client = LoadClient(cluster)
        #expect(try await client.post(Self.body(sender: 0, round: 9)).status == 200)
        let before = try residentMB(of: cluster.processID("gateway"))
        for server in cluster.nats.servers { try await server.freeze() }
        let tally = Tally()
        let sending = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<Self.senders {
                    group.addTask {
                        while true {
                            let began = tally.isFrozen.withLock { $0 }
                            let answer = try await client.post(Self.body(sender: sender, round: 0))
                            tally.statuses.withLock { $0[answer.status, default: 0] += 1 }
                            if answer.status == 200 {
                                if began, tally.isFrozen.withLock({ $0 }) { tally.acknowledgedFrozen.withLock { $0 += 1 } }
                                return
                            }
                            guard answer.status == 429 || answer.status == 503, let seconds = answer.retryAfterSeconds else {
                                throw TestSupportError("answered \(answer.status)")
                            }
                            let again = ContinuousClock.now + .seconds(seconds)
                            try await eventually("it may try again", within: .seconds(seconds + 10)) {
                                ContinuousClock.now >= again
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        // Long enough that what the gateway holds has waited in vain, and far more was refused at its door.
        try await eventually("the gateway is pressed", within: .seconds(90)) {
            let now = try residentMB(of: cluster.processID("gateway"))
            tally.residentMB.withLock { $0 = max($0, now) }
            let refused = tally.statuses.withLock { ($0[429] ?? 0, $0[503] ?? 0) }
            return refused.0 >= 5 * Self.senders && refused.1 >= Self.senders / 2
        }
        let most = tally.residentMB.withLock { $0 }
        tally.isFrozen.withLock { $0 = false }
        for server in cluster.nats.servers { try server.thaw() }
        try await sending.value
        let answers = tally.statuses.withLock { $0 }
        print("gateway: \(before) MB before, \(most) MB at most; answers \(answers.sorted { $0.key < $1.key })")
        #expect(before > 0 && most >= before)
        #expect(most <= before + 2 * Self.requestMemoryMB, "beside what it had before, twice the bodies' bound")
        #expect(tally.acknowledgedFrozen.withLock { $0 } == 0, "nothing is acknowledged without the log")
        #expect((answers[503] ?? 0) + (answers[429] ?? 0) > 0 && answers[200] == Self.senders)
        let expected = (Self.senders + 1) * Self.eventsPerBatch
        do {
            try await eventually("every event is applied", within: .seconds(90)) {
                var sum = 0
                for customer in 0..<Self.customers { sum += try await client.views("u:c\(customer)") }
                tally.views.withLock { [sum] in $0 = sum }
                return sum >= expected
            }
        } catch {
            throw TestSupportError("\(tally.views.withLock { $0 }) of \(expected) events are applied")
        }
        #expect(tally.views.withLock { $0 } == expected, "each once")
    }

    /// About 4 KB an event.
    private static func body(sender: Int, round: Int) -> [UInt8] {
        let padding = String(repeating: "x", count: 4000)
        let events = (0..<eventsPerBatch).map { index in
            "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"c\((sender * 7 + index) % customers)\","
                + "\"messageId\":\"\(sender)-\(round)-\(index)\","
                + "\"properties\":{\"product_id\":\"p\",\"padding\":\"\(padding)\"}}"
        }
        return Array("{\"batch\":[\(events.joined(separator: ","))]}".utf8)
    }

    private func residentMB(of process: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
        guard let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TestSupportError("no memory of process \(process)")
        }
        return (pages * Int(getpagesize())) >> 20
    }
}

/// What the senders saw.
private final class Tally: Sendable {
    let isFrozen = Mutex(true)
    let statuses = Mutex<[Int: Int]>([:])
    let acknowledgedFrozen = Mutex(0)
    /// The gateway's memory at its largest.
    let residentMB = Mutex(0)
    let views = Mutex(0)
}

/// Sends batches as a shop would, over many connections, and asks for customers.
private final class LoadClient: Sendable {
    private let gateway: String
    private let session: URLSession

    init(_ cluster: TestCluster) {
        gateway = cluster.gateway
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 256
        session = URLSession(configuration: configuration)
    }

    func post(_ body: [UInt8]) async throws -> (status: Int, retryAfterSeconds: Int?) {
        let (_, response) = try await send("/v1/batch", body, key: TestCluster.writeKey)
        return (response.statusCode, response.value(forHTTPHeaderField: "Retry-After").flatMap { Int($0) })
    }

    func views(_ customer: String) async throws -> Int {
        struct View: Decodable { let views: Int }
        let (data, response) = try await send("/api/customers/\(customer)", nil, key: TestCluster.adminKey)
        return response.statusCode == 200 ? try JSONDecoder().decode(View.self, from: data).views : 0
    }

    private func send(_ path: String, _ body: [UInt8]?, key: String) async throws -> (Data, HTTPURLResponse) {
        guard let url = URL(string: gateway + path) else { throw TestSupportError("no address: \(path)") }
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = body == nil ? "GET" : "POST"
        request.httpBody = body.map { Data($0) }
        request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await session.data(for: request)
        guard let http = response as? HTTPURLResponse else { throw TestSupportError("no HTTP answer") }
        return (data, http)
    }
}
