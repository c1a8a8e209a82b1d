import Foundation
import FoundationNetworking
import Gateway
import Glibc
import Logging
import Model
import Ports
import SimulatedPorts
import TestSupport
import Testing

/// The machine's clock.
struct MachineClock: WallClock {
    func now() -> Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    func sleep(until instant: Instant) async throws {
        let left = instant - now()
        if left > 0 { try await Task.sleep(for: .milliseconds(left)) } else { try Task.checkCancellation() }
    }
}

/// A gateway on a free port over logs in memory, stopped when `body` ends.
struct RunningGateway: Sendable {
    let port: Int
    let logs: SimulatedLogStore
    let messaging: SimulatedMessaging
    let shards: ShardMap

    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        func json() throws -> JSONValue { try JSONDocument(body).root }
    }

    static func run(
        timeMode: Installation.TimeMode = .live, bytesInFlightMax: Int = 256 << 20, pace: CustomerPace.Settings = .init(),
        bodyMilliseconds: Int64 = Limits.bodyMilliseconds,
        prepare: @Sendable (SimulatedLogStore) -> Void = { _ in },
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let clock = MachineClock()
        let logs = SimulatedLogStore(clock: clock)
        let messaging = SimulatedMessaging(clock: clock)
        prepare(logs)
        let shards = try #require(ShardMap(shards: 4))
        var options = GatewayOptions(
            port: 0, writeKeys: ["key", "other"], adminKey: "admin&key",
            installation: Installation(shards: shards, timeMode: timeMode, replicas: 1))
        options.bytesInFlightMax = bytesInFlightMax
        options.pace = pace
        options.bodyMilliseconds = bodyMilliseconds
        var log = Logger(label: "gateway")
        log.logLevel = .critical
        let (ports, source) = AsyncStream<Int>.makeStream()
        let fixed = options
        let quiet = log
        let role = Task {
            defer { source.finish() }
            try await GatewayRole.run(options: fixed, logs: logs, messaging: messaging, clock: clock, log: quiet) {
                source.yield($0)
            }
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await role.value
            throw CancellationError()
        }
        let gateway = RunningGateway(port: port, logs: logs, messaging: messaging, shards: shards)
        do {
            try await gateway.waitUntilReady()
            try await body(gateway)
        } catch {
            role.cancel()
            _ = await role.result
            throw error
        }
        role.cancel()
        try await role.value
    }

    func waitUntilReady() async throws {
        try await eventually("the gateway is ready") { try await self.send("GET", "/ready").status == 200 }
    }

    func send(_ method: String, _ path: String, body: [UInt8]? = nil, headers: [String: String] = [:]) async throws -> Answer {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        var request = URLRequest(url: url, timeoutInterval: 30)
        request.httpMethod = method
        request.httpBody = body.map { Data($0) }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await Self.session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let fields = http.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") }
        return Answer(status: http.statusCode, headers: Dictionary(fields) { first, _ in first }, body: Array(data))
    }

    /// Posts JSON with a valid write key.
    func post(_ path: String, _ json: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("POST", path, body: Array(json.utf8), headers: ["Authorization": "Bearer key"].merging(headers) { $1 })
    }

    private static let session: URLSession = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 64
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        return URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
    }()

    private final class NoRedirects: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) { completionHandler(nil) }
    }

    /// Every event in the input logs, shard by shard, in order; each must stand in its customer's shard.
    func events() throws -> [Event] {
        var events: [Event] = []
        for shard in shards.all {
            for record in logs.contents(of: .input(shard)) {
                guard case .events(let batch) = try InputMessage.decoded(record.payload) else { continue }
                for event in batch { #expect(shards.shard(of: event.customer) == shard) }
                events += batch
            }
        }
        return events
    }
}
