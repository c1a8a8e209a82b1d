internal import Foundation
internal import Logging
internal import Model
internal import Ports

/// A snapshot's copy in the folder: its manifest is the first frame, the chunks of all parts follow.
struct SnapshotCopy: Sendable {
    let subject: SnapshotSubject
    let file: FrameFile
    let head: SnapshotHead

    var entry: BackupManifest.Snapshot { .init(file: file, commit: head.commit) }

    private static let triesMax = 3

    /// Copies the newest that is whole and that `isUsable`; nil when there is none.
    static func make(
        _ subject: SnapshotSubject, folder: URL, _ snapshots: any SnapshotStore, log: Logger,
        isUsable: (SnapshotHead) async throws -> Bool
    ) async throws -> SnapshotCopy? {
        // Whoever writes meanwhile removes old ones: then there is a newer one.
        for _ in 0..<triesMax {
            for manifest in try await snapshots.kept(of: subject) where try await isUsable(manifest.head) {
                if let copy = try await copy(manifest, of: subject, folder: folder, snapshots) { return copy }
                log.warning(
                    "A snapshot is not whole, or was removed meanwhile",
                    metadata: ["subject": "\(subject)", "commit": "\(manifest.head.commit)"])
            }
        }
        return nil
    }

    private static func copy(
        _ manifest: SnapshotManifest, of subject: SnapshotSubject, folder: URL, _ snapshots: any SnapshotStore
    ) async throws -> SnapshotCopy? {
        let writer = try FrameWriter(folder, FrameFile(path: "\(subject).snapshot"))
        try writer.append(manifest.encoded())
        for part in manifest.parts.indices {
            for index in manifest.parts[part].chunks.indices {
                guard let chunk = try await snapshots.chunk(index, ofPart: part, of: manifest, subject) else {
                    _ = try writer.close()
                    return nil
                }
                try writer.append(chunk)
            }
        }
        return SnapshotCopy(subject: subject, file: try writer.close(), head: manifest.head)
    }
}
