import ArgumentParser
import Backup
import Foundation
import Model

/// `reprise backup`: the whole installation into a folder.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the whole installation into a folder, while it goes on; check such a folder.",
        discussion: """
            Everything is in it: events, decisions, snapshots, rules, placements, dead letters. `reprise restore` puts it back \
            on any server, for any number of workers. Mails and keys of the gateway are not in it.
            """,
        subcommands: [BackupMakeCommand.self, BackupVerifyCommand.self], defaultSubcommand: BackupMakeCommand.self)
}

struct BackupMakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make",
        abstract: "Copy the installation into an empty folder.",
        discussion: """
            The roles may run or not; only the NATS servers must. What was acknowledged before the command began is in it. The \
            manifest is written last: what was interrupted is no backup.
            """)

    @OptionGroup var installation: InstallationOptions
    @Argument(help: ArgumentHelp("Where to; made when it is not there.", valueName: "folder"))
    var folder: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-backup")
        let run = BackupRun(
            of: cluster.installation, prefix: installation.prefix, logs: cluster.logs, snapshots: cluster.snapshots,
            to: URL(fileURLWithPath: folder), log: .quiet, progress: { Output.note($0) })
        let manifest = try await run.run(now: .wallClock)
        if json { return try Output.json(BackupSummary(manifest)) }
        print("backed up to \(folder): \(BackupSummary(manifest).sentence)")
    }
}

struct BackupVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read a backup to its end and compare everything with its manifest.")

    @Argument(help: ArgumentHelp("The backup.", valueName: "folder"))
    var folder: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let backup = try StoredBackup(URL(fileURLWithPath: folder))
        try backup.checkWithBar()
        if json { return try Output.json(BackupSummary(backup.manifest)) }
        print("whole: \(BackupSummary(backup.manifest).sentence)")
    }
}

/// What a manifest says, for people and programs.
struct BackupSummary: Encodable {
    var id: String
    var time: String
    var shards: Int
    var timeMode: String
    var replicas: Int
    var brains: [UInt32]
    var inputRecords: UInt64
    var commits: UInt64
    var snapshots: Int
    var files: Int
    var bytes: UInt64

    init(_ manifest: BackupManifest) {
        id = manifest.id
        time = Instant(milliseconds: manifest.timeMilliseconds).text
        shards = manifest.shards
        timeMode = manifest.isEventTime ? "event-time" : "live"
        replicas = manifest.replicas
        brains = Set(manifest.positions.filter { $0.commit > 0 }.map(\.brain)).sorted()
        inputRecords = manifest.inputs.reduce(0) { $0 + ($1.last + 1 - $1.first) }
        commits = manifest.commits.reduce(0) { $0 + ($1.last + 1 - $1.first) }
        snapshots = manifest.allSnapshots.count
        files = manifest.files.count
        bytes = manifest.bytes
    }

    var sentence: String {
        """
        \(id) of \(time), \(shards) shards, \(timeMode) mode; \(Figures.count(inputRecords)) input records, \
        \(Figures.count(commits)) commits, \(snapshots) snapshots; brain \(brains.map(String.init).joined(separator: ", ")); \
        \(files) files, \(Figures.bytes(bytes))
        """
    }
}

extension StoredBackup {
    func checkWithBar() throws {
        let total = manifest.bytes >> 20
        var bar = ProgressBar(total: Int(total))
        try verify { bar.show(Int($0 >> 20), "checking") }
        bar.finish()
    }
}
