import Synchronization

/// Views of products, as a shop would send them.
final class Views: Sendable {
    private let gateway: GatewayClient
    private let number = Atomic(0)
    private let run = UInt64.random(in: .min ... .max)

    init(_ gateway: GatewayClient) { self.gateway = gateway }

    /// So many by this customer; the status of the answer.
    func track(user: String, count: Int) async throws -> Int {
        let events = (0..<count).map { _ in
            let id = "\(run)-\(number.add(1, ordering: .relaxed).newValue)"
            return "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"\(user)\",\"messageId\":\"\(id)\","
                + "\"properties\":{\"product_id\":\"p\"}}"
        }
        return try await gateway.post(Array("{\"batch\":[\(events.joined(separator: ","))]}".utf8))
    }
}

/// Does something so often a second.
enum Pace {
    /// What cannot be kept is left out, not made up for.
    static func keep(
        _ perSecond: Double, until isOver: () -> Bool, _ body: () async throws -> Void
    ) async throws {
        let pause = Duration.seconds(1 / perSecond)
        var next = ContinuousClock.now + pause * Double.random(in: 0..<1)
        while !isOver() {
            try await Task.sleep(until: next)
            try await body()
            next = max(next + pause, .now)
        }
    }
}
