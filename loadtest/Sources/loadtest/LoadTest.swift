import ArgumentParser

/// Drives a running cluster with workloads whose right answers are known. `loadtest/run` starts the cluster around it.
@main
struct LoadTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loadtest",
        abstract: "Drives a cluster with a workload whose right answers are known.",
        discussion: "Use ./loadtest/run, which starts a cluster of its own around this program and ends it afterwards.",
        subcommands: [
            ReferenceCommand.self, FailoverCommand.self, RescaleCommand.self, HotCommand.self, BackupCommand.self,
            OverdueCommand.self, TimersCommand.self, LatenessCommand.self, GatewayCommand.self, BodiesCommand.self,
            EngineCommand.self, SoakCommand.self,
            SnapshotCommand.self, ShopCommand.self, RulesCommand.self,
        ])
}
