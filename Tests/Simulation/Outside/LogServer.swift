package import Model
package import Ports
internal import SimulatedPorts

/// The servers that hold the logs: they outlive every host. Each call of a host comes here as an event of its own.
// Sendable: used on the simulation's thread alone.
package final class LogServer: @unchecked Sendable {
    /// How long a host waits for an answer before it calls it ambiguous.
    static let timeoutMilliseconds: Int64 = 2000

    let scheduler: Scheduler
    var random: SplitMix
    package var rates = FaultRates()
    package var sabotage: Sabotage?
    /// Told each record as it is written.
    package var onAppend: (LogName, LogRecord) -> Void = { _, _ in }
    /// Asked before a host's commit leaves it: whether the host ended while it made it.
    package var traps: (Host, ShardID, [UInt8]) -> Bool = { _, _, _ in false }
    /// Told of a host that knows of records which the log has lost.
    package var onLossMet: (Host, LogName) -> Void = { _, _ in }
    let count: (String) -> Void
    private var logs: [LogName: SimulatedLog] = [:]
    private var leaderBack: [LogName: Instant] = [:]
    private var waiting: [LogName: [HostLogReader]] = [:]
    private var hasLost: Set<LogName> = []
    /// When the last append of a host to a log arrives: the next one arrives behind it.
    private var arrivals: [Route: Instant] = [:]

    private struct Route: Hashable {
        let host: UInt64
        let log: LogName
    }

    /// Kept for the checkers.
    private var trimmed: [LogName: [LogRecord]] = [:]

    package init(scheduler: Scheduler, seed: UInt64, count: @escaping (String) -> Void) {
        self.scheduler = scheduler
        random = SplitMix(seed: seed)
        self.count = count
    }

    func latency() -> Int64 { 1 + Int64(random.next() % 3) }

    // MARK: What the world does

    /// All that was ever written and not lost, what was trimmed included.
    package func contents(of log: LogName) -> [LogRecord] { (trimmed[log] ?? []) + (logs[log]?.records ?? []) }
    package func lastSequence(of log: LogName) -> UInt64 { logs[log]?.last ?? 0 }

    /// Writes at once, as an operator with a direct line would.
    package func write(_ payload: [UInt8], to log: LogName) { _ = append(payload, to: log, expecting: nil, id: nil) }

    /// The log has no leader for so long: appends are lost or refused, questions fail, readers wait.
    package func loseLeader(of log: LogName, milliseconds: Int64) {
        count("fault: leader gap")
        scheduler.note("leader gap", UInt64(milliseconds), "\(log)")
        leaderBack[log] = scheduler.now + milliseconds
        scheduler.after(milliseconds: milliseconds, for: nil) { [self] in wakeReaders(of: log) }
    }

    package func setBound(_ log: LogName, bytesMax: UInt64?) {
        logs[log, default: SimulatedLog(bytesMax: nil)].bytesMax = bytesMax
    }

    package func bytes(of log: LogName) -> UInt64 { logs[log]?.bytes ?? 0 }

    package func loseSuffix(of log: LogName, after sequence: UInt64) {
        scheduler.note("lost suffix", sequence, "\(log)")
        logs[log]?.loseSuffix(after: sequence)
        hasLost.insert(log)
    }

    package func damage(_ sequence: UInt64, of log: LogName, _ change: (inout [UInt8]) -> Void) {
        logs[log]?.damage(sequence, change)
    }

    func hasLeader(_ log: LogName) -> Bool { leaderBack[log].map { $0 <= scheduler.now } ?? true }
    func log(_ name: LogName) -> SimulatedLog { logs[name] ?? SimulatedLog(bytesMax: nil) }

    func trim(_ log: LogName, below sequence: UInt64) {
        let gone = logs[log]?.records.prefix { $0.sequence < sequence } ?? []
        if !gone.isEmpty { count("trimmed: \(log.kind)") }
        scheduler.note("trim", sequence, "\(log)")
        trimmed[log, default: []] += gone
        logs[log, default: SimulatedLog(bytesMax: nil)].trim(below: sequence)
        wakeReaders(of: log)
    }

    // MARK: Appends

    private enum Fate { case normal, lost, lostAnswer, lateAnswer, lateArrival, twice }

    private func fate() -> Fate {
        if random.chance(perMille: rates.lostAppends) { return .lost }
        if random.chance(perMille: rates.lostAcknowledgements) { return .lostAnswer }
        if random.chance(perMille: rates.lateAcknowledgements) { return .lateAnswer }
        if random.chance(perMille: rates.lateAppends) { return .lateArrival }
        if random.chance(perMille: rates.duplicatedAppends) { return .twice }
        return .normal
    }

    func append(
        from host: Host, to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?,
        completion: @escaping (Result<UInt64, LogError>) -> Void
    ) {
        guard host.state != .dead else { return }
        if case .commits(let shard) = log, traps(host, shard, payload) { return }
        let fate = fate()
        if fate != .normal { count("fault: append \(fate)") }
        let ticket = Ticket(completion)
        let route = Route(host: host.number, log: log)
        var arrival = max(arrivals[route] ?? scheduler.now, scheduler.now + latency())
        arrivals[route] = arrival
        let deadline = scheduler.now + Self.timeoutMilliseconds
        if fate == .lateArrival { arrival = deadline + Int64(random.next() % 1500) }
        scheduler.note("append", expecting ?? 0, "\(log) \(fate)")
        if fate == .lost || fate == .lostAnswer || fate == .lateArrival { giveUp(ticket, host, log, at: deadline) }
        if fate == .lost { return }
        scheduler.at(arrival, for: nil) { [self] in
            guard hasLeader(log) else { return refuse(ticket, host, log, deadline) }
            if let expecting, hasLost.contains(log), expecting > lastSequence(of: log) { onLossMet(host, log) }
            var result = append(payload, to: log, expecting: expecting, id: id)
            if fate == .twice { result = append(payload, to: log, expecting: expecting, id: id) }
            if fate == .lostAnswer { return }
            let late = fate == .lateAnswer ? Int64(random.next() % 1200) : 0
            scheduler.after(milliseconds: latency() + late, for: host) { ticket.complete(result) }
        }
    }

    private func giveUp(_ ticket: Ticket, _ host: Host, _ log: LogName, at deadline: Instant) {
        scheduler.at(deadline, for: host) { ticket.complete(.failure(LogError(.ambiguous, "\(log): no answer"))) }
    }

    private func refuse(_ ticket: Ticket, _ host: Host, _ log: LogName, _ deadline: Instant) {
        guard random.chance(perMille: 500) else { return giveUp(ticket, host, log, at: deadline) }
        scheduler.after(milliseconds: latency(), for: host) {
            ticket.complete(.failure(LogError(.unavailable, "\(log): no leader")))
        }
    }

    private func append(_ payload: [UInt8], to name: LogName, expecting: UInt64?, id: String?) -> Result<UInt64, LogError> {
        var log = log(name)
        if sabotage == .messagesLost, case .input = name, random.chance(perMille: 100),
            case .messages = try? InputMessage.decoded(payload)
        {
            return .success(log.last + 1)
        }
        var payload = payload
        if sabotage == .effectsChanged, case .commits = name, random.chance(perMille: 50) { payload = withoutEffects(payload) }
        let expected = sabotage == .noFence ? nil : expecting
        let before = log.last
        let result = log.append(payload, expecting: expected, id: id, now: scheduler.now, log: name)
        logs[name] = log
        switch result {
        case .success(let sequence):
            if sabotage == .lettersDoubled, name == .deadLetters, expecting != nil {
                scheduler.after(milliseconds: 0, for: nil) { [self] in write(payload, to: name) }
            }
            let text = name == .coordinator ? String(decoding: payload, as: UTF8.self) : ""
            scheduler.note("written", sequence, "\(name) \(text)")
            if sequence > before, let record = log.record(sequence) { onAppend(name, record) }
            wakeReaders(of: name)
        case .failure(let error):
            count("answer: \(error.code)")
            scheduler.note("not written", before, "\(name) \(error.code)")
        }
        return result
    }

    /// The same commit with its last step's effects gone, under a hash that fits.
    private func withoutEffects(_ payload: [UInt8]) -> [UInt8] {
        guard var commit = try? Commit.decoded(payload).commit, let last = commit.steps.indices.last else { return payload }
        commit.steps[last].effects = []
        return commit.encoded().bytes
    }

    // MARK: Readers

    func wait(_ reader: HostLogReader) { waiting[reader.log, default: []].append(reader) }
    func forget(_ reader: HostLogReader) { waiting[reader.log]?.removeAll { $0 === reader } }

    private func wakeReaders(of log: LogName) {
        let readers = waiting[log] ?? []
        waiting[log] = []
        for reader in readers { reader.wake() }
    }
}

/// Completes once, whoever comes first.
// Sendable: used on the simulation's thread alone.
private final class Ticket: @unchecked Sendable {
    private var completion: ((Result<UInt64, LogError>) -> Void)?

    init(_ completion: @escaping (Result<UInt64, LogError>) -> Void) { self.completion = completion }

    func complete(_ result: Result<UInt64, LogError>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}

extension LogName {
    fileprivate var kind: String {
        switch self {
        case .input: "IN"
        case .commits: "LOG"
        case .coordinator: "COORD"
        case .configuration: "CONFIG"
        case .deadLetters: "DEAD"
        case .delivery: "DELIVERY"
        }
    }
}
