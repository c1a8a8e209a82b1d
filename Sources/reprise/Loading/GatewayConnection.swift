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
    /// The gateway understood the request and refuses it; sending it again would not help.
    struct Refusal: Error, CustomStringConvertible {
        var status: Int
        var message: String
        var description: String { "the gateway answers \(status): \(message)" }
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

    /// Returns when the events are durable. Waits and tries again where the gateway is away or overloaded.
    func send(_ body: [UInt8]) async throws {
        let request = HTTPRequest(
            "POST", url + "/v1/batch", headers: [("Content-Type", "application/json"), ("Authorization", authorization)], body: body)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let problem: String
            var wait = Duration.milliseconds(200)
            do {
                let response = try await client.send(request)
                switch response.status {
                case 200: return
                case 429, 500...599:
                    problem = Self.message(response)
                    if let seconds = response.headers["retry-after"].flatMap({ Int64($0) }) { wait = .seconds(min(seconds, 10)) }
                default: throw Refusal(status: response.status, message: Self.message(response))
                }
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

    /// The `message` of an error's JSON; the body's beginning where there is none.
    private static func message(_ response: HTTPResponse) -> String {
        struct Body: Decodable { var message: String }
        if let body = try? JSONDecoder().decode(Body.self, from: Data(response.body)) { return "\(response.status), \(body.message)" }
        return "\(response.status), \(response.text.prefix(200))"
    }
}
