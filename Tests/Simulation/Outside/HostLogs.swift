package import Model
package import Ports
internal import SimulatedPorts

/// The logs as one host reaches them: every call travels there and back.
// Sendable: used on the simulation's thread alone.
package final class HostLogs: LogStore, @unchecked Sendable {
    private let host: Host
    private let server: LogServer

    package init(host: Host, server: LogServer) {
        self.host = host
        self.server = server
    }

    package func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?,
        completion: @escaping @Sendable (Result<UInt64, LogError>) -> Void
    ) {
        server.append(from: host, to: log, payload, expecting: expecting, id: id, completion: completion)
    }

    package func read(_ log: LogName, from sequence: UInt64) async throws(LogError) -> any LogReader {
        try await ask(log) { [host] server in HostLogReader(host: host, server: server, log: log, from: max(1, sequence)) }
    }

    package func last(of log: LogName) async throws(LogError) -> LogRecord? {
        try await ask(log) { server in
            let content = server.log(log)
            return content.record(content.last)
        }
    }

    package func record(_ sequence: UInt64, of log: LogName) async throws(LogError) -> LogRecord? {
        try await ask(log) { $0.log(log).record(sequence) }
    }

    package func state(of log: LogName) async throws(LogError) -> LogState {
        try await ask(log) { $0.log(log).state(at: $0.scheduler.now) }
    }

    package func trim(_ log: LogName, below sequence: UInt64) async throws(LogError) {
        try await ask(log) { $0.trim(log, below: sequence) }
    }

    /// The answer as of an instant between question and answer.
    private func ask<Answer: Sendable>(
        _ log: LogName, _ question: @escaping (LogServer) -> Answer
    ) async throws(LogError) -> Answer {
        let result: Result<Answer, LogError> = await withCheckedContinuation { continuation in
            let (server, host) = (server, host)
            let scheduler = server.scheduler
            scheduler.after(milliseconds: server.latency(), for: nil) {
                let fails = !server.hasLeader(log) || server.random.chance(perMille: server.rates.unavailable)
                let answer: Result<Answer, LogError> =
                    fails ? .failure(LogError(.unavailable, "\(log): no answer")) : .success(question(server))
                let delay = server.latency() + (fails ? 100 : host.readDelayMilliseconds)
                scheduler.after(milliseconds: delay, for: host) { continuation.resume(returning: answer) }
            }
        }
        return try result.get()
    }
}

/// Reads one log for one host.
// Sendable: used on the simulation's thread alone.
package final class HostLogReader: LogReader, @unchecked Sendable {
    let log: LogName
    private let host: Host
    private let server: LogServer
    private var position: UInt64
    private var isClosed = false
    private var waiter: CheckedContinuation<[LogRecord], any Error>?
    private var max = 0
    /// Counts the waits: a delivery that was meant for one that was cancelled finds another.
    private var waits = 0

    init(host: Host, server: LogServer, log: LogName, from sequence: UInt64) {
        self.host = host
        self.server = server
        self.log = log
        position = sequence
    }

    package func next(max: Int) async throws -> [LogRecord] {
        precondition(max > 0, "at least one record must be asked for")
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !isClosed, !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                precondition(waiter == nil, "a reader is used by one task at a time")
                waiter = continuation
                waits += 1
                self.max = max
                wake()
            }
        } onCancel: {
            fail(CancellationError())
        }
    }

    package func close() {
        isClosed = true
        fail(CancellationError())
    }

    /// There may be news: brings them, or waits for the log.
    func wake() {
        guard waiter != nil, host.state != .dead else { return }
        let content = server.log(log)
        guard server.hasLeader(log), position <= content.last || position < content.first else { return server.wait(self) }
        let wait = waits
        let delay = server.latency() + host.readDelayMilliseconds
        server.scheduler.after(milliseconds: delay, for: host) { [self] in
            if wait == waits, waiter != nil { deliver() }
        }
    }

    private func deliver() {
        let content = server.log(log)
        guard server.hasLeader(log) else { return server.wait(self) }
        guard position >= content.first else {
            server.count("answer: trimmed")
            return fail(LogError(.trimmed(first: content.first), "\(log): \(position) is trimmed away"))
        }
        let records = Array(content.records(from: position, max: max))
        guard !records.isEmpty else { return server.wait(self) }
        position += UInt64(records.count)
        let waiter = waiter
        self.waiter = nil
        waiter?.resume(returning: records)
    }

    private func fail(_ error: any Error) {
        server.forget(self)
        let waiter = waiter
        self.waiter = nil
        waiter?.resume(throwing: error)
    }
}
