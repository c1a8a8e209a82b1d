import Curl
import Foundation
import SimulatedPorts

/// Orders through the gateways, as a shop sends them: a request that was not answered is sent again, the very same, until it
/// is. Each sender has customers of its own and one request under way, so a customer's orders keep their order.
struct OrderLoad: Sendable {
    let gateways: [String]
    let writeKey: String
    let seed: UInt64
    /// Of all senders together.
    let ordersPerSecond: Double
    let customers: Int
    let book: LedgerBook

    private static let senders = 8
    private static let ordersPerRequest = 4
    /// How long one request is tried; longer than any fault lasts.
    private static let patience = Duration.seconds(200)

    /// Sends until `end`, then sees to it that what is under way gets its answer.
    func run(until end: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.senders { group.addTask { try await send(as: number, until: end) } }
            try await group.waitForAll()
        }
    }

    private func send(as number: Int, until end: ContinuousClock.Instant) async throws {
        let client = HTTPClient(connections: 1)
        var dice = SplitMix(seed: seed &* 1000 &+ UInt64(number))
        var known: Set<Int> = []
        var sent = 0
        var gateway = number
        let pause = Duration.seconds(Double(Self.senders * Self.ordersPerRequest) / ordersPerSecond)
        var next = ContinuousClock.now + pause * Double(number) / Double(Self.senders)
        while true {
            try await Task.sleep(until: next, clock: .continuous)
            guard ContinuousClock.now < end else { return }
            // What could not be sent in an outage is not made up for: the load stays bounded.
            next = max(next + pause, .now)
            var batch = OrderBatch()
            for _ in 0..<Self.ordersPerRequest {
                let customer = Int.random(in: 0..<max(customers / Self.senders, 1), using: &dice) * Self.senders + number
                if known.insert(customer).inserted { batch.identify("c\(customer)") }
                sent += 1
                batch.order(
                    "o\(number)-\(sent)", customer: "c\(customer)", cents: Int64.random(in: 100...9999, using: &dice),
                    product: Int.random(in: 1...20, using: &dice))
            }
            let fate = await deliver(batch.body, client, &gateway)
            book.note(batch.orders, fate)
            // A shop whose connection broke behind the answer sends again.
            if fate == .acknowledged, dice.chance(perMille: 30) {
                book.count { $0.repeats += 1 }
                _ = await deliver(batch.body, client, &gateway)
            }
        }
    }

    private func deliver(_ body: [UInt8], _ client: HTTPClient, _ gateway: inout Int) async -> LedgerBook.Fate {
        let authorization = "Basic " + Data((writeKey + ":").utf8).base64EncodedString()
        let deadline = ContinuousClock.now + Self.patience
        book.count { $0.requests += 1 }
        while ContinuousClock.now < deadline, !Task.isCancelled {
            let url = gateways[gateway % gateways.count] + "/v1/batch"
            let request = HTTPRequest(
                "POST", url, headers: [("Content-Type", "application/json"), ("Authorization", authorization)], body: body,
                timeoutMilliseconds: 8000)
            do throws(TransferError) {
                let answer = try await client.send(request)
                if answer.status == 200 { return .acknowledged }
                guard answer.status == 429 || answer.status >= 500 else { return .refused }
            } catch {
                // Away, or its answer was lost: the other one is asked.
                gateway += 1
            }
            book.count { $0.retries += 1 }
            // Ends early only when cancelled, which the loop looks at.
            try? await Task.sleep(for: .milliseconds(250))
        }
        return .unknown
    }
}
