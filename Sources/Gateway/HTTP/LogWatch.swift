internal import Logging
internal import Model
internal import Ports
internal import Synchronization

/// What the gateway knows of the logs: whether they answer, which are nearly full, and what the configuration says.
final class LogWatch: Sendable {
    private struct State {
        var lastAnswer: Instant?
        var full: Set<ShardID> = []
        /// The fullest stream's share of its bound, 0 to 1.
        var fill = 0.0
        var settings: EventMapping.Settings?
    }

    private let logs: any LogStore
    private let clock: any WallClock
    private let installation: Installation
    private let log: Logger
    private let state = Mutex(State())

    init(logs: any LogStore, clock: any WallClock, installation: Installation, log: Logger) {
        self.logs = logs
        self.clock = clock
        self.installation = installation
        self.log = log
    }

    /// How long an answer of the log counts as news.
    private static let newsMilliseconds = 5 * Milliseconds.second

    var isReady: Bool {
        let now = clock.now()
        return state.withLock { state in
            guard let last = state.lastAnswer, state.settings != nil else { return false }
            return now - last < Self.newsMilliseconds
        }
    }

    var fill: Double { state.withLock { $0.fill } }
    /// Nil until the configuration log has answered once: an order in the shop's own currency must not be refused.
    var settings: EventMapping.Settings? { state.withLock { $0.settings } }

    func isFull(_ shards: some Sequence<ShardID>) -> Bool {
        state.withLock { state in !state.full.isEmpty && shards.contains { state.full.contains($0) } }
    }

    /// Asks every input log for its fill, once a second, until the task is cancelled.
    func watchFill() async {
        while !Task.isCancelled {
            await pollFill()
            guard (try? await clock.sleep(until: clock.now() + Milliseconds.second)) != nil else { return }
        }
    }

    private func pollFill() async {
        var fill = 0.0
        var full: Set<ShardID> = []
        for shard in installation.shards.all {
            do throws(LogError) {
                let found = try await logs.state(of: .input(shard))
                if let bound = found.bytesMax, bound > 0 {
                    let share = Double(found.bytes) / Double(bound)
                    fill = max(fill, share)
                    if share * 100 >= Double(Limits.inputFillPercentMax) { full.insert(shard) }
                }
                let now = clock.now()
                state.withLock { $0.lastAnswer = now }
            } catch {
                log.warning("input log does not answer", metadata: ["log": "\(LogName.input(shard))", "error": "\(error)"])
                // What was known of it stands; the others are asked all the same, or they would be filled to the brim.
                if state.withLock({ $0.full.contains(shard) }) { full.insert(shard) }
            }
        }
        let newly = state.withLock { state in
            defer { (state.fill, state.full) = (fill, full) }
            return full.subtracting(state.full).count
        }
        if newly > 0 {
            log.error("input logs are nearly full, their events are refused", metadata: ["streams": "\(full.count)"])
        }
    }

    /// Follows the configuration's currency until the task is cancelled.
    func followConfiguration(else first: EventMapping.Settings) async {
        var next: UInt64 = 1
        while !Task.isCancelled {
            do {
                if let newest = try await logs.last(of: .configuration) {
                    try adopt(newest)
                    next = newest.sequence + 1
                } else {
                    state.withLock { $0.settings = $0.settings ?? first }
                }
                let reader = try await logs.read(.configuration, from: next)
                defer { reader.close() }
                while true {
                    guard let newest = try await reader.next(max: 64).last else { continue }
                    try adopt(newest)
                    next = newest.sequence + 1
                }
            } catch is CancellationError {
                return
            } catch {
                log.warning("configuration log cannot be followed, trying again", metadata: ["error": "\(error)"])
                guard (try? await clock.sleep(until: clock.now() + Milliseconds.second)) != nil else { return }
            }
        }
    }

    private func adopt(_ record: LogRecord) throws(FormatError) {
        let rules = try RuleSet.decoded(record.payload, revision: record.sequence)
        let settings = EventMapping.Settings(
            timeMode: installation.timeMode, currency: rules.currency, currencyDigits: Int(rules.currencyDigits))
        state.withLock { $0.settings = settings }
        log.info(
            "configuration adopted", metadata: ["revision": "\(record.sequence)", "currency": "\(rules.currency)"])
    }
}
