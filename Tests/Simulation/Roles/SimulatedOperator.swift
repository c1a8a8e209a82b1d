internal import Foundation
internal import Model
internal import Ports

/// The person at the installation: drains workers before work on their machines, and takes dead letters again.
// Sendable: used on the simulation's thread alone.
final class SimulatedOperator: @unchecked Sendable {
    private let logs: any LogStore
    private let messaging: any Messaging
    private let clock: any WallClock
    private let count: (String) -> Void

    init(logs: any LogStore, messaging: any Messaging, clock: any WallClock, count: @escaping (String) -> Void) {
        self.logs = logs
        self.messaging = messaging
        self.clock = clock
        self.count = count
    }

    /// Drains the worker for so long; asks again when nobody answers, as a person would.
    func drain(_ worker: String, milliseconds: Int64) async throws {
        guard try await ask(worker, isDrained: true) else { return count("operator: refused to drain") }
        count("operator: drained a worker")
        try await clock.sleep(until: clock.now() + milliseconds)
        if try await ask(worker, isDrained: false) { count("operator: a drained worker may own shards again") }
    }

    private func ask(_ worker: String, isDrained: Bool) async throws -> Bool {
        let request = Array(try JSONEncoder().encode(DrainRequest(worker: worker, isDrained: isDrained)))
        for _ in 0..<10 {
            do {
                let answer = try await messaging.request("coordinator.drain", request, timeout: .seconds(5))
                return (try? JSONDecoder().decode(DrainAnswer.self, from: Data(answer))) != nil
            } catch {
                try await clock.sleep(until: clock.now() + 500)
            }
        }
        return false
    }

    /// Brings it into IN once more; again when no answer came, so that it may stand there twice.
    func replay(_ event: SetAside, _ id: DeadLetterID) async throws {
        try await clock.sleep(until: clock.now() + 2000)
        let message = InputMessage.replay(of: id.number, message: event.message).encoded()
        while true {
            do {
                _ = try await logs.append(to: .input(id.shard), message)
                return count("operator: took a dead letter again")
            } catch {
                try await clock.sleep(until: clock.now() + 300)
            }
        }
    }
}
