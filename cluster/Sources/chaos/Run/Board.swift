import Foundation
import Synchronization

/// What a run says while it goes on, and the faults that show at once. Safe to use from any task.
final class Board: Sendable {
    private let beginning = Mutex(ContinuousClock.now)
    private let faultsSeen = Mutex<[String]>([])
    private let endings = Mutex<[String]>([])
    private let current = Mutex("beginning")

    /// What moments are counted from.
    var began: ContinuousClock.Instant { beginning.withLock { $0 } }

    /// The cluster runs: faults and load begin now.
    func begin() { beginning.withLock { $0 = .now } }

    /// What goes on now, in a word or two; said too.
    func enter(_ phase: String) {
        current.withLock { $0 = phase }
        say(phase)
    }

    var phase: String { current.withLock { $0 } }

    /// A line with its moment, on standard error.
    func say(_ text: String) {
        let tenths = Int((began.duration(to: .now) / .milliseconds(100)).rounded())
        FileHandle.standardError.write(Data("\(tenths / 10).\(tenths % 10) s  \(text)\n".utf8))
    }

    /// Something that must not happen, whatever the faults.
    func fault(_ text: String) {
        let seconds = Int(began.duration(to: .now) / .seconds(1))
        faultsSeen.withLock { $0.append("\(text) (at \(seconds) s)") }
        say("VIOLATION: \(text)")
    }

    /// A process that ended though nobody ended it, and was started again.
    func ended(_ host: Topology.Host, _ words: String) {
        say("\(host) ended by itself and is started again: \(words)")
        endings.withLock { $0.append("\(host): \(words)") }
        if words.contains("Fatal error") || words.contains("rogram crashed") { fault("\(host) crashed: \(words)") }
    }

    var faults: [String] { faultsSeen.withLock { $0 } }
    var ended: [String] { endings.withLock { $0 } }
}
