internal import Model
internal import Ports

/// The names of an installation's streams and subjects: `<prefix>_IN_0` takes `<prefix>.IN.0`.
struct StreamNames: Sendable {
    /// 1 to 32 of `[a-z0-9-]`.
    let prefix: String

    func stream(_ log: LogName) -> String {
        switch log {
        case .input(let shard): "\(prefix)_IN_\(shard)"
        case .commits(let shard): "\(prefix)_LOG_\(shard)"
        case .coordinator: "\(prefix)_COORD"
        case .configuration: "\(prefix)_CONFIG"
        case .deadLetters: "\(prefix)_DEAD"
        case .delivery: "\(prefix)_DELIVERY"
        }
    }

    func subject(_ log: LogName) -> String { "\(prefix).\(log)" }

    /// The installation's fixed settings.
    var settingsStream: String { "\(prefix)_META" }
    var settingsSubject: String { "\(prefix).META" }

    var snapshotStream: String { "\(prefix)_SNAP" }
    var snapshotSubjects: String { "\(prefix).SNAP.>" }

    func messaging(_ subject: String) -> String { "\(prefix).msg.\(subject)" }

    func isValid() -> Bool {
        (1...32).contains(prefix.utf8.count)
            && prefix.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }
}
