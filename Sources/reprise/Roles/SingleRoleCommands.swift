import ArgumentParser
import Logging

/// A command that plays one role.
protocol RoleCommand: AsyncParsableCommand {
    associatedtype Role: RoleOptions

    static var role: String { get }
    var installation: InstallationOptions { get }
    var options: Role { get }
    var logging: LogOptions { get }
}

extension RoleCommand {
    func validate() throws { try options.check() }

    func play() async throws {
        let log = logging.bootstrap(Self.role)
        let (installation, options) = (installation, options)
        try await Interrupts.run {
            let cluster = try await Cluster.open(installation, name: "reprise-\(Self.role)", waiting: .seconds(60), log: log)
            try await options.run(in: cluster, log: log)
        }
    }
}

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Own a share of the shards: fold their events into customers, decide, commit.",
        discussion: """
            Start as many as you like, under different names; each takes its share. Ended with SIGTERM it hands its shards \
            over, serving until others have them. `reprise worker --name NAME` is short for `reprise worker run`.
            """,
        subcommands: [WorkerRunCommand.self, DrainCommand.self, UndrainCommand.self],
        defaultSubcommand: WorkerRunCommand.self)
}

struct WorkerRunCommand: RoleCommand {
    static let role = "worker"
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Play the role until ended.")

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: WorkerRoleOptions
    @OptionGroup var logging: LogOptions

    func run() async throws { try await play() }
}

struct CoordinatorCommand: RoleCommand {
    static let role = "coordinator"
    static let configuration = CommandConfiguration(
        commandName: role, abstract: "Place shards on workers, and add up what each rule brought.")

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: CoordinatorRoleOptions
    @OptionGroup var logging: LogOptions

    func run() async throws { try await play() }
}

struct HistoryCommand: RoleCommand {
    static let role = "history"
    static let configuration = CommandConfiguration(
        commandName: role,
        abstract: "Keep what happened to each customer and what was decided: timelines, decision logs, lists behind figures.",
        discussion: "Start as many as you like, each with a folder of its own; all of them answer.")

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: HistoryRoleOptions
    @OptionGroup var logging: LogOptions

    func run() async throws { try await play() }
}

struct GatewayCommand: RoleCommand {
    static let role = "gateway"
    static let configuration = CommandConfiguration(
        commandName: role,
        abstract: "Take events over HTTP (the Segment API), and serve the page.",
        discussion: "An event is answered with 200 only when it is durable. Start as many as you like.")

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: GatewayRoleOptions
    @OptionGroup var logging: LogOptions

    func run() async throws { try await play() }
}

struct DispatcherCommand: RoleCommand {
    static let role = "dispatcher"
    static let configuration = CommandConfiguration(
        commandName: role,
        abstract: "Deliver what the shards decide: ask for a permit, send, report what became of it.",
        discussion: "Start as many as you like: no message leaves twice, because the customer's actor permits each attempt once.")

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: DispatcherRoleOptions
    @OptionGroup var logging: LogOptions

    func run() async throws { try await play() }
}
