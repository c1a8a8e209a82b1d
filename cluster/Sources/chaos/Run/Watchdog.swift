import Foundation

/// Ends a run that hangs, whatever it hangs in: a thread of its own that needs nobody else's.
///
///     waiting --the process ends--> gone
///     waiting --the limit passes--> tells what was going on, and ends the process
enum Watchdog {
    /// How much longer than its faults a run may take: 3 minutes to start, 4 until the last request has its answer, 4 until
    /// it is quiet, 1 for the checks.
    static let secondsBeyond = 720.0

    /// - Parameters:
    ///   - seconds: how long the run may take.
    ///   - verdict: is told what hangs, on the watchdog's thread.
    ///   - end: ends the process, behind the verdict.
    static func watch(
        seconds: Double, board: Board, end: @escaping @Sendable () -> Void = { _exit(1) },
        verdict: @escaping @Sendable (String) -> Void
    ) {
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: seconds)
            verdict("the run hangs: not over after \(Int(seconds)) s, while \(board.phase)")
            end()
        }
    }
}
