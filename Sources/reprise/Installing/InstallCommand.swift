import ArgumentParser
import JetStreamPorts
import Model

struct InstallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Create an installation: its logs, and what is fixed for good.",
        discussion: """
            Shards, kind of time and replicas cannot be changed later. Creating what exists with the same settings does \
            nothing; with other settings it is refused.
            """)

    @OptionGroup var installation: InstallationOptions
    @Option(help: ArgumentHelp("Parts that the customers are split into: a power of two from 1 to 1024.", valueName: "number"))
    var shards: Int = Limits.shardsDefault
    @Option(help: ArgumentHelp("Copies of everything: 1, or 3 with three nats-servers of 2.12 or later.", valueName: "1|3"))
    var replicas: Int = 1
    @Flag(help: "Time is what events and `reprise clock` say: for history, simulations and tests.")
    var eventTime = false
    @Option(help: ArgumentHelp("Wait up to so long for the NATS server.", valueName: "seconds"))
    var wait: Int = 0
    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var prefix: String
        var shards: Int
        var replicas: Int
        var timeMode: String
    }

    func validate() throws {
        guard ShardMap(shards: shards) != nil else {
            throw ValidationError("--shards \(shards): a power of two from 1 to \(Limits.shardsMax) is wanted")
        }
        guard replicas == 1 || replicas == 3 else { throw ValidationError("--replicas \(replicas): 1 or 3 is wanted") }
        guard wait >= 0 else { throw ValidationError("--wait: 0 seconds or more") }
    }

    func run() async throws {
        guard let map = ShardMap(shards: shards) else { throw ValidationError("--shards: a power of two is wanted") }
        let settings = Installation(shards: map, timeMode: eventTime ? .eventTime : .live, replicas: replicas)
        let deadline = ContinuousClock.now + .seconds(wait)
        let connection = try await Cluster.connect(installation, name: "reprise-install", waiting: .seconds(wait), log: .quiet)
        while true {
            do {
                _ = try await JetStreamInstallation.create(
                    settings, prefix: installation.prefix, connection: connection, log: .quiet)
                break
            } catch {
                // Servers that have just started choose their leader first.
                guard error.code == .unavailable, ContinuousClock.now < deadline else { throw CommandError(error.message) }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        let mode = eventTime ? "event-time" : "live"
        if json {
            return try Output.json(Answer(prefix: installation.prefix, shards: shards, replicas: replicas, timeMode: mode))
        }
        let copies = replicas == 1 ? "1 copy" : "\(replicas) copies"
        print("installation '\(installation.prefix)': \(shards) shards, \(mode) mode, \(copies)")
    }
}
