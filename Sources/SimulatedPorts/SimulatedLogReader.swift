package import Model
import Ports
internal import Synchronization

/// Reads a ``SimulatedLogStore``; closed when nobody holds it any more.
package final class SimulatedLogReader: LogReader {
    private let store: SimulatedLogStore
    private let id: UInt64

    init(store: SimulatedLogStore, id: UInt64) {
        self.store = store
        self.id = id
    }

    deinit { close() }

    package func next(max: Int) async throws -> [LogRecord] {
        precondition(max > 0, "at least one record must be asked for")
        try Task.checkCancellation()
        store.state.withLock { $0.readings[id]?.isCancelled = false }
        while true {
            let records = try store.state.withLock { state throws in try state.take(reading: id, max: max) }
            if !records.isEmpty { return records }
            try await wait()
        }
    }

    package func close() {
        let waiter = store.state.withLock { $0.readings.removeValue(forKey: id)?.waiter }
        waiter?.resume(throwing: CancellationError())
    }

    private func wait() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome = store.state.withLock { state -> Result<Void, any Error>? in
                    guard let reading = state.readings[id], !reading.isCancelled else { return .failure(CancellationError()) }
                    if state.hasNews(reading) { return .success(()) }
                    state.readings[id]?.waiter = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = store.state.withLock { state in
                state.readings[id]?.isCancelled = true
                let waiter = state.readings[id]?.waiter
                state.readings[id]?.waiter = nil
                return waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }
}

extension SimulatedLogStore.State {
    func hasNews(_ reading: SimulatedLogStore.Reading) -> Bool {
        guard !unavailable.contains(reading.log) else { return false }
        let content = log(reading.log)
        return reading.next <= content.last || reading.next < content.first
    }

    /// The reading's next records; none when it must wait.
    mutating func take(reading id: UInt64, max: Int) throws -> [LogRecord] {
        guard let reading = readings[id] else { throw CancellationError() }
        guard hasNews(reading) else { return [] }
        let content = log(reading.log)
        guard reading.next >= content.first else {
            throw LogError(
                .trimmed(first: content.first), "\(reading.log): \(reading.next) is trimmed away, the first is \(content.first)")
        }
        var records = Array(content.records(from: reading.next, max: max))
        if let lost = lost[reading.log], let hole = records.firstIndex(where: { lost.contains($0.sequence) }) {
            if hole == 0 {
                var found = reading.next + 1
                while lost.contains(found) { found += 1 }
                throw LogError(.gap(expected: reading.next, found: found), "\(reading.log): \(reading.next) is missing")
            }
            records.removeSubrange(hole...)
        }
        readings[id]?.next += UInt64(records.count)
        return records
    }
}
