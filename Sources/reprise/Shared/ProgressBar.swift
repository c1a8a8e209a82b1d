import Foundation

/// A bar on standard error: drawn over itself on a terminal, a line for every tenth elsewhere.
struct ProgressBar {
    private let total: Int
    private let onTerminal = isatty(2) == 1
    private let began = ContinuousClock.now
    private var drawn: ContinuousClock.Instant?
    private var tenths = -1

    init(total: Int) { self.total = max(total, 1) }

    /// `note` stands behind the bar: where we are.
    mutating func show(_ done: Int, _ note: String) {
        let done = min(done, total)
        let share = done * 10 / total
        if onTerminal {
            if let drawn, drawn.duration(to: .now) < .milliseconds(100), done < total { return }
            drawn = .now
            let filled = done * 30 / total
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
            write("\r[\(bar)] \(done * 100 / total) %  \(note)\u{1b}[K")
        } else if share > tenths {
            tenths = share
            write("   \(share * 10) %  \(note)\n")
        }
    }

    /// A line of its own, the bar goes on below.
    mutating func say(_ text: String) {
        write((onTerminal ? "\r\u{1b}[K" : "") + text + "\n")
        drawn = nil
    }

    mutating func finish() {
        if onTerminal { write("\n") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
