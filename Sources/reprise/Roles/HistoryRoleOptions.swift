import ArgumentParser
import Foundation
import History
import JetStreamPorts
import Logging
import Model

struct HistoryRoleOptions: RoleOptions {
    @Option(help: ArgumentHelp("Folder for this copy's files, one for each shard; no other copy's.", valueName: "folder"))
    var data: String
    @Option(help: ArgumentHelp("How long timelines and decisions are kept.", valueName: "days"))
    var days: Int = Limits.historyDaysDefault

    func check() throws {
        guard !data.isEmpty else { throw ValidationError("--data: a folder is wanted") }
        guard (1...Limits.historyDaysMax).contains(days) else {
            throw ValidationError("--days: 1 to \(Limits.historyDaysMax), not \(days)")
        }
    }

    func run(in cluster: Cluster, log: Logger) async throws {
        do {
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        } catch {
            throw CommandError("--data '\(data)': the folder cannot be made: \(error.localizedDescription)")
        }
        try await HistoryRole.run(
            options: HistoryRole.Options(folder: data, installation: cluster.installation, days: days), logs: cluster.logs,
            messaging: cluster.messaging, clock: SystemWallClock(), log: log)
    }
}
