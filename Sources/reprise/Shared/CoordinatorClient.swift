import Foundation
import Model
import Ports

/// Questions to the coordinator. Reading only.
struct CoordinatorClient: Sendable {
    let messaging: any Messaging

    func status() async throws -> ClusterStatus { try await ask("coordinator.status", ClusterStatus.self) }
    func mechanics() async throws -> MechanicsReport { try await ask("coordinator.mechanics", MechanicsReport.self) }

    private func ask<Answer: Decodable>(_ subject: String, _ answer: Answer.Type) async throws -> Answer {
        do {
            let bytes = try await messaging.request(subject, [], timeout: .seconds(5))
            return try JSONDecoder().decode(answer, from: Data(bytes))
        } catch let error as RequestError {
            switch error.code {
            case .nobody: throw CommandError("no coordinator answers at this installation; is one running?")
            case .timeout: throw CommandError("the coordinator did not answer within 5 s")
            case .unavailable: throw CommandError("NATS cannot be reached: \(error.message)")
            }
        }
    }
}
