import Curl
import Foundation
import JetStreamPorts
import Model
import NATS
import Synchronization
import TestSupport

/// A whole cluster of `reprise` processes on this machine, with a mailbox.
final class TestCluster: Sendable {
    let nats: NATSServers
    let folder: ScratchFolder
    let environment: [String: String]
    let gateway: String
    static let writeKey = "write-key-of-the-test"
    static let adminKey = "admin-key-of-the-test"

    private let processes = Mutex<[String: ChildProcess]>([:])

    /// Starts everything and returns when it takes events.
    ///
    /// - Parameters:
    ///   - timeMode: how it is installed; none = live.
    ///   - coordinator, gateway: more arguments for these.
    ///   - workerFaults: stand in the workers' environment.
    ///   - backup: a folder that the installation comes out of; `shards` and `timeMode` are those of the backup then.
    ///   - binaries: by worker's name, for those of another build.
    ///   - more: more of the environment of all processes.
    ///   - bounds: of the logs; none = as they are installed.
    static func start(
        workers: Int, shards: Int, timeMode: [String] = ["--event-time"], restoring backup: String? = nil,
        coordinator: [String] = [], gateway: [String] = [],
        workerFaults: [String: String] = [:], binaries: [String: String] = [:], more: [String: String] = [:],
        bounds: StreamBounds? = nil
    ) async throws -> TestCluster {
        let cluster = try TestCluster(nats: await NATSServers.start(), folder: ScratchFolder(), more: more)
        do {
            let replicas = ["--replicas", String(try NATSServers.replicas), "--wait", "30"]
            if let backup {
                try await cluster.run(["restore", backup] + replicas)
            } else {
                try await cluster.run(["install", "--shards", String(shards)] + replicas + timeMode)
            }
            if let bounds { try await cluster.setBounds(bounds, shards: shards, isLive: timeMode.isEmpty) }
            try await cluster.startMailbox()
            try cluster.start("coordinator", ["coordinator", "--data", cluster.folder.path("coordinator")] + coordinator)
            try cluster.start("gateway", ["gateway", "--port", String(URL(string: cluster.gateway)?.port ?? 0)] + gateway)
            try cluster.start("dispatcher", ["dispatcher"])
            for name in (1...workers).map({ "worker-\($0)" }) {
                try cluster.startWorker(name, binary: binaries[name], faults: workerFaults)
            }
            try await cluster.run(["status", "--quiet", "--wait", "60", "--workers", String(workers)])
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("the cluster did not start: \(error)\n\(logs)")
        }
        return cluster
    }

    private init(nats: NATSServers, folder: ScratchFolder, more: [String: String]) throws {
        self.nats = nats
        self.folder = folder
        gateway = "http://127.0.0.1:\(try freePort())"
        environment = [
            "REPRISE_NATS": nats.url, "REPRISE_GATEWAY": gateway, "REPRISE_WRITE_KEY": Self.writeKey,
            "REPRISE_ADMIN_KEY": Self.adminKey, "REPRISE_SMTP": "smtp://127.0.0.1:\(try freePort())",
        ].merging(more) { $1 }
    }

    private func setBounds(_ bounds: StreamBounds, shards: Int, isLive: Bool) async throws {
        guard let map = ShardMap(shards: shards) else { throw TestSupportError("\(shards) shards") }
        let connection = try await nats.connect()
        defer { connection.close() }
        let settings = Installation(
            shards: map, timeMode: isLive ? .live : .eventTime, replicas: try NATSServers.replicas)
        _ = try await JetStreamInstallation.create(settings, bounds: bounds, connection: connection, log: testLog)
    }

    /// Posts events to the gateway; the status of its answer, and whether it says when to come back.
    func post(_ events: [[String: Any]]) async throws -> (status: Int, saysWhen: Bool) {
        let authorization = "Basic " + Data((Self.writeKey + ":").utf8).base64EncodedString()
        let request = HTTPRequest(
            "POST", gateway + "/v1/batch",
            headers: [("Content-Type", "application/json"), ("Authorization", authorization)],
            body: Array(try JSONSerialization.data(withJSONObject: ["batch": events])))
        let answer = try await HTTPClient(connections: 1).send(request)
        return (answer.status, answer.headers["retry-after"] != nil)
    }

    /// Runs a command against it and returns what it prints; throws when it fails.
    @discardableResult
    func run(_ arguments: [String]) async throws -> String {
        let run = try await CommandRun.reprise(arguments, environment: environment)
        guard run.status == 0 else {
            throw TestSupportError(
                "reprise \(arguments.joined(separator: " ")) ended with \(run.status): \(run.errors)\(run.output)\n\(logs())")
        }
        return run.output
    }

    /// Runs a command against it, however that ends.
    func attempt(_ arguments: [String]) async throws -> CommandRun {
        try await CommandRun.reprise(arguments, environment: environment)
    }

    func isRunning(_ name: String) throws -> Bool { try !Self.hasEnded(processID(name)) }

    func processID(_ name: String) throws -> Int32 { try process(name).processID }

    /// Mails that arrived, as text.
    func mails() throws -> [String] {
        let new = folder.url.appendingPathComponent("mailbox/new")
        return try FileManager.default.contentsOfDirectory(at: new, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    }

    /// Asks every role to stop and returns when all have; throws when one does not, or was not well.
    func stopCleanly(_ names: [String]) async throws {
        for name in names {
            guard let process = processes.withLock({ $0[name] }) else { throw TestSupportError("no process \(name)") }
            try process.send(signal: SIGTERM)
        }
        for name in names {
            let processID = try processID(name)
            try await eventually("\(name) stops after SIGTERM") { Self.hasEnded(processID) }
        }
    }

    /// A process whose end its parent has not asked for yet has ended too.
    private static func hasEnded(_ processID: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let name = stat.lastIndex(of: ")")
        else { return true }
        return stat[stat.index(after: name)...].hasPrefix(" Z")
    }

    func stop() async throws {
        for process in processes.withLock({ Array($0.values) }) { try await process.killAndWait() }
        try await nats.stop()
    }

    /// The last lines that the processes wrote.
    func logs() -> String {
        processes.withLock { Array($0.keys) }.sorted().map { name in
            let text = (try? folder.text(name + ".log")) ?? ""
            return "--- \(name)\n" + text.split(separator: "\n").suffix(8).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    func start(_ name: String, _ arguments: [String], binary: String? = nil) throws {
        try launch(name, [try binary ?? CommandRun.binary()] + arguments)
    }

    /// One more worker, or another run of one; of another build when `binary` names it.
    func startWorker(_ name: String, binary: String? = nil, faults: [String: String] = [:]) throws {
        try launch(name, [try binary ?? CommandRun.binary(), "worker", "--name", name], faults)
    }

    /// A coordinator of this name beside the one called `coordinator`.
    func startCoordinator(_ name: String) throws {
        try start(name, ["coordinator", "--coordinator-name", name, "--data", folder.path(name)])
    }

    func send(_ signal: Int32, to name: String) throws { try process(name).send(signal: signal) }

    /// Kills it with -9 and returns when it is gone.
    func kill(_ name: String) async throws { try await process(name).killAndWait() }

    private func process(_ name: String) throws -> ChildProcess {
        guard let process = processes.withLock({ $0[name] }) else { throw TestSupportError("no process \(name)") }
        return process
    }

    private func startMailbox() async throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let script = root.appendingPathComponent("cluster/lib/mailbox").path
        let port = (environment["REPRISE_SMTP"] ?? "").split(separator: ":").last.map(String.init) ?? ""
        let tools = ProcessInfo.processInfo.environment["REPRISE_TOOLS"] ?? root.appendingPathComponent(".build-tools").path
        try launch(
            "mailbox", [script, "--port", port, "--maildir", folder.path("mailbox"), "--port-file", folder.path("mailbox-port")],
            ["REPRISE_TOOLS": tools])
        let file = folder.path("mailbox-port")
        try await eventually("the mailbox listens", within: .seconds(60)) { FileManager.default.fileExists(atPath: file) }
    }

    private func launch(_ name: String, _ arguments: [String], _ more: [String: String] = [:]) throws {
        let process = try ChildProcess(
            arguments, output: folder.url.appendingPathComponent(name + ".log"), environment: environment.merging(more) { $1 })
        processes.withLock { $0[name] = process }
    }
}
