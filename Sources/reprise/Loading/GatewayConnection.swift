import ArgumentParser
import Curl
import Foundation

struct GatewayAddressOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The gateway's address; or REPRISE_GATEWAY.", valueName: "url"))
    var gateway: String = Environment.value("REPRISE_GATEWAY") ?? "http://127.0.0.1:8080"
    @Option(help: ArgumentHelp("The key that events are sent with; or REPRISE_WRITE_KEY.", valueName: "key"))
    var writeKey: String?

    func connection() throws -> GatewayConnection {
        guard let key = writeKey ?? Environment.value("REPRISE_WRITE_KEY") else {
            throw CommandError("no write key: give --write-key, or set REPRISE_WRITE_KEY (./cluster/up prints it)")
        }
        return GatewayConnection(url: gateway, key: key)
    }
}

/// Sends batches over one connection that is kept open.
struct GatewayConnection: Sendable {
    /// An event of a batch that was not taken; it would be refused again.
    struct Rejection: Decodable {
        /// Its place in the batch, from 0.
        var index: Int
        var field: String?
        var message: String

        var reason: String { "the gateway refuses it: " + (field.map { $0 + " " } ?? "") + message }
    }

    private struct Answer: Decodable {
        var message: String?
        var rejected: [Rejection]?
    }

    /// How long a gateway that is down or overloaded is tried.
    static let patience = Duration.seconds(60)

    private let client = HTTPClient(connections: 1)
    private let url: String
    private let authorization: String

    init(url: String, key: String) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        authorization = "Basic " + Data((key + ":").utf8).base64EncodedString()
    }

    /// Returns when the events are durable, but for those that it returns. Waits and tries again where the gateway is away
    /// or overloaded.
    func send(_ body: [UInt8]) async throws -> [Rejection] {
        let request = HTTPRequest(
            "POST", url + "/v1/batch", headers: [("Content-Type", "application/json"), ("Authorization", authorization)],
            body: body)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            var problem = ""
            var wait = Duration.milliseconds(200)
            do {
                let response = try await client.send(request)
                let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body))
                if response.status == 200 || answer?.rejected?.isEmpty == false { return answer?.rejected ?? [] }
                problem = "\(response.status), \(answer?.message ?? String(response.text.prefix(200)))"
                guard response.status == 429 || response.status >= 500 else {
                    throw CommandError("the gateway answers \(problem)")
                }
                if let seconds = response.headers["retry-after"].flatMap({ Int64($0) }) { wait = .seconds(min(seconds, 10)) }
            } catch let error as TransferError {
                guard error.code != .options else { throw CommandError("--gateway '\(url)': \(error.message)") }
                problem = error.message
            }
            guard ContinuousClock.now + wait < deadline else {
                throw CommandError("the gateway at \(url) takes no events: \(problem)")
            }
            try await Task.sleep(for: wait)
        }
    }

    func isReady() async -> Bool {
        let response = try? await client.send(HTTPRequest("GET", url + "/ready", timeoutMilliseconds: 1000))
        return response?.status == 200
    }
}
