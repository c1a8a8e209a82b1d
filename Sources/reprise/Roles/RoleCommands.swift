import ArgumentParser
import Coordinator
import Curl
import Delivery
import Foundation
import Gateway
import JetStreamPorts
import Logging
import Model
import Worker

/// A role that a process can play.
protocol RoleOptions: ParsableArguments, Sendable {
    /// Throws a sentence when something is missing or out of its range; called when the role is to be played.
    func check() throws

    /// Runs until its task is cancelled, then stops cleanly.
    func run(in cluster: Cluster, log: Logger) async throws
}

struct WorkerRoleOptions: RoleOptions {
    @Option(help: "What this worker is called; no two of an installation alike.")
    var name: String
    @Option(help: ArgumentHelp("Threads that its shards are spread over. Default: one for each core.", valueName: "number"))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    func check() throws {
        try Names.check(name, "--name")
        guard (1...256).contains(threads) else { throw ValidationError("--threads: 1 to 256, not \(threads)") }
    }

    func run(in cluster: Cluster, log: Logger) async throws {
        var options = WorkerOptions(id: WorkerID(name: name, instance: Names.instance()), threads: threads)
        options.snapshotEveryBytes = try SnapshotSetting.bytes()
        options.leavesLastWord = true
        options.build = try Build.name()
        try await WorkerRole.run(
            options: options, installation: cluster.installation, logs: cluster.logs, snapshots: cluster.snapshots,
            messaging: cluster.messaging,
            clock: SystemWallClock(), log: log)
    }
}

struct CoordinatorRoleOptions: RoleOptions {
    @Option(help: ArgumentHelp("Folder for its database of sums; added up anew from the logs when lost.", valueName: "folder"))
    var data: String
    @Option(help: ArgumentHelp("What this coordinator is called; no two of an installation alike.", valueName: "name"))
    var coordinatorName: String = "coordinator"
    @Option(
        help: ArgumentHelp(
            "Workers that follow each shard without owning it, so that they take over at once: 0 to 2.", valueName: "number"))
    var standbys: Int = 0
    @Option(
        help: ArgumentHelp(
            "After so long a silent worker's shards go to others. Default: 2000, with standbys 1250.",
            valueName: "milliseconds"))
    var workerTimeout: Int64?

    func check() throws {
        guard !data.isEmpty else { throw ValidationError("--data: a folder is wanted") }
        guard (0...Limits.standbysMax).contains(standbys) else {
            throw ValidationError("--standbys: 0 to \(Limits.standbysMax), not \(standbys)")
        }
        let timeouts = Limits.workerTimeoutMillisecondsMin...Limits.workerTimeoutMillisecondsMax
        if let workerTimeout, !timeouts.contains(workerTimeout) {
            throw ValidationError("--worker-timeout: \(timeouts.lowerBound) to \(timeouts.upperBound) ms, not \(workerTimeout)")
        }
        try Names.check(coordinatorName, "--coordinator-name")
    }

    func run(in cluster: Cluster, log: Logger) async throws {
        do {
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        } catch {
            throw CommandError("--data '\(data)': the folder cannot be made: \(error.localizedDescription)")
        }
        try await CoordinatorRole.run(
            options: CoordinatorRole.Options(
                name: coordinatorName, databasePath: data + "/sums-\(coordinatorName).sqlite",
                installation: cluster.installation, snapshotEveryBytes: try SnapshotSetting.bytes(), standbys: standbys,
                workerTimeoutMilliseconds: workerTimeout),
            logs: cluster.logs, snapshots: cluster.snapshots, messaging: cluster.messaging, clock: SystemWallClock(), log: log)
    }
}

struct GatewayRoleOptions: RoleOptions {
    @Option(help: "The address to listen at; 0.0.0.0 for all.")
    var host: String = "127.0.0.1"
    @Option(help: "The port to listen at.")
    var port: Int = 8080
    @Option(
        help: ArgumentHelp(
            "A key that events may be sent with; may be given more than once. Or REPRISE_WRITE_KEY.", valueName: "key"))
    var writeKey: [String] = []
    @Option(help: ArgumentHelp("The key that opens the page and /api. Or REPRISE_ADMIN_KEY.", valueName: "key"))
    var adminKey: String?
    @Option(help: ArgumentHelp("How fast one customer may send in the long run; 0 = no limit.", valueName: "events a minute"))
    var customerPace: Int = Limits.customerEventsPerMinute
    @Option(help: ArgumentHelp("Memory that requests may hold together; beyond, they are answered 429.", valueName: "MB"))
    var requestMemory: Int = Limits.requestBytesInFlightMax >> 20

    func check() throws {
        guard (0...10_000_000).contains(customerPace) else {
            throw ValidationError("--customer-pace: 0 to 10000000, not \(customerPace)")
        }
        guard (16...65_536).contains(requestMemory) else {
            throw ValidationError("--request-memory: 16 to 65536, not \(requestMemory)")
        }
        guard (1...65_535).contains(port) else { throw ValidationError("--port: 1 to 65535, not \(port)") }
        guard !keys.isEmpty else { throw ValidationError("a write key is wanted: --write-key, or REPRISE_WRITE_KEY") }
        guard let admin, !admin.isEmpty else {
            throw ValidationError("an admin key is wanted: --admin-key, or REPRISE_ADMIN_KEY")
        }
        guard !keys.contains(admin) else {
            throw ValidationError("--admin-key: not one of the write keys, which shops' pages show to everybody")
        }
    }

    private var keys: [String] { writeKey.isEmpty ? [Environment.value("REPRISE_WRITE_KEY")].compactMap { $0 } : writeKey }
    private var admin: String? { adminKey ?? Environment.value("REPRISE_ADMIN_KEY") }

    func run(in cluster: Cluster, log: Logger) async throws {
        try await GatewayRole.run(
            options: GatewayOptions(
                host: host, port: port, writeKeys: keys, adminKey: admin ?? "", installation: cluster.installation,
                bytesInFlightMax: requestMemory << 20, pace: .init(perMinute: customerPace)),
            logs: cluster.logs, messaging: cluster.messaging, clock: SystemWallClock(), log: log)
    }
}

struct DispatcherRoleOptions: RoleOptions {
    @Option(
        help: ArgumentHelp(
            "The mail server: smtp://host:port, smtp+starttls://… or smtps://…; or REPRISE_SMTP.", valueName: "url"))
    var smtp: String?
    @Option(
        help: ArgumentHelp("Its user; or REPRISE_SMTP_USER. The password stands in REPRISE_SMTP_PASSWORD.", valueName: "name"))
    var smtpUser: String?
    @Option(help: ArgumentHelp("Connections to it at once.", valueName: "number"))
    var smtpConnections: Int = 4
    @Option(help: ArgumentHelp("How long stopping waits for messages under way.", valueName: "seconds"))
    var stopTimeout: Int64 = 10

    func check() throws {
        guard (1...64).contains(smtpConnections) else {
            throw ValidationError("--smtp-connections: 1 to 64, not \(smtpConnections)")
        }
        guard (0...600).contains(stopTimeout) else {
            throw ValidationError("--stop-timeout: 0 to 600 seconds, not \(stopTimeout)")
        }
        _ = try server()
    }

    private func server() throws -> MailServerAddress {
        guard let text = smtp ?? Environment.value("REPRISE_SMTP") else {
            throw ValidationError("a mail server is wanted: --smtp smtp://host:port, or REPRISE_SMTP")
        }
        guard let address = MailServerAddress(text) else {
            throw ValidationError("--smtp '\(text)': smtp://host:port is wanted, or smtp+starttls://host:port, smtps://host:port")
        }
        return address
    }

    func run(in cluster: Cluster, log: Logger) async throws {
        var options = try server().options
        options.user = smtpUser ?? Environment.value("REPRISE_SMTP_USER") ?? ""
        options.password = Environment.value("REPRISE_SMTP_PASSWORD") ?? ""
        options.connections = smtpConnections
        try await DispatcherRole.run(
            options: DispatcherOptions(
                shards: cluster.installation.shards, smtp: options, stopTimeoutMilliseconds: stopTimeout * Milliseconds.second),
            logs: cluster.logs, messaging: cluster.messaging, clock: SystemWallClock(), log: log)
    }
}
