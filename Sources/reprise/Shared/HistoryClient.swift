import Foundation
import Model
import Ports

/// Questions to the history role. Reading only.
struct HistoryClient: Sendable {
    let messaging: any Messaging

    func timeline(_ request: HistoryRequest) async throws -> TimelinePage { try await ask("history.timeline", request) }
    func decisions(_ request: HistoryRequest) async throws -> DecisionsPage { try await ask("history.decisions", request) }
    func drill(_ request: DrillRequest) async throws -> DrillPage { try await ask("history.drill", request) }

    private func ask<Answer: Decodable>(_ subject: String, _ request: some Encodable) async throws -> Answer {
        let bytes: [UInt8]
        do {
            bytes = try await messaging.request(subject, Array(try JSONEncoder().encode(request)), timeout: .seconds(10))
        } catch let error as RequestError {
            switch error.code {
            case .nobody: throw CommandError("no history answers at this installation; is `reprise history` running?")
            case .timeout: throw CommandError("the history did not answer within 10 s")
            case .unavailable: throw CommandError("NATS cannot be reached: \(error.message)")
            }
        }
        if let problem = try? JSONDecoder().decode(RequestProblem.self, from: Data(bytes)) { throw CommandError(problem.error) }
        return try JSONDecoder().decode(Answer.self, from: Data(bytes))
    }
}
