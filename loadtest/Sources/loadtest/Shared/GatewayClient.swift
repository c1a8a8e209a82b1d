import Curl
import Foundation

/// Posts batches as a shop would. Safe to use from any thread.
final class GatewayClient: Sendable {
    private let url: String
    private let authorization: String
    private let client: HTTPClient

    init(url: String, key: String, connections: Int) {
        self.url = url + "/v1/batch"
        authorization = "Basic " + Data((key + ":").utf8).base64EncodedString()
        client = HTTPClient(connections: connections)
    }

    /// The status of the answer.
    func post(_ body: [UInt8]) async throws -> Int {
        let request = HTTPRequest(
            "POST", url, headers: [("Content-Type", "application/json"), ("Authorization", authorization)], body: body)
        return try await client.send(request).status
    }
}
