/// What a host of a chaos run does; one process each.
enum Role: String, Codable, CaseIterable, Sendable {
    case nats, coordinator, worker, gateway, dispatcher
}

/// The hosts of a run, by name. Pure.
struct Topology: Equatable, Sendable {
    /// A host and its only process: `worker-2`.
    struct Host: Hashable, Comparable, Sendable, CustomStringConvertible {
        let role: Role
        /// From 1.
        let number: Int

        var description: String { "\(role.rawValue)-\(number)" }

        static func < (left: Host, right: Host) -> Bool {
            (left.role.rawValue, left.number) < (right.role.rawValue, right.number)
        }
    }

    let hosts: [Host]
    /// Workers that are not there at first: they join and leave.
    let guests: [Host]

    /// - Parameters:
    ///   - replicas: nats-servers, 1 or 3.
    ///   - workers: that stay; two more come and go.
    init(replicas: Int, workers: Int) {
        let counts: [(Role, Int)] = [(.nats, replicas), (.coordinator, 2), (.worker, workers), (.gateway, 2), (.dispatcher, 2)]
        hosts = counts.flatMap { role, count in (1...count).map { Host(role: role, number: $0) } }
        guests = (workers + 1...workers + 2).map { Host(role: .worker, number: $0) }
    }

    func hosts(_ role: Role) -> [Host] { hosts.filter { $0.role == role } }
    var all: [Host] { hosts + guests }
}
