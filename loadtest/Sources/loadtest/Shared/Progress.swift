import Foundation

/// Lines on standard error: one over another on a terminal, one below another elsewhere.
struct Progress {
    private let onTerminal = isatty(2) == 1
    private var shown: ContinuousClock.Instant?

    /// At most one a second elsewhere, ten a second on a terminal.
    mutating func show(_ text: @autoclosure () -> String) {
        let now = ContinuousClock.now
        if let shown, shown.duration(to: now) < (onTerminal ? .milliseconds(100) : .seconds(1)) { return }
        shown = now
        write((onTerminal ? "\r" : "") + text() + (onTerminal ? "\u{1b}[K" : "\n"))
    }

    /// A line that stays.
    mutating func say(_ text: String) {
        write((onTerminal ? "\r\u{1b}[K" : "") + text + "\n")
        shown = nil
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
