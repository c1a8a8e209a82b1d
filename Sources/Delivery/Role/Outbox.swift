internal import Logging
internal import Model
internal import Ports

/// Writes permit requests and outcomes to IN, those of one shard gathered into one message, each until the log has it.
actor Outbox {
    /// What is written together, and what is to be told when it is.
    private struct Batch {
        var shard: ShardID
        var id: String
        var payload: [UInt8]
        var reports: [OutcomeReport]
        var tries = 0
    }

    private let logs: any LogStore
    private let clock: any WallClock
    private let log: Logger
    private let instance: String
    private var waiting: [ShardID: (events: [Event], reports: [OutcomeReport])] = [:]
    private var isFlushing = false
    private var batches: UInt64 = 0
    private var onWritten: (@Sendable ([OutcomeReport]) async -> Void)?

    private static let retryFirst: Int64 = 100
    private static let retryMax: Int64 = 5 * Milliseconds.second

    init(logs: any LogStore, clock: any WallClock, instance: UInt64, log: Logger) {
        self.logs = logs
        self.clock = clock
        self.instance = String(instance, radix: 16)
        self.log = log
    }

    /// Called with the outcomes that the log has; set before anything is added.
    func whenWritten(_ body: @escaping @Sendable ([OutcomeReport]) async -> Void) { onWritten = body }

    func add(_ requests: [PermitRequest], _ reports: [OutcomeReport]) {
        for report in reports {
            waiting[report.shard, default: ([], [])].events.append(report.event)
            waiting[report.shard, default: ([], [])].reports.append(report)
        }
        for request in requests { waiting[request.shard, default: ([], [])].events.append(request.event) }
        guard !waiting.isEmpty, !isFlushing else { return }
        isFlushing = true
        // What else is already on its way to this actor goes along.
        Task { self.flush() }
    }

    private func flush() {
        isFlushing = false
        let ready = waiting
        waiting = [:]
        for (shard, content) in ready {
            // An outcome is a few hundred bytes, so that this many stay below the size of a batch.
            var reports = content.reports[...]
            for start in stride(from: 0, to: content.events.count, by: Self.eventsMax) {
                let events = Array(content.events[start..<min(start + Self.eventsMax, content.events.count)])
                let outcomes = events.count {
                    if case .outcome = $0.body { true } else { false }
                }
                batches += 1
                write(
                    Batch(
                        shard: shard, id: "dispatcher-\(instance)-\(batches)", payload: InputMessage.events(events).encoded(),
                        reports: Array(reports.prefix(outcomes))))
                reports = reports.dropFirst(outcomes)
            }
        }
    }

    private static let eventsMax = 64

    private func write(_ batch: Batch) {
        logs.append(to: .input(batch.shard), batch.payload, expecting: nil, id: batch.id) { result in
            Task { await self.appended(batch, result) }
        }
    }

    /// Whatever the error, the same message is written again under the same id: within the log's window it is written
    /// once, and after it the shard recognises attempts that it knows.
    private func appended(_ batch: Batch, _ result: Result<UInt64, LogError>) async {
        switch result {
        case .success:
            if !batch.reports.isEmpty { await onWritten?(batch.reports) }
        case .failure(let error):
            var batch = batch
            batch.tries += 1
            log.warning(
                "Writing to the input log failed; it is tried again",
                metadata: ["log": "\(LogName.input(batch.shard))", "tries": "\(batch.tries)", "error": "\(error)"])
            let wait = DispatcherSettings.backoff(first: Self.retryFirst, factor: 2, most: Self.retryMax, failures: batch.tries)
            // Only a cancelled task ends the sleep early, and nobody cancels this one.
            try? await clock.sleep(until: clock.now() + wait)
            write(batch)
        }
    }
}
