internal import Foundation
internal import Model
internal import Ports

/// Asks the leading coordinator for its report, once it contains every commit.
// Sendable: used on the simulation's thread alone.
final class Observer: @unchecked Sendable {
    private let messaging: any Messaging
    private let clock: any WallClock
    private let commits: [UInt64]
    private(set) var isDone = false
    private(set) var report: MechanicsReport?
    private(set) var reconciliation: [String] = []
    /// Why there is no report yet.
    private(set) var problem = "nobody answers"

    init(messaging: any Messaging, clock: any WallClock, commits: [UInt64]) {
        self.messaging = messaging
        self.clock = clock
        self.commits = commits
    }

    func run() async {
        while !isDone {
            do {
                if try await ask() { isDone = true } else { try await clock.sleep(until: clock.now() + 500) }
            } catch {
                problem = "\(error)"
                try? await clock.sleep(until: clock.now() + 500)
            }
        }
    }

    private func ask() async throws -> Bool {
        let wanted = Dictionary(uniqueKeysWithValues: commits.enumerated().map { ($0.offset, $0.element) })
        let request = CaughtUpRequest(commits: wanted, timeoutMilliseconds: 2000)
        let answer = try await messaging.request(
            "coordinator.caughtup", Array(try JSONEncoder().encode(request)), timeout: .seconds(3))
        let caughtUp = try JSONDecoder().decode(CaughtUpAnswer.self, from: Data(answer))
        if let first = caughtUp.problems.sorted(by: { $0.key < $1.key }).first?.value { problem = first }
        guard caughtUp.reached else { return false }
        let reported = try await messaging.request("coordinator.mechanics", [], timeout: .seconds(3))
        report = try JSONDecoder().decode(MechanicsReport.self, from: Data(reported))
        let reconciled = try await messaging.request("coordinator.reconcile", [], timeout: .seconds(3))
        reconciliation = try JSONDecoder().decode(Reconciliation.self, from: Data(reconciled)).problems
        return true
    }
}
