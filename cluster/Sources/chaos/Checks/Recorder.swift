import Model
import Ports
import Synchronization

/// Reads all logs of an installation from outside while they grow, and keeps their records: what is trimmed later was seen.
final class Recorder: Sendable {
    private let logs: any LogStore
    private let records = Mutex<[LogName: [LogRecord]]>([:])
    let names: [LogName]

    init(logs: any LogStore, shards: ShardMap) {
        self.logs = logs
        names = shards.all.flatMap { [LogName.input($0), .commits($0)] } + [.coordinator, .configuration]
    }

    /// Until the task is cancelled; throws when a log cannot be read in order.
    func follow() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names { group.addTask { try await self.follow(name) } }
            try await group.waitForAll()
        }
    }

    private func follow(_ name: LogName) async throws {
        while true {
            let next = last(of: name) + 1
            do throws(LogError) {
                let reader = try await logs.read(name, from: next)
                try await follow(name, reader)
            } catch {
                guard error.code == .unavailable || error.code == .ambiguous else { throw ChaosError("\(name): \(error)") }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func follow(_ name: LogName, _ reader: any LogReader) async throws(LogError) {
        defer { reader.close() }
        while !Task.isCancelled {
            let read: [LogRecord]
            do {
                read = try await reader.next(max: 256)
            } catch let error as LogError {
                throw error
            } catch {
                // Cancelled, or closed.
                return
            }
            records.withLock { $0[name, default: []] += read }
        }
    }

    func last(of name: LogName) -> UInt64 { records.withLock { $0[name]?.last?.sequence ?? 0 } }

    func all(_ name: LogName) -> [LogRecord] { records.withLock { $0[name] ?? [] } }

    /// Reads again what the log still holds and compares: what was once read never changes, and nothing is cut off.
    func compareAgain(_ name: LogName) async throws -> [String] {
        let seen = all(name)
        let state = try await logs.state(of: name)
        guard state.last == seen.last?.sequence ?? 0 else {
            return ["\(name): its last record is \(state.last), but \(seen.last?.sequence ?? 0) was read before"]
        }
        guard state.first <= state.last else { return [] }
        let reader = try await logs.read(name, from: state.first)
        defer { reader.close() }
        var next = state.first
        while next <= state.last {
            for record in try await reader.next(max: 256) where record.sequence <= state.last {
                guard record == seen[Int(record.sequence) - 1] else {
                    return ["\(name): record \(record.sequence) is not what was read there before"]
                }
                next = record.sequence + 1
            }
        }
        return []
    }
}
