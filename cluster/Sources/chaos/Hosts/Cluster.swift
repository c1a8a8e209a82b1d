import Curl
import Foundation
import TestSupport

/// All hosts of a run and the mailbox: made, started, ended.
struct Cluster: Sendable {
    struct Paths: Sendable {
        var folder: URL
        var reprise: String
        /// Of the version to change to when everything is restarted; nil = the same.
        var nextReprise: String?
        var natsServer: String
        /// The script that starts the mailbox.
        var mailbox: String
    }

    static let writeKey = "chaos-write-key"
    static let adminKey = "chaos-admin-key"
    private static let smtpPort = 2525
    private static let gatewayPort = 8080

    let topology: Topology
    let network: Network
    let paths: Paths
    let shards: Int
    /// Of each nats-server's file system, where it has one of its own.
    let diskMegabytes: Int
    private let machines: [Topology.Host: Machine]

    init(topology: Topology, network: Network, paths: Paths, shards: Int, diskMegabytes: Int) {
        self.topology = topology
        self.network = network
        self.paths = paths
        self.shards = shards
        self.diskMegabytes = diskMegabytes
        let urls = topology.hosts(.nats).map { "nats://\(network.address($0)):4222" }.joined(separator: ",")
        let environment = [
            "REPRISE_NATS": urls, "REPRISE_WRITE_KEY": Self.writeKey, "REPRISE_ADMIN_KEY": Self.adminKey,
            "REPRISE_SMTP": "smtp://\(network.outside):\(Self.smtpPort)",
        ]
        let logs = paths.folder.appendingPathComponent("logs")
        machines = Dictionary(
            uniqueKeysWithValues: topology.all.map { host in
                let program = Machine.Program(
                    path: host.role == .nats ? paths.natsServer : paths.reprise,
                    arguments: Self.arguments(host, network, paths), environment: environment)
                return (host, Machine(host, prefix: network.prefix(host), logs: logs, program: program))
            })
    }

    private static func arguments(_ host: Topology.Host, _ network: Network, _ paths: Paths) -> [String] {
        switch host.role {
        case .nats: ["-c", paths.folder.appendingPathComponent("\(host).conf").path]
        case .coordinator:
            [
                "coordinator", "--coordinator-name", "\(host)", "--data",
                paths.folder.appendingPathComponent("\(host)").path,
            ]
        case .worker: ["worker", "--name", "\(host)", "--threads", "1"]
        case .gateway: ["gateway", "--host", network.address(host), "--port", "\(gatewayPort)"]
        case .dispatcher: ["dispatcher"]
        }
    }

    func machine(_ host: Topology.Host) throws -> Machine {
        guard let machine = machines[host] else { throw ChaosError("there is no host \(host)") }
        return machine
    }

    var natsURLs: [String] { topology.hosts(.nats).map { "nats://\(network.address($0)):4222" } }
    var gateways: [String] { topology.hosts(.gateway).map { "http://\(network.address($0)):\(Self.gatewayPort)" } }
    var maildir: URL { paths.folder.appendingPathComponent("mailbox/new") }
    func store(_ host: Topology.Host) -> URL { paths.folder.appendingPathComponent("\(host)") }

    // MARK: Beginning

    /// Everything runs and every shard is served when it returns.
    func start() async throws -> ChildProcess {
        try FileManager.default.createDirectory(
            at: paths.folder.appendingPathComponent("logs"), withIntermediateDirectories: true)
        try await network.create()
        for host in topology.hosts(.nats) { try await prepareStore(host) }
        for host in topology.hosts(.nats) { try await machine(host).start() }
        for host in topology.hosts(.nats) { try await awaitNATS(host, within: .seconds(30)) }
        let mailbox = try ChildProcess(
            [
                paths.mailbox, "--host", network.outside, "--port", "\(Self.smtpPort)", "--maildir",
                paths.folder.appendingPathComponent("mailbox").path,
            ], output: paths.folder.appendingPathComponent("logs/mailbox.log"))
        try await reprise(["install", "--wait", "60", "--shards", "\(shards)", "--replicas", "\(topology.hosts(.nats).count)"])
        try ChaosRules.text.write(to: paths.folder.appendingPathComponent("rules.yaml"), atomically: true, encoding: .utf8)
        try await reprise(["rules", "apply", "-f", paths.folder.appendingPathComponent("rules.yaml").path])
        for host in topology.hosts where host.role != .nats { try await machine(host).start() }
        try await reprise(["status", "--quiet", "--wait", "60", "--workers", "\(topology.hosts(.worker).count)"])
        return mailbox
    }

    /// Runs a command of the program against the cluster, from outside.
    @discardableResult
    func reprise(_ arguments: [String]) async throws -> String {
        try await Command.run(
            [paths.reprise] + arguments,
            environment: ["REPRISE_NATS": natsURLs.joined(separator: ","), "REPRISE_GATEWAY": gateways[0]])
    }

    private func prepareStore(_ host: Topology.Host) async throws {
        let store = store(host)
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        if network.kind == .namespaces {
            try await Command.run(["mount", "-t", "tmpfs", "-o", "size=\(diskMegabytes)m", "chaos-\(host)", store.path])
        }
        let address = network.address(host)
        var lines = [
            "server_name: \(host)", "listen: \"\(address):4222\"", "http: \"\(address):8222\"",
            "jetstream { store_dir: \"\(store.path)/data\", max_file_store: 4TB }",
        ]
        let servers = topology.hosts(.nats)
        if servers.count > 1 {
            let routes = servers.map { "\"nats://\(network.address($0)):6222\"" }.joined(separator: ", ")
            lines.append("cluster { name: chaos, listen: \"\(address):6222\", routes: [\(routes)] }")
        }
        try lines.joined(separator: "\n").appending("\n").write(
            to: paths.folder.appendingPathComponent("\(host).conf"), atomically: true, encoding: .utf8)
    }

    /// Returns when the server says that it is well: all its streams are there and current.
    func awaitNATS(_ host: Topology.Host, within limit: Duration) async throws {
        let client = HTTPClient(connections: 1)
        let deadline = ContinuousClock.now + limit
        var last = "no answer"
        while ContinuousClock.now < deadline {
            do throws(TransferError) {
                let answer = try await client.send(
                    HTTPRequest("GET", "http://\(network.address(host)):8222/healthz", timeoutMilliseconds: 1000))
                if answer.status == 200 { return }
                last = answer.text
            } catch {
                last = error.message
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ChaosError("\(host) is not well within \(limit): \(last)")
    }

    // MARK: End

    /// Ends every process; what they wrote stays.
    func stop() async throws {
        for role in [Role.gateway, .dispatcher, .worker, .coordinator, .nats] {
            for host in topology.all where host.role == role {
                try await machine(host).kill()
            }
        }
    }

    /// What the machines' supervisor does; returns who had ended by itself, and its last words.
    func supervise() async throws -> [(Topology.Host, String)] {
        var ended: [(Topology.Host, String)] = []
        for host in topology.all {
            if let words = try await machine(host).supervise() { ended.append((host, words)) }
        }
        return ended
    }
}
