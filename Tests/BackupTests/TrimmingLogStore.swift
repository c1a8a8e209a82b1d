import Model
import Ports
import SimulatedPorts

/// Logs of which the first records asked for are trimmed away whenever somebody begins to read, as long as the snapshots that
/// ``FileTests`` makes do not need them.
struct TrimmingLogStore: LogStore {
    let logs: SimulatedLogStore

    func read(_ log: LogName, from sequence: UInt64) async throws(LogError) -> any LogReader {
        let needed: UInt64? =
            switch log {
            case .input: 30
            case .commits: 20
            default: nil
            }
        if let needed { try await logs.trim(log, below: min(sequence + 3, needed)) }
        return try await logs.read(log, from: sequence)
    }

    func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?,
        completion: @escaping @Sendable (Result<UInt64, LogError>) -> Void
    ) {
        logs.append(to: log, payload, expecting: expecting, id: id, completion: completion)
    }

    func last(of log: LogName) async throws(LogError) -> LogRecord? { try await logs.last(of: log) }

    func record(_ sequence: UInt64, of log: LogName) async throws(LogError) -> LogRecord? {
        try await logs.record(sequence, of: log)
    }

    func state(of log: LogName) async throws(LogError) -> LogState { try await logs.state(of: log) }

    func trim(_ log: LogName, below sequence: UInt64) async throws(LogError) { try await logs.trim(log, below: sequence) }
}
