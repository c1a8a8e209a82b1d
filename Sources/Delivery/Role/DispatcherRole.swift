internal import Foundation
package import Logging
internal import Model
package import Ports

/// Delivers what the shards decide: asks for permits, sends, reports what became of it.
package enum DispatcherRole {
    private static let tickMilliseconds: Int64 = 100

    /// Runs until its task is cancelled; then asks for no more permits, finishes what is under way, writes the outcomes
    /// and returns. Throws when the messaging cannot be set up.
    package static func run(
        options: DispatcherOptions, logs: any LogStore, messaging: any Messaging, clock: any WallClock, log: Logger
    ) async throws {
        let dispatcher = Dispatcher(options, logs: logs, clock: clock, log: log)
        await dispatcher.start()
        let hold = HoldFollower(dispatcher: dispatcher, logs: logs, clock: clock, log: log)
        guard let known = await hold.start() else { return }
        let heartbeats = try await messaging.listen("dispatcher.heartbeat.*") { subject, _ in
            guard let word = subject.split(separator: ".").last, let instance = UInt64(word, radix: 16) else { return }
            Task { await dispatcher.heard(instance) }
        }
        defer { heartbeats.close() }
        let status = try await messaging.serve("dispatcher.status") { _ in
            let status = await dispatcher.status
            do {
                return Array(try JSONEncoder().encode(status))
            } catch {
                return Array("{}".utf8)
            }
        }
        defer { status.close() }
        log.info("The dispatcher runs", metadata: ["instance": "\(String(options.instance, radix: 16))"])

        // These go on while the dispatcher stops: answers to permits asked for are still to be read.
        let background = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await tick(dispatcher, options, messaging, clock) }
                group.addTask { await hold.follow(behind: known) }
                for shard in options.shards.all {
                    let follower = ShardFollower(
                        shard: shard, dispatcher: dispatcher, logs: logs, messaging: messaging, clock: clock, log: log)
                    group.addTask { await follower.run() }
                }
            }
        }
        await cancellation()
        log.info("The dispatcher finishes what is under way")
        await dispatcher.stop(within: options.stopTimeoutMilliseconds)
        background.cancel()
        await background.value
        log.info("The dispatcher stopped")
    }

    private static func tick(
        _ dispatcher: Dispatcher, _ options: DispatcherOptions, _ messaging: any Messaging, _ clock: any WallClock
    ) async {
        let heartbeat = "dispatcher.heartbeat.\(String(options.instance, radix: 16))"
        var nextHeartbeat = clock.now()
        while !Task.isCancelled {
            if clock.now() >= nextHeartbeat {
                messaging.publish(heartbeat, [])
                nextHeartbeat = clock.now() + Limits.heartbeatMilliseconds
            }
            await dispatcher.tick()
            // Ends early only when cancelled, and then so does the loop.
            try? await clock.sleep(until: clock.now() + tickMilliseconds)
        }
    }

    /// Returns when the task is cancelled.
    private static func cancellation() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}
