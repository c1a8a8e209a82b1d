import ArgumentParser
import Backup
import Foundation
import JetStreamPorts
import Model
import NATS

/// `reprise restore`: an installation out of a folder.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put an installation back out of a backup, with delivery held.",
        discussion: """
            The whole backup is checked first. The servers must not have an installation of this name. Until everything is back \
            no role can open it; when the command was interrupted, run it again with the same backup. Then start the roles, as \
            many workers as you like, and see `reprise delivery --help`: nothing is sent until it is released. Give the \
            coordinator a data folder without a database.
            """)

    @OptionGroup var installation: InstallationOptions
    @Argument(help: ArgumentHelp("The backup.", valueName: "folder"))
    var folder: String
    @Option(help: ArgumentHelp("Copies of everything; as in the backup when not given.", valueName: "1|3"))
    var replicas: Int?
    @Flag(help: "Throw away what a restore that was not finished has left, and begin anew.")
    var discardUnfinished = false
    @Option(help: ArgumentHelp("Wait up to so long for the NATS server.", valueName: "seconds"))
    var wait: Int = 0
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if let replicas, replicas != 1, replicas != 3 { throw ValidationError("--replicas \(replicas): 1 or 3 is wanted") }
        guard wait >= 0 else { throw ValidationError("--wait: 0 seconds or more") }
    }

    func run() async throws {
        let backup = try StoredBackup(URL(fileURLWithPath: folder))
        guard var settings = backup.manifest.installation else { throw CommandError("\(folder) has no shards") }
        settings.replicas = replicas ?? settings.replicas
        try backup.checkWithBar()
        let connection = try await Cluster.connect(installation, name: "reprise-restore", waiting: .seconds(wait), log: .quiet)
        defer { connection.close() }
        let target: InstallationRestore
        do {
            if discardUnfinished {
                let found = try await InstallationRestore.discardUnfinished(
                    prefix: installation.prefix, connection: connection, log: .quiet)
                Output.note(found ? "what an unfinished restore left is thrown away" : "no unfinished restore was found")
            }
            target = try await begin(settings, backup, connection)
        } catch let error as InstallationError {
            throw CommandError(error.message)
        }
        var bar = ProgressBar(total: Int(backup.manifest.bytes >> 20))
        try await backup.restore(to: target, now: .wallClock) { bar.show(Int($0 >> 20), "putting back") }
        bar.finish()
        if json { return try Output.json(BackupSummary(backup.manifest)) }
        print("restored '\(installation.prefix)' from \(BackupSummary(backup.manifest).sentence)")
        print("Delivery is HELD: start the roles, look, then `reprise delivery release --help`.")
    }

    /// Servers that have just started choose their leader first.
    private func begin(
        _ settings: Installation, _ backup: StoredBackup, _ connection: NATSConnection
    ) async throws -> InstallationRestore {
        let deadline = ContinuousClock.now + .seconds(wait)
        while true {
            do throws(InstallationError) {
                return try await InstallationRestore.begin(
                    settings, backup: backup.manifest.id, bounds: backup.manifest.bounds, prefix: installation.prefix,
                    connection: connection, log: .quiet)
            } catch {
                guard error.code == .unavailable, ContinuousClock.now < deadline else { throw error }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

extension BackupManifest {
    /// As the streams had them; each at least as large as what goes into it.
    fileprivate var bounds: StreamBounds {
        var bounds = StreamBounds()
        func bound(_ logs: [Log]) -> UInt64? {
            guard logs.allSatisfy({ $0.bytesMax != nil }) else { return nil }
            return logs.map { max($0.bytesMax ?? 0, $0.file.bytes * 2) }.max()
        }
        bounds.inputBytes = bound(inputs)
        bounds.commitBytes = bound(commits)
        bounds.configurationBytes = bound([configuration])
        bounds.coordinatorBytes = bound([coordinator])
        bounds.deadLetterBytes = bound([deadLetters])
        return bounds
    }
}
