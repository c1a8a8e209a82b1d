import Foundation

/// Ends a run that hangs, whatever it hangs in: a thread of its own that needs nobody else's.
///
///     waiting --the run is over--> released
///     waiting --the limit passes--> ended: tells what was going on, and ends the process
enum Watchdog {
    /// How much longer than its faults a run may take: 4 minutes to start, 4 until the last request has its answer, 4 until
    /// it is quiet, 3 for the checks.
    static let minutesBeyond = 15.0

    /// Lasts as long as the process does.
    ///
    /// - Parameter verdict: is told what hangs, on the watchdog's thread; the process ends when it returns.
    static func watch(minutes: Double, board: Board, verdict: @escaping @Sendable (String) -> Void) {
        let limit = minutes + minutesBeyond
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: limit * 60)
            verdict("the run hangs: not over after \(Int(limit)) minutes, and is \(board.phase)")
            exit(1)
        }
    }
}
