import Foundation
import Model
import Ports

/// Questions to the coordinator. Reading only.
struct CoordinatorClient: Sendable {
    let messaging: any Messaging

    func status() async throws -> ClusterStatus { try await ask("coordinator.status", ClusterStatus.self) }
    func mechanics() async throws -> MechanicsReport { try await ask("coordinator.mechanics", MechanicsReport.self) }

    func segments() async throws -> SegmentsReport { try await ask("coordinator.segments", SegmentsReport.self) }

    func trust(_ request: TrustRequest) async throws -> TrustAnswer {
        try await ask("coordinator.trust", TrustAnswer.self, Array(try JSONEncoder().encode(request)))
    }

    /// Tells a worker to own nothing, or lets it own shards again.
    func drain(_ worker: String, _ isDrained: Bool) async throws -> DrainAnswer {
        let request = Array(try JSONEncoder().encode(DrainRequest(worker: worker, isDrained: isDrained)))
        return try await ask("coordinator.drain", DrainAnswer.self, request)
    }

    /// What each rule brought, when the sums contain these commits (numbers by shard number).
    func mechanics(containing commits: [Int: UInt64]) async throws -> MechanicsReport {
        let request = Array(try JSONEncoder().encode(CaughtUpRequest(commits: commits, timeoutMilliseconds: 4000)))
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let answer: CaughtUpAnswer
            do {
                answer = try await read("coordinator.caughtup", CaughtUpAnswer.self, request)
                if answer.reached { return try await read("coordinator.mechanics", MechanicsReport.self, []) }
            } catch let error as RequestError {
                // Whoever led may be gone; its successor answers in a few seconds.
                guard error.code != .unavailable, ContinuousClock.now < deadline else { throw Self.told(error) }
                try await Task.sleep(for: .milliseconds(250))
                continue
            }
            if let (shard, problem) = answer.problems.min(by: { $0.key < $1.key }) {
                throw CommandError("the sums of shard \(shard) do not go on: \(problem)")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandError("the coordinator has not read all commits within a minute; see `reprise status`")
            }
        }
    }

    private func ask<Answer: Decodable>(_ subject: String, _ type: Answer.Type, _ request: [UInt8] = []) async throws -> Answer {
        do {
            return try await read(subject, type, request)
        } catch let error as RequestError {
            throw Self.told(error)
        }
    }

    /// Asks once; throws `RequestError` when nobody answers, `CommandError` for an answer that says why there is none.
    private func read<Answer: Decodable>(_ subject: String, _ type: Answer.Type, _ request: [UInt8]) async throws -> Answer {
        let bytes = try await messaging.request(subject, request, timeout: .seconds(5))
        if let problem = try? JSONDecoder().decode(RequestProblem.self, from: Data(bytes)) {
            throw CommandError(problem.error)
        }
        return try JSONDecoder().decode(type, from: Data(bytes))
    }

    private static func told(_ error: RequestError) -> CommandError {
        switch error.code {
        case .nobody: CommandError("no coordinator answers at this installation; is one running?")
        case .timeout: CommandError("the coordinator did not answer within 5 s")
        case .unavailable: CommandError("NATS cannot be reached: \(error.message)")
        }
    }
}
