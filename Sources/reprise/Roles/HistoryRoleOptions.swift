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

    @Option(
        help: ArgumentHelp(
            "Its number among the copies, 0 to \(Limits.historyCopiesMax - 1): the logs are kept until it has read them.",
            valueName: "number"))
    var copy: UInt8 = 0

    func check() throws {
        guard (0..<Limits.historyCopiesMax).contains(copy) else {
            throw ValidationError("--copy: 0 to \(Limits.historyCopiesMax - 1), not \(copy)")
        }
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
            options: HistoryRole.Options(folder: data, installation: cluster.installation, days: days, copy: copy),
            logs: cluster.logs, snapshots: cluster.snapshots, messaging: cluster.messaging, clock: SystemWallClock(), log: log)
    }
}
