internal import Foundation
internal import Logging
internal import Model
internal import Ports

/// Keeps a dispatcher informed of DELIVERY: whether messages may leave.
struct HoldFollower: Sendable {
    let dispatcher: Dispatcher
    let logs: any LogStore
    let clock: any WallClock
    let log: Logger

    private static let retryMilliseconds: Int64 = 500

    /// Tells the dispatcher what counts now, and returns behind which record to follow; nil when cancelled. Until then
    /// nothing may be sent, so it is tried until it is known.
    func start() async -> UInt64? {
        while !Task.isCancelled {
            do {
                guard let last = try await logs.last(of: .delivery) else { return 0 }
                try await tell(last)
                return last.sequence
            } catch {
                log.error("Whether delivery is held cannot be read; nothing is sent", metadata: ["error": "\(error)"])
            }
            await pause()
        }
        return nil
    }

    /// Until cancelled.
    func follow(behind sequence: UInt64) async {
        var next = sequence + 1
        while !Task.isCancelled {
            do {
                let reader = try await logs.read(.delivery, from: next)
                defer { reader.close() }
                while true {
                    for record in try await reader.next(max: 16) {
                        try await tell(record)
                        next = record.sequence + 1
                    }
                }
            } catch is CancellationError {
                return
            } catch {
                log.warning("Whether delivery is held cannot be read now", metadata: ["error": "\(error)"])
            }
            await pause()
        }
    }

    private func tell(_ record: LogRecord) async throws {
        let word = try JSONDecoder().decode(DeliveryRecord.self, from: Data(record.payload))
        log.notice(word.isHeld ? "Delivery is held" : "Delivery is released", metadata: ["reason": "\(word.reason)"])
        await dispatcher.hold(word)
    }

    /// Ends early when cancelled, which the loops look at themselves.
    private func pause() async { try? await clock.sleep(until: clock.now() + Self.retryMilliseconds) }
}
