import ArgumentParser

/// The composition root: one binary that plays every role and speaks to a running installation.
@main
struct Reprise: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reprise",
        abstract: "Brings a retailer's customers back, and says what each rule brought.",
        discussion: """
            Commands find the installation by --nats and --prefix, and the gateway by --gateway and --write-key; each of \
            these may stand in the environment instead (REPRISE_NATS, REPRISE_PREFIX, REPRISE_GATEWAY, REPRISE_WRITE_KEY). \
            Data goes to standard output, everything else to standard error. Exit codes: 0 done; 1 it could not be done; \
            2 done in part (rows of a file, or a cluster that is not ready); 64 the arguments are wrong.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Look around",
                subcommands: [StatusCommand.self, MechanicsCommand.self, SegmentCommand.self, CustomerCommand.self]),
            CommandGroup(
                name: "Change",
                subcommands: [
                    InstallCommand.self, RulesCommand.self, ImportCommand.self, ReplayCommand.self, ClockCommand.self,
                    RecoverCommand.self, DeadCommand.self, DeliveryCommand.self, BackupCommand.self, RestoreCommand.self,
                ]),
            CommandGroup(
                name: "Play a role",
                subcommands: [
                    CoordinatorCommand.self, WorkerCommand.self, GatewayCommand.self, DispatcherCommand.self, HistoryCommand.self,
                    NodeCommand.self,
                ]),
        ])
}
