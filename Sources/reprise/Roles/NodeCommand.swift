import ArgumentParser
import Foundation
import Logging
import Model

/// Several roles in one process: for a small shop, one of these is the whole cluster.
struct NodeCommand: AsyncParsableCommand {
    enum RoleName: String, CaseIterable, ExpressibleByArgument, Sendable {
        case coordinator, worker, gateway, dispatcher, history
    }

    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Play several roles in one process.",
        discussion: "A small shop needs one of these and a nats-server. When one role ends with an error, all do.")

    @OptionGroup var installation: InstallationOptions
    @Option(help: ArgumentHelp("The roles; may be given more than once. Default: all five.", valueName: "role"))
    var role: [RoleName] = RoleName.allCases
    @Option(help: "What this node's worker and coordinator are called; no two of an installation alike.")
    var name: String = "node"
    @Option(help: ArgumentHelp("Threads of its worker. Default: one for each core.", valueName: "number"))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: ArgumentHelp("Folder for the coordinator's database and the history.", valueName: "folder"))
    var data: String = "."
    @Option(help: ArgumentHelp("Workers that follow each shard without owning it: 0 to 2.", valueName: "number"))
    var standbys: Int = 0
    @Option(
        help: ArgumentHelp("After so long a silent worker's shards go to others.", valueName: "milliseconds"))
    var workerTimeout: Int64?
    @Option(help: ArgumentHelp("How long timelines and decisions are kept.", valueName: "days"))
    var historyDays: Int = Limits.historyDaysDefault
    @Option(help: ArgumentHelp("Number of this node's history among its copies: 0 to 3.", valueName: "number"))
    var historyCopy: UInt8 = 0
    @OptionGroup var gateway: GatewayRoleOptions
    @OptionGroup var dispatcher: DispatcherRoleOptions
    @OptionGroup var logging: LogOptions

    func validate() throws {
        for role in role { try options(role).check() }
    }

    func run() async throws {
        let log = logging.bootstrap("node")
        let node = self
        try await Interrupts.run {
            let cluster = try await Cluster.open(node.installation, name: "reprise-node", waiting: .seconds(60), log: log)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for role in Set(node.role) {
                    group.addTask { try await node.options(role).run(in: cluster, log: log) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func options(_ role: RoleName) -> any RoleOptions {
        switch role {
        case .coordinator:
            var options = CoordinatorRoleOptions()
            options.data = data
            options.coordinatorName = name
            options.standbys = standbys
            options.workerTimeout = workerTimeout
            return options
        case .worker:
            var options = WorkerRoleOptions()
            options.name = name
            options.threads = threads
            return options
        case .history:
            var options = HistoryRoleOptions()
            options.data = data + "/history"
            options.days = historyDays
            options.copy = historyCopy
            return options
        case .gateway: return gateway
        case .dispatcher: return dispatcher
        }
    }
}
