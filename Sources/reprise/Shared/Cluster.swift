import ArgumentParser
import Foundation
import JetStreamPorts
import Logging
import Model
import NATS
import Ports

struct InstallationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("NATS servers, a comma between; or REPRISE_NATS.", valueName: "urls"))
    var nats: String = Environment.value("REPRISE_NATS") ?? "nats://127.0.0.1:4222"
    @Option(help: ArgumentHelp("The installation's name on those servers; or REPRISE_PREFIX.", valueName: "name"))
    var prefix: String = Environment.value("REPRISE_PREFIX") ?? "reprise"

    var urls: [String] { nats.split(separator: ",").map(String.init) }
}

/// An installation that one is connected to.
struct Cluster: Sendable {
    let installation: Installation
    let logs: any LogStore
    let snapshots: any SnapshotStore
    let messaging: any Messaging

    /// Connects; `waiting` for so long while no server answers or the installation is not there yet.
    static func open(
        _ options: InstallationOptions, name: String, waiting: Duration = .zero, log: Logger = .quiet
    ) async throws -> Cluster {
        let deadline = ContinuousClock.now + waiting
        let connection = try await connect(options, name: name, waiting: waiting, log: log)
        while true {
            do {
                return Cluster(try await JetStreamInstallation.open(prefix: options.prefix, connection: connection, log: log))
            } catch {
                guard error.code == .missing || error.code == .unavailable, ContinuousClock.now < deadline else {
                    throw CommandError(error.message)
                }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    static func connect(
        _ options: InstallationOptions, name: String, waiting: Duration, log: Logger
    ) async throws -> NATSConnection {
        do {
            return try await NATSConnection.connect(.init(urls: options.urls, name: name), waitUpTo: waiting, log: log)
        } catch {
            throw CommandError("NATS cannot be reached at \(options.nats): \(error.message)")
        }
    }

    init(_ opened: JetStreamInstallation) {
        installation = opened.settings
        logs = opened.logs
        snapshots = opened.snapshots
        messaging = opened.messaging
    }

    var coordinator: CoordinatorClient { CoordinatorClient(messaging: messaging) }

    func requireEventTime() throws {
        guard installation.timeMode == .eventTime else {
            throw CommandError(
                "this installation lives in the wall clock's time; only one made with --event-time can be told the time")
        }
    }

    /// Asks whoever serves the subject.
    func ask(_ subject: String, _ request: [UInt8], of whom: String) async throws -> [UInt8] {
        do {
            return try await messaging.request(subject, request, timeout: .seconds(5))
        } catch {
            switch error.code {
            case .nobody: throw CommandError("\(whom) has no owner at this moment; see `reprise status`")
            case .timeout: throw CommandError("\(whom) did not answer within 5 s; see `reprise status`")
            case .unavailable: throw CommandError("NATS cannot be reached: \(error.message)")
            }
        }
    }
}

extension Logger {
    /// For commands that print a result: only what went wrong.
    static var quiet: Logger {
        var log = Logger(label: "reprise") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .error
        return log
    }
}
