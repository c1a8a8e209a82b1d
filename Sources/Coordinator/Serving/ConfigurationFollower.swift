internal import Logging
internal import Model
internal import Ports
internal import Synchronization

/// Keeps the newest rule set, for titles and names. Safe to call from any thread.
final class ConfigurationFollower: Sendable {
    private let newest = Mutex(RuleSet())

    /// Revision 0 when none was applied yet.
    var rules: RuleSet { newest.withLock { $0 } }

    /// The rule's number: by name when the configuration knows it, else by number as text; nil when it is neither.
    func rule(_ text: String) -> RuleID? {
        if let known = rules.rules.first(where: { $0.name == text }) { return known.id }
        return UInt32(text).map { RuleID($0) }
    }

    /// Until the task is cancelled.
    func run(logs: any LogStore, clock: any WallClock, log: Logger) async throws {
        while true {
            do { try await follow(logs) } catch let error as LogError {
                log.warning("the configuration cannot be read now", metadata: ["error": "\(error)"])
                try await clock.sleep(until: clock.now() + SumsFolder.retryMilliseconds)
            }
        }
    }

    private func follow(_ logs: any LogStore) async throws {
        let last = try await logs.last(of: .configuration)
        if let last { try take(last) }
        let reader = try await logs.read(.configuration, from: (last?.sequence ?? 0) + 1)
        defer { reader.close() }
        while true {
            if let record = try await reader.next(max: 16).last { try take(record) }
        }
    }

    private func take(_ record: LogRecord) throws {
        let rules = try RuleSet.decoded(record.payload, revision: record.sequence)
        newest.withLock { $0 = rules }
    }
}
