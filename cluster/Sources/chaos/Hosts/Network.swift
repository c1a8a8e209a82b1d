/// Where the hosts are on the network, and how it is disturbed.
///
/// Namespaces: each host has one, joined by a bridge in the namespace that the program itself runs in, which must be one
/// made for it. Loopback: each host has an address of 127.0.0.0/8 and no network of its own to disturb.
struct Network: Sendable {
    enum Kind: String, Sendable { case namespaces, loopback }

    let kind: Kind
    private let numbers: [Topology.Host: Int]

    init(_ kind: Kind, _ topology: Topology) {
        self.kind = kind
        numbers = Dictionary(uniqueKeysWithValues: topology.all.enumerated().map { ($1, $0 + 11) })
    }

    /// Of this program and the mailbox.
    var outside: String { kind == .namespaces ? "10.91.0.1" : "127.91.0.1" }

    func address(_ host: Topology.Host) -> String {
        (kind == .namespaces ? "10.91.0." : "127.91.0.") + String(numbers[host] ?? 0)
    }

    /// What stands before a command so that it runs on the host.
    func prefix(_ host: Topology.Host) -> [String] {
        kind == .namespaces ? ["/usr/bin/nsenter", "--net=/run/netns/\(host)"] : []
    }

    private func port(_ host: Topology.Host) -> String { "chaos\(numbers[host] ?? 0)" }

    func create() async throws {
        guard kind == .namespaces else { return }
        try await ip("link add chaos0 type bridge")
        try await ip("addr add \(outside)/24 dev chaos0")
        try await ip("link set chaos0 up")
        for host in numbers.keys.sorted() {
            try await ip("netns add \(host)")
            try await ip("link add \(port(host)) type veth peer name eth0 netns \(host)")
            try await ip("link set \(port(host)) master chaos0 up")
            try await ip("-n \(host) addr add \(address(host))/24 dev eth0")
            try await ip("-n \(host) link set eth0 up")
            try await ip("-n \(host) link set lo up")
        }
    }

    /// Nobody hears the host; what it sends goes nowhere, and it is not told.
    func isolate(_ host: Topology.Host) async throws { try await ip("link set \(port(host)) nomaster") }
    func rejoin(_ host: Topology.Host) async throws { try await ip("link set \(port(host)) master chaos0") }

    /// Each sends what is meant for the other to where nobody is.
    func split(_ one: Topology.Host, _ other: Topology.Host) async throws {
        for (from, to) in [(one, other), (other, one)] {
            try await ip("-n \(from) neigh replace \(address(to)) lladdr 02:00:00:00:00:01 nud permanent dev eth0")
        }
    }

    func mend(_ one: Topology.Host, _ other: Topology.Host) async throws {
        for (from, to) in [(one, other), (other, one)] { try await ip("-n \(from) neigh del \(address(to)) dev eth0") }
    }

    /// 400 kbit/s in each direction; what comes faster waits up to a second, then is lost.
    func slow(_ host: Topology.Host) async throws {
        let queue = "root tbf rate 400kbit burst 8kb latency 1s"
        try await run("tc qdisc replace dev \(port(host)) \(queue)")
        try await run("tc -n \(host) qdisc replace dev eth0 \(queue)")
    }

    func unslow(_ host: Topology.Host) async throws {
        try await run("tc qdisc del dev \(port(host)) root")
        try await run("tc -n \(host) qdisc del dev eth0 root")
    }

    private func ip(_ arguments: String) async throws { try await run("ip " + arguments) }

    private func run(_ line: String) async throws {
        try await Command.run(line.split(separator: " ").map(String.init), environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
    }
}
