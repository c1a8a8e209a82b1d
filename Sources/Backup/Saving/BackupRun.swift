package import Foundation
package import Logging
package import Model
package import Ports

/// Copies a whole installation into a folder while it goes on (docs/decisions/0019).
///
///     copying: all logs and snapshots, pass after pass, each what came since
///       --a pass was short--> cut: the ends of all logs are noted
///       --copied up to it, all sound--> manifest
///       --trimmed faster than copied--> copying
///
/// The folder must be empty. Ends in a manifest, or throws; then the folder holds no backup.
package struct BackupRun: Sendable {
    package typealias Progress = @Sendable (String) -> Void

    private let installation: Installation
    private let prefix: String
    private let logs: any LogStore
    private let snapshots: any SnapshotStore
    private let folder: URL
    private let log: Logger
    private let progress: Progress

    private static let shardsAtOnce = 4
    private static let passesMax = 20
    /// A pass that took less is followed by the cut.
    private static let shortPass = Duration.seconds(2)

    package init(
        of installation: Installation, prefix: String, logs: any LogStore, snapshots: any SnapshotStore, to folder: URL,
        log: Logger, progress: @escaping Progress = { _ in }
    ) {
        self.installation = installation
        self.prefix = prefix
        self.logs = logs
        self.snapshots = snapshots
        self.folder = folder
        self.log = log
        self.progress = progress
    }

    private struct Copies {
        var shards: [ShardCopy]
        var configuration: LogCopy
        var coordinator: LogCopy
        var deadLetters: LogCopy
        var sums: SnapshotCopy?
    }

    /// - Parameter now: for the manifest.
    package func run(now: Instant) async throws -> BackupManifest {
        try prepare()
        var copies = Copies(
            shards: installation.shards.all.map { ShardCopy($0, folder: folder, log: log) },
            configuration: LogCopy(.configuration, folder: folder), coordinator: LogCopy(.coordinator, folder: folder),
            deadLetters: LogCopy(.deadLetters, folder: folder))
        for pass in 1...Self.passesMax {
            let began = ContinuousClock.now
            try await copyOn(&copies)
            let took = began.duration(to: .now)
            progress("pass \(pass): \(bytes(copies)) bytes copied so far, \(took.formatted(.units(width: .narrow)))")
            guard took < Self.shortPass || pass > Self.passesMax / 2 else { continue }
            if try await finish(&copies) {
                let manifest = manifest(copies, now: now)
                try manifest.write(to: folder)
                return manifest
            }
        }
        throw BackupError(
            "in \(Self.passesMax) passes nothing came together that could be restored. " + (unsound(copies) ?? "")
                + "Either the logs were trimmed faster than they were copied, or no snapshot is left that they go on from.")
    }

    private func prepare() throws {
        let files = FileManager.default
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        guard try files.contentsOfDirectory(atPath: folder.path).isEmpty else {
            throw BackupError("\(folder.path) is not empty: a backup wants a folder of its own")
        }
    }

    private func copyOn(_ copies: inout Copies) async throws {
        // First, so that it holds every revision that a snapshot copied later stands under.
        try await copies.configuration.extendAnew(logs)
        copies.shards = try await AtOnce.map(copies.shards, atMost: Self.shardsAtOnce) { [logs, snapshots] copy in
            var copy = copy
            try await copy.pass(logs, snapshots)
            return copy
        }
    }

    /// Takes the cut and copies up to it; false when something has to be copied anew.
    private func finish(_ copies: inout Copies) async throws -> Bool {
        // Before the cut, so that they hold nothing that came of a commit behind it.
        copies.sums = try await SnapshotCopy.make(.coordinator, folder: folder, snapshots, log: log) { _ in true }
        try await copies.deadLetters.extendAnew(logs)
        try await copies.coordinator.extendAnew(logs)
        let cut = try await CutTaker(logs: logs, shards: installation.shards.all, log: log).take()
        do {
            copies.shards = try await AtOnce.map(copies.shards, atMost: Self.shardsAtOnce) { [logs] copy in
                var copy = copy
                try await copy.finish(cut, logs)
                return copy
            }
        } catch is LogCopy.Trimmed {
            return false
        }
        // Behind the cut: it holds every revision that a commit of the cut names.
        try await copies.configuration.extendAnew(logs)
        return isSound(copies)
    }

    private func isSound(_ copies: Copies) -> Bool {
        for copy in copies.shards {
            guard copy.isSound else { return false }
            if let head = copy.snapshot?.head, let need = head.need(of: .configuration), need < copies.configuration.first {
                return false
            }
            // The sums go on from their snapshot, or from the first commit.
            let need = copies.sums?.head.need(of: copy.commits.name) ?? 1
            if need < copy.commits.first || need > copy.commits.last + 1 { return false }
        }
        return true
    }

    private func unsound(_ copies: Copies) -> String? {
        let shards = copies.shards.filter { !$0.isSound }.map { String($0.shard.number) }
        return shards.isEmpty ? nil : "Not restorable as copied last: shards \(shards.joined(separator: ", ")). "
    }

    private func bytes(_ copies: Copies) -> UInt64 {
        copies.shards.reduce(copies.configuration.file.bytes) { sum, copy in
            sum + copy.input.file.bytes + copy.commits.file.bytes + (copy.snapshot?.file.bytes ?? 0)
        }
    }

    private func manifest(_ copies: Copies, now: Instant) -> BackupManifest {
        BackupManifest(
            id: String(UInt64.random(in: 1...UInt64.max), radix: 16), timeMilliseconds: now.milliseconds, prefix: prefix,
            shards: installation.shards.shards, isEventTime: installation.timeMode == .eventTime,
            replicas: installation.replicas, positions: copies.shards.map(\.position),
            inputs: copies.shards.map(\.input.entry), commits: copies.shards.map(\.commits.entry),
            configuration: copies.configuration.entry, coordinator: copies.coordinator.entry,
            deadLetters: copies.deadLetters.entry, snapshots: copies.shards.map { $0.snapshot?.entry }, sums: copies.sums?.entry)
    }
}
