internal import Curl
internal import Logging
internal import Model
internal import Ports

/// Performs what ``DispatcherState`` decides.
actor Dispatcher {
    private var state: DispatcherState
    private let outbox: Outbox
    private let maker: MessageMaker
    private let transport: SMTPTransport
    private let clock: any WallClock
    private let log: Logger
    private var known: Set<ShardID> = []
    private let shards: Int
    private var readers: [ShardID: any LogReader] = [:]
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []

    init(_ options: DispatcherOptions, logs: any LogStore, clock: any WallClock, log: Logger) {
        state = DispatcherState(options.settings)
        outbox = Outbox(logs: logs, clock: clock, instance: options.instance, log: log)
        maker = MessageMaker(logs: logs, clock: clock, idDomain: options.fromDomain)
        transport = SMTPTransport(options.smtp)
        shards = options.shards.shards
        self.clock = clock
        self.log = log
    }

    func start() async {
        await outbox.whenWritten { [weak self] reports in await self?.written(reports) }
    }

    // MARK: What happened

    func loaded(_ shard: ShardID, _ open: [OpenAction], isWhole: Bool) {
        known.insert(shard)
        perform(state.loaded(shard, open, isWhole: isWhole, now: clock.now()))
    }

    /// Follows a shard through this reader: it is closed when the shard has to be loaded again.
    func reads(_ shard: ShardID, _ reader: any LogReader) { readers[shard] = reader }

    func apply(_ commit: Commit, _ effects: [(configuration: UInt64, effect: Effect)]) {
        let now = clock.now()
        var commands: [DispatcherCommand] = []
        for (configuration, effect) in effects {
            commands += state.apply(effect, shard: commit.shard, configuration: configuration, now: now)
        }
        perform(commands)
    }

    func heard(_ instance: UInt64) { state.heard(instance, now: clock.now()) }

    func hold(_ word: DeliveryRecord) { perform(state.hold(word, now: clock.now())) }

    func tick() {
        perform(state.tick(now: clock.now()))
        if state.hasRoom {
            for shard in state.overflowed { readers.removeValue(forKey: shard)?.close() }
        }
    }

    private func written(_ reports: [OutcomeReport]) {
        let now = clock.now()
        perform(reports.flatMap { state.written($0, now: now) })
    }

    private func finished(_ grant: PermitGrant, _ result: DeliveryResult) {
        if case .sent = result {
        } else {
            log.notice(
                "A message was not sent",
                metadata: ["action": "\(grant.action)", "attempt": "\(grant.attempt)", "result": "\(result)"])
        }
        perform(state.finished(grant.action, grant.attempt, result, now: clock.now()))
    }

    // MARK: What is done

    private func perform(_ commands: [DispatcherCommand]) {
        var requests: [PermitRequest] = []
        var reports: [OutcomeReport] = []
        for command in commands {
            switch command {
            case .ask(let request): requests.append(request)
            case .report(let report): reports.append(report)
            case .send(let granted):
                Task {
                    let result = await self.deliver(granted)
                    self.finished(granted.grant, result)
                }
            }
        }
        if !requests.isEmpty || !reports.isEmpty {
            let outbox = outbox
            let gathered = (requests, reports)
            Task { await outbox.add(gathered.0, gathered.1) }
        }
        if state.isIdle {
            for waiter in idleWaiters { waiter.resume() }
            idleWaiters = []
        }
    }

    private func deliver(_ granted: GrantedAction) async -> DeliveryResult {
        switch await maker.message(for: granted) {
        case .failure(let reason): return reason.result
        case .success(let message):
            return switch await transport.send(message) {
            case .accepted(let reply): .sent(reply)
            case .refused(let reply): .undeliverable(reply)
            case .failed(let detail, let scope): .failed(detail, provider: scope == .provider)
            case .uncertain(let detail): .uncertain(detail)
            }
        }
    }

    // MARK: Stopping and status

    /// Asks for no more permits; returns when all that is under way has its outcome in the log, or when time is up.
    func stop(within milliseconds: Int64) async {
        state.stop()
        let limit = Task { [clock] in
            try? await clock.sleep(until: clock.now() + milliseconds)
            self.giveUpWaiting()
        }
        if !state.isIdle {
            await withCheckedContinuation { idleWaiters.append($0) }
        }
        limit.cancel()
    }

    private func giveUpWaiting() {
        guard !idleWaiters.isEmpty else { return }
        log.error("Stopped before all outcomes were written", metadata: ["under-way": "\(state.inFlightCount)"])
        for waiter in idleWaiters { waiter.resume() }
        idleWaiters = []
    }

    var status: DispatcherStatus {
        DispatcherStatus(
            instance: String(state.settings.instance, radix: 16), queued: state.queuedCount, inFlight: state.inFlightCount,
            elsewhere: state.elsewhereCount, sent: state.counts.sent, failed: state.counts.failed,
            undeliverable: state.counts.undeliverable, uncertain: state.counts.uncertain,
            paused: state.lane.isPaused(clock.now()), shardsUnknown: shards - known.count, lastError: state.counts.lastError)
    }
}
