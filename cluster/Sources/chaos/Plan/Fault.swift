/// A fault as data: what is done to which hosts, and for how long.
struct Fault: Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case kill, freeze, restart, partition, split, slow
        case longFreeze = "long-freeze"
        case diskFull = "disk-full"
        case blackout, rolling, churn

        /// A line for people.
        var text: String {
            switch self {
            case .kill: "kill -9 of a process, started again later"
            case .freeze: "SIGSTOP for some seconds, then SIGCONT: a zombie comes back"
            case .longFreeze: "the same for 130 s: longer than every time-out, and than the logs know a message's id"
            case .restart: "SIGTERM, then started again"
            case .partition: "a host hears nobody and nobody hears it"
            case .split: "two hosts do not hear each other, all others do"
            case .slow: "a host's network passes little and late"
            case .diskFull: "a nats-server's disk is full to the last byte, then has room again"
            case .blackout: "kill -9 of all nats-servers at once"
            case .rolling: "every process is restarted, one after another"
            case .churn: "workers join and leave all the while"
            }
        }

        /// Wants hosts with networks of their own.
        var needsNetwork: Bool { self == .partition || self == .split || self == .slow }
        /// Wants file systems of its own.
        var needsDisk: Bool { self == .diskFull }
    }

    var kind: Kind
    /// Whom it hits; two for a split.
    var hosts: [Topology.Host]
    /// From the run's begin.
    var atSeconds: Double
    /// Until it is healed.
    var seconds: Double

    var endSeconds: Double { atSeconds + seconds }
    /// As it stands in the printed plan.
    var text: String {
        let target = hosts.map(\.description).joined(separator: ", ")
        return "\(Self.fixed(atSeconds)) s  \(kind.rawValue) \(target)".trimmingSpaces + ", \(Self.fixed(seconds)) s"
    }

    private static func fixed(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
