internal import Foundation
internal import Logging
internal import Model
internal import Ports

/// Keeps a dispatcher informed of one shard: what is open, then every commit from there on. Runs until cancelled.
struct ShardFollower: Sendable {
    let shard: ShardID
    let dispatcher: Dispatcher
    let logs: any LogStore
    let messaging: any Messaging
    let clock: any WallClock
    let log: Logger

    private static let requestTimeout = Duration.seconds(2)
    private static let retryFirst: Int64 = 50
    private static let retryMax: Int64 = 2 * Milliseconds.second
    private static let recordsMax = 64

    func run() async {
        while !Task.isCancelled {
            guard let open = await askForOpen() else { return }
            await dispatcher.loaded(shard, open.actions, isWhole: open.isWhole)
            await follow(from: open.commit + 1)
        }
    }

    /// What is open, as far as a dispatcher can remember it; `commit` is the first page's, to follow from.
    private struct Open {
        var commit: UInt64
        var actions: [OpenAction] = []
        var isWhole = true
    }

    /// Asks for page after page until the shard's owner has answered them all; nil when cancelled.
    private func askForOpen() async -> Open? {
        var tries = 0
        var found: Open?
        var after: UInt32?
        while !Task.isCancelled {
            do {
                let request = try JSONEncoder().encode(OpenActionsRequest(after: after))
                let answer = try await messaging.request("shard.\(shard).open", Array(request), timeout: Self.requestTimeout)
                // Empty: its owner is giving it up.
                if !answer.isEmpty {
                    let page = try JSONDecoder().decode(OpenActions.self, from: Data(answer))
                    var open = found ?? Open(commit: page.commit)
                    open.actions += try page.actions.map(OpenAction.init)
                    open.isWhole = page.next == nil
                    guard let next = page.next, open.actions.count < Limits.dispatcherActionsMax else { return open }
                    (found, after, tries) = (open, next, 0)
                    continue
                }
            } catch let error as RequestError {
                // Shards move and workers start: no answer is nothing unusual.
                log.debug("A shard's open actions are not known yet", metadata: ["shard": "\(shard)", "error": "\(error)"])
            } catch {
                log.error("A shard's open actions cannot be read", metadata: ["shard": "\(shard)", "error": "\(error)"])
            }
            tries += 1
            await pause(tries)
        }
        return nil
    }

    /// Returns when the log has to be left: trimmed below us, damaged, closed to load again, or cancelled.
    private func follow(from sequence: UInt64) async {
        var tries = 0
        var next = sequence
        while !Task.isCancelled {
            do {
                let reader = try await logs.read(.commits(shard), from: next)
                defer { reader.close() }
                await dispatcher.reads(shard, reader)
                while true {
                    for record in try await reader.next(max: Self.recordsMax) {
                        try await apply(record)
                        next = record.sequence + 1
                        tries = 0
                    }
                }
            } catch is CancellationError {
                return
            } catch let error as LogError where Self.isPassing(error) {
                log.debug("A commit log cannot be read now", metadata: ["shard": "\(shard)", "error": "\(error)"])
            } catch {
                log.error(
                    "A commit log cannot be followed; the shard is asked anew",
                    metadata: ["shard": "\(shard)", "error": "\(error)"])
                await pause(10)
                return
            }
            tries += 1
            await pause(tries)
        }
    }

    private func apply(_ record: LogRecord) async throws {
        let commit = try Commit.decoded(record.payload).commit
        var effects: [(configuration: UInt64, effect: Effect)] = []
        for step in commit.steps {
            for effect in try step.decodedEffects() { effects.append((step.configuration, effect)) }
        }
        if !effects.isEmpty { await dispatcher.apply(commit, effects) }
    }

    private static func isPassing(_ error: LogError) -> Bool {
        switch error.code {
        case .unavailable, .ambiguous: true
        default: false
        }
    }

    /// Ends early when cancelled, which the loops look at themselves.
    private func pause(_ tries: Int) async {
        let wait = DispatcherSettings.backoff(first: Self.retryFirst, factor: 2, most: Self.retryMax, failures: tries)
        try? await clock.sleep(until: clock.now() + wait)
    }
}

extension OpenAction {
    init(_ action: OpenActions.Action) throws {
        guard let id = ActionID(text: action.action),
            let channel = Channel.allCases.first(where: { $0.name == action.channel })
        else {
            throw FormatError(.invalid("open action \(action.action) of channel \(action.channel)"), at: 0)
        }
        var holder: AttemptID?
        if let text = action.grantedInstance, let number = action.grantedNumber {
            guard let instance = UInt64(text, radix: 16) else {
                throw FormatError(.invalid("dispatcher instance \(text)"), at: 0)
            }
            holder = AttemptID(instance: instance, number: number)
        }
        self.init(
            action: id, customer: CustomerKey(action.customer), rule: RuleID(action.rule), channel: channel,
            due: action.dueMilliseconds.map { Instant(milliseconds: $0) } ?? .distantPast,
            deadline: Instant(milliseconds: action.deadlineMilliseconds), holder: holder)
    }
}
