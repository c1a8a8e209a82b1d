internal import Dispatch
package import Model
package import Ports
internal import Synchronization

/// Logs in memory, with JetStream's rules and its faults.
///
/// Appends are decided in the order of the calls, before `append` returns; completions come later, on a queue of the
/// store. Safe to call from any thread.
package final class SimulatedLogStore: LogStore {
    struct Reading {
        let log: LogName
        var next: UInt64
        var isClosed = false
        var isCancelled = false
        var waiter: CheckedContinuation<Void, any Error>?
    }

    struct State {
        var logs: [LogName: SimulatedLog] = [:]
        var bytesMax: [LogName: UInt64] = [:]
        var faults: SimulatedFaults
        var random: SplitMix
        var scripted: [LogName: [AppendFault]] = [:]
        /// Appends still to be lost while a log has no leader.
        var leaderless: [LogName: Int] = [:]
        var unavailable: Set<LogName> = []
        /// Records that readers find missing.
        var lost: [LogName: Set<UInt64>] = [:]
        var readings: [UInt64: Reading] = [:]
        var nextReading: UInt64 = 0
        var appends: [LogName: Int] = [:]
        var held: [@Sendable () -> Void] = []

        func log(_ name: LogName) -> SimulatedLog { logs[name] ?? SimulatedLog(bytesMax: bytesMax[name]) }

        mutating func change<Value>(_ name: LogName, _ body: (inout SimulatedLog) -> Value) -> Value {
            body(&logs[name, default: SimulatedLog(bytesMax: bytesMax[name])])
        }
    }

    let state: Mutex<State>
    private let clock: any WallClock
    private let completions = DispatchQueue(label: "simulated log store")

    /// - Parameter clock: gives the records' times and ages the ids.
    package init(clock: any WallClock, faults: SimulatedFaults = .none) {
        self.clock = clock
        state = Mutex(State(faults: faults, random: SplitMix(seed: faults.seed)))
    }

    package func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?,
        completion: @escaping @Sendable (Result<UInt64, LogError>) -> Void
    ) {
        let now = clock.now()
        let waiters = state.withLock { state in
            state.appends[log, default: 0] += 1
            let decided = state.append(to: log, payload, expecting: expecting, id: id, now: now)
            // Inside the lock, so that answers leave in the order of the decisions.
            switch decided.fault {
            case .late: completions.asyncAfter(deadline: .now() + .milliseconds(3)) { completion(decided.result) }
            case .held: state.held.append { completion(decided.result) }
            default: completions.async { completion(decided.result) }
            }
            return decided.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    package func read(_ log: LogName, from sequence: UInt64) async throws(LogError) -> any LogReader {
        try checkAvailable(log)
        let id = state.withLock { state in
            state.nextReading += 1
            state.readings[state.nextReading] = Reading(log: log, next: max(1, sequence))
            return state.nextReading
        }
        return SimulatedLogReader(store: self, id: id)
    }

    package func last(of log: LogName) async throws(LogError) -> LogRecord? {
        try checkAvailable(log)
        return state.withLock { state in
            let content = state.log(log)
            return content.record(content.last)
        }
    }

    package func record(_ sequence: UInt64, of log: LogName) async throws(LogError) -> LogRecord? {
        try checkAvailable(log)
        return state.withLock { state in
            state.lost[log]?.contains(sequence) == true ? nil : state.log(log).record(sequence)
        }
    }

    package func state(of log: LogName) async throws(LogError) -> LogState {
        try checkAvailable(log)
        let now = clock.now()
        return state.withLock { $0.log(log).state(at: now) }
    }

    package func trim(_ log: LogName, below sequence: UInt64) async throws(LogError) {
        try checkAvailable(log)
        let waiters = state.withLock { state in
            state.change(log) { $0.trim(below: sequence) }
            return state.waiters(of: log)
        }
        for waiter in waiters { waiter.resume() }
    }

    private func checkAvailable(_ log: LogName) throws(LogError) {
        let isUnavailable = state.withLock { state in
            state.unavailable.contains(log) || state.random.chance(perMille: state.faults.unavailable)
        }
        if isUnavailable { throw LogError(.unavailable, "\(log): simulated") }
    }
}

// MARK: What tests say
extension SimulatedLogStore {
    /// The next append to the log without a scripted fault gets this one; several calls line up.
    package func script(_ fault: AppendFault, on log: LogName) {
        state.withLock { $0.scripted[log, default: []].append(fault) }
    }

    /// Delivers the answers that ``AppendFault/held`` holds back, behind all that are on their way.
    package func deliverHeld() {
        state.withLock { state in
            for completion in state.held { completions.async(execute: completion) }
            state.held = []
        }
    }

    package func setFaults(_ faults: SimulatedFaults) {
        state.withLock { state in
            state.faults = faults
            state.random = SplitMix(seed: faults.seed)
        }
    }

    /// While a log is not available, appends and questions are answered `unavailable` and readers wait.
    package func setAvailable(_ log: LogName, _ isAvailable: Bool) {
        let waiters = state.withLock { state in
            if isAvailable { state.unavailable.remove(log) } else { state.unavailable.insert(log) }
            return state.waiters(of: log)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Bounds a log's payload bytes; nil = no bound.
    package func setBound(_ log: LogName, bytesMax: UInt64?) {
        state.withLock { state in
            state.bytesMax[log] = bytesMax
            state.change(log) { $0.bytesMax = bytesMax }
        }
    }

    /// Forgets the newest records, as a server does that lost its disk's last writes; nobody is told.
    package func loseSuffix(of log: LogName, after sequence: UInt64) {
        state.withLock { state in state.change(log) { $0.loseSuffix(after: sequence) } }
    }

    /// Makes a record vanish from the middle: readers find a gap.
    package func lose(_ sequence: UInt64, of log: LogName) {
        state.withLock { _ = $0.lost[log, default: []].insert(sequence) }
    }

    /// Changes a record's bytes, as a broken disk would.
    package func damage(_ sequence: UInt64, of log: LogName, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in state.change(log) { $0.damage(sequence, change) } }
    }

    /// Everything the log holds now, faults or not.
    package func contents(of log: LogName) -> [LogRecord] {
        state.withLock { $0.log(log).records }
    }

    /// How often `append` was called for the log.
    package func appendCalls(to log: LogName) -> Int {
        state.withLock { $0.appends[log] ?? 0 }
    }
}

// MARK: Deciding an append
extension SimulatedLogStore.State {
    mutating func append(
        to log: LogName, _ payload: [UInt8], expecting: UInt64?, id: String?, now: Instant
    ) -> (result: Result<UInt64, LogError>, fault: AppendFault?, waiters: [CheckedContinuation<Void, any Error>]) {
        let unavailable = Result<UInt64, LogError>.failure(LogError(.unavailable, "\(log): simulated"))
        let ambiguous = Result<UInt64, LogError>.failure(LogError(.ambiguous, "\(log): no answer, simulated"))
        if self.unavailable.contains(log) { return (unavailable, nil, []) }
        if let left = leaderless[log], left > 0 {
            leaderless[log] = left - 1
            return (left % 2 == 0 ? unavailable : ambiguous, nil, [])
        }
        let fault = nextFault(log)
        switch fault {
        case .lostAmbiguous: return (ambiguous, nil, [])
        case .unavailable: return (unavailable, nil, [])
        case .leaderGap(let appends):
            leaderless[log] = appends - 1
            return (unavailable, nil, [])
        case .writtenAmbiguous, .late, .held, nil: break
        }
        let result = change(log) { $0.append(payload, expecting: expecting, id: id, now: now, log: log) }
        guard case .success = result else { return (result, fault, []) }
        return (fault == .writtenAmbiguous ? ambiguous : result, fault, waiters(of: log))
    }

    private mutating func nextFault(_ log: LogName) -> AppendFault? {
        if var lined = scripted[log], !lined.isEmpty {
            let fault = lined.removeFirst()
            scripted[log] = lined
            return fault
        }
        if random.chance(perMille: faults.lostAcknowledgements) { return .writtenAmbiguous }
        if random.chance(perMille: faults.lostAppends) { return .lostAmbiguous }
        if random.chance(perMille: faults.unavailable) { return .unavailable }
        if random.chance(perMille: faults.leaderGaps) { return .leaderGap(appends: 2 + Int(random.next() % 8)) }
        if random.chance(perMille: faults.lateCompletions) { return .late }
        return nil
    }

    /// Takes out everybody who waits for the log; to be resumed outside of the lock.
    mutating func waiters(of log: LogName) -> [CheckedContinuation<Void, any Error>] {
        var waiters: [CheckedContinuation<Void, any Error>] = []
        for (id, reading) in readings where reading.log == log {
            guard let waiter = reading.waiter else { continue }
            waiters.append(waiter)
            readings[id]?.waiter = nil
        }
        return waiters
    }
}
