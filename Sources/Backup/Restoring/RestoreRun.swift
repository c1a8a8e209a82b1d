package import Foundation
package import Model
package import Ports

/// Reads a backup: checks it, and puts it back.
package struct StoredBackup: Sendable {
    package let manifest: BackupManifest
    private let folder: URL

    private static let batchBytes = 2 << 20
    private static let batchRecords = 256

    /// Reads the manifest; throws when there is none or it is damaged.
    package init(_ folder: URL) throws {
        self.folder = folder
        manifest = try BackupManifest.read(from: folder)
    }

    // MARK: Checking

    /// Reads every file to its end and compares it with the manifest. Throws the first damage found.
    package func verify(progress: (_ bytes: UInt64) -> Void = { _ in }) throws {
        var done: UInt64 = 0
        for (name, log) in manifest.logs {
            var next = log.first
            let reader = try FrameReader(folder, log.file)
            while let content = try reader.next() {
                guard try RecordFrame.decoded(content).sequence == next else {
                    throw BackupError("\(log.file.path) is damaged: record \(next) of \(name) is missing")
                }
                next += 1
            }
            guard next == log.last + 1 else { throw BackupError("\(log.file.path) ends at \(next - 1), not at \(log.last)") }
            done += log.file.bytes
            progress(done)
        }
        for (subject, snapshot) in manifest.allSnapshots {
            try read(snapshot, of: subject) { _, _, _ in }
            done += snapshot.file.bytes
            progress(done)
        }
    }

    /// Hands each chunk over with its part; the last of a part is told.
    private func read(
        _ snapshot: BackupManifest.Snapshot, of subject: SnapshotSubject,
        _ body: (SnapshotManifest, _ part: Int, _ chunk: [UInt8]) throws -> Void
    ) throws {
        let reader = try FrameReader(folder, snapshot.file)
        let manifest = try snapshotManifest(reader, snapshot)
        for part in manifest.parts.indices {
            for chunk in manifest.parts[part].chunks {
                guard let content = try reader.next(), chunk.isWhole(content) else {
                    throw BackupError("\(snapshot.file.path) is damaged: a chunk of part \(part) is not the one that was written")
                }
                try body(manifest, part, content)
            }
        }
        guard try reader.next() == nil else { throw BackupError("\(snapshot.file.path) has more chunks than its manifest") }
    }

    private func snapshotManifest(
        _ reader: FrameReader, _ snapshot: BackupManifest.Snapshot
    ) throws -> SnapshotManifest {
        guard let content = try reader.next() else { throw BackupError("\(snapshot.file.path) is empty") }
        let manifest = try SnapshotManifest.decoded(content)
        guard manifest.head.commit == snapshot.commit else {
            throw BackupError("\(snapshot.file.path) is of commit \(manifest.head.commit), not \(snapshot.commit)")
        }
        return manifest
    }

    // MARK: Putting back

    /// Puts everything back and lets roles find it, delivery held. Check it first. May be repeated after a crash, to the
    /// same place.
    package func restore(
        to target: any InstallationRestoring, now: Instant, progress: (_ bytes: UInt64) -> Void = { _ in }
    ) async throws {
        var done: UInt64 = 0
        for (name, log) in manifest.logs {
            try await restore(log, name, target)
            done += log.file.bytes
            progress(done)
        }
        for (subject, snapshot) in manifest.allSnapshots {
            try await restore(snapshot, subject, target.snapshots)
            done += snapshot.file.bytes
            progress(done)
        }
        try await target.finish(.restored(now: now, reason: "restored from backup \(manifest.id)"))
    }

    private func restore(_ log: BackupManifest.Log, _ name: LogName, _ target: any InstallationRestoring) async throws {
        let there = try await target.begin(name, first: log.first)
        guard there <= log.last else {
            throw BackupError("\(name) ends at \(there) already, the backup at \(log.last): somebody wrote to it")
        }
        let reader = try FrameReader(folder, log.file)
        var batch: [LogRecord] = []
        var bytes = 0
        while let content = try reader.next() {
            let record = try RecordFrame.decoded(content)
            guard record.sequence > there else { continue }
            batch.append(record)
            bytes += record.payload.count
            if bytes >= Self.batchBytes || batch.count >= Self.batchRecords {
                try await target.append(batch, to: name)
                batch.removeAll(keepingCapacity: true)
                bytes = 0
            }
        }
        if !batch.isEmpty { try await target.append(batch, to: name) }
    }

    private func restore(
        _ snapshot: BackupManifest.Snapshot, _ subject: SnapshotSubject, _ store: any SnapshotStore
    ) async throws {
        let reader = try FrameReader(folder, snapshot.file)
        let manifest = try snapshotManifest(reader, snapshot)
        let there = try await store.kept(of: subject)
        guard !there.contains(where: { $0.head == manifest.head && $0.parts.count == manifest.parts.count }) else { return }
        var written: SnapshotManifest?
        for part in manifest.parts {
            let writer = try await store.write(part.head, of: subject, upon: written)
            for chunk in part.chunks {
                guard let content = try reader.next(), chunk.isWhole(content) else {
                    throw BackupError("\(snapshot.file.path) was changed while it was read")
                }
                try await writer.append(content)
            }
            written = try await writer.finish()
        }
    }
}
