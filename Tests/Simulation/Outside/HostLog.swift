package import Logging

/// What roles say: into the trace, and counted by its text, so that a run tells which branches it took.
// Sendable: used on the simulation's thread alone.
package struct HostLog: LogHandler, @unchecked Sendable {
    package var metadata = Logger.Metadata()
    package var logLevel = Logger.Level.info
    private let scheduler: Scheduler
    private let hear: (_ message: String, _ words: String) -> Void

    /// - Parameter hear: told each message, and what stands beside it, as `key=value`.
    package init(scheduler: Scheduler, hear: @escaping (_ message: String, _ words: String) -> Void) {
        self.scheduler = scheduler
        self.hear = hear
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let words = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        hear("\(event.message)", words)
        scheduler.note("log", 0, "\(event.message) \(words)")
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
