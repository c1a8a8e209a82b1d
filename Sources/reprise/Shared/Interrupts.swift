import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM as cancellation.
enum Interrupts {
    /// Runs `body` until it ends. The first signal cancels it, so that it can stop cleanly; a second one ends the
    /// process at once. What `body` throws because it was cancelled is no error.
    static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await body() }
        let stopping = Atomic(false)
        let queue = DispatchQueue(label: "signals")
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if stopping.exchange(true, ordering: .relaxed) { _exit(128 + number) }
                task.cancel()
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            try await task.value
        } catch is CancellationError where task.isCancelled {
            return
        }
    }
}
