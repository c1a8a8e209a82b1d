internal import Model
internal import NATS
package import Ports

/// Snapshots in a stream of their own: `<prefix>.SNAP.<subject>.c.<commit>.<writing>.<n>` holds a chunk,
/// `<prefix>.SNAP.<subject>.m.<commit>` the manifest, written last. Safe to use from any thread; nothing blocks.
package final class JetStreamSnapshotStore: SnapshotStore {
    /// Chunks under way at once, of one snapshot.
    private static let chunksAtOnce = 8

    private let jetStream: JetStream
    private let names: StreamNames
    private var stream: String { names.snapshotStream }

    init(_ jetStream: JetStream, names: StreamNames) {
        self.jetStream = jetStream
        self.names = names
    }

    private func chunkSubject(_ subject: SnapshotSubject, _ manifest: SnapshotManifest, _ index: Int) -> String {
        "\(names.prefix).SNAP.\(subject).c.\(manifest.commit).\(manifest.writing).\(index)"
    }

    private func manifestSubject(_ subject: SnapshotSubject, _ commit: UInt64) -> String {
        "\(names.prefix).SNAP.\(subject).m.\(commit)"
    }

    // MARK: Writing

    package func put(_ snapshot: Snapshot, of subject: SnapshotSubject) async throws(LogError) {
        let (manifest, ranges) = SnapshotManifest.cutting(snapshot, writing: .random(in: 0...UInt64.max))
        let failure: LogError? = await withTaskGroup(of: LogError?.self) { group in
            var failure: LogError?
            for (index, range) in ranges.enumerated() {
                if index >= Self.chunksAtOnce, let result = await group.next() { failure = failure ?? result }
                if failure != nil { break }
                let chunk = Array(snapshot.payload[range])
                let chunkSubject = chunkSubject(subject, manifest, index)
                group.addTask { await self.publish(chunk, on: chunkSubject) }
            }
            while let result = await group.next() { failure = failure ?? result }
            return failure
        }
        if let failure { throw failure }
        if let failure = await publish(manifest.encoded(), on: manifestSubject(subject, snapshot.commit)) { throw failure }
        try await removeOld(of: subject)
    }

    /// Sends one message until it is known to be stored: the same message twice does no harm.
    private func publish(_ payload: [UInt8], on subject: String) async -> LogError? {
        let publisher = StreamPublisher(jetStream.connection, subject: subject, timeout: .seconds(5))
        var last: LogError?
        for _ in 0..<4 {
            last = await withCheckedContinuation { continuation in
                publisher.publish(payload, expectedLast: nil, id: nil) { result in
                    switch result {
                    case .success: continuation.resume(returning: nil)
                    case .failure(let error): continuation.resume(returning: LogError(appending: error))
                    }
                }
            }
            guard last?.code == .ambiguous else { return last }
        }
        return last
    }

    private func removeOld(of subject: SnapshotSubject) async throws(LogError) {
        do throws(NATSError) {
            let commits = try await manifests(of: subject)
            guard commits.count > Limits.snapshotsKept else { return }
            let oldestKept = commits[Limits.snapshotsKept - 1]
            for commit in commits.dropFirst(Limits.snapshotsKept) {
                try await jetStream.purge(stream, matching: manifestSubject(subject, commit))
            }
            // Also chunks whose manifest was never written.
            for commit in try await chunkCommits(of: subject) where commit < oldestKept {
                try await jetStream.purge(stream, matching: "\(names.prefix).SNAP.\(subject).c.\(commit).>")
            }
        } catch {
            throw LogError(reading: error)
        }
    }

    /// Commits that have a manifest, newest first.
    private func manifests(of subject: SnapshotSubject) async throws(NATSError) -> [UInt64] {
        let subjects = try await jetStream.subjects(of: stream, matching: "\(names.prefix).SNAP.\(subject).m.*")
        return subjects.keys.compactMap { $0.split(separator: ".").last.flatMap { UInt64($0) } }.sorted(by: >)
    }

    private func chunkCommits(of subject: SnapshotSubject) async throws(NATSError) -> Set<UInt64> {
        let subjects = try await jetStream.subjects(of: stream, matching: "\(names.prefix).SNAP.\(subject).c.>")
        return Set(subjects.keys.compactMap { $0.split(separator: ".").dropLast(2).last.flatMap { UInt64($0) } })
    }

    // MARK: Reading

    package func newest(
        of subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> Snapshot? {
        do throws(NATSError) {
            for commit in try await manifests(of: subject) where commit <= atMost {
                guard let record = try await jetStream.lastMessage(on: manifestSubject(subject, commit), of: stream) else {
                    continue
                }
                let manifest: SnapshotManifest
                do throws(FormatError) {
                    manifest = try SnapshotManifest.decoded(record.payload)
                } catch {
                    report("the manifest of the snapshot of \(subject) at commit \(commit) cannot be read: \(error)")
                    continue
                }
                switch try await payload(of: subject, manifest) {
                case .success(let payload):
                    return Snapshot(commit: manifest.commit, commitHash: manifest.commitHash, payload: payload)
                case .failure(let damage):
                    report("the snapshot of \(subject) at commit \(commit) is damaged: \(damage.text)")
                }
            }
            return nil
        } catch {
            throw LogError(reading: error)
        }
    }

    private struct Damage: Error {
        let text: String
    }

    private func payload(of subject: SnapshotSubject, _ manifest: SnapshotManifest) async throws(NATSError) -> Result<
        [UInt8], Damage
    > {
        var payload: [UInt8] = []
        payload.reserveCapacity(manifest.bytes)
        var next = 0
        while next < manifest.chunks.count {
            let window = next..<min(next + Self.chunksAtOnce, manifest.chunks.count)
            for (index, result) in try await chunks(of: subject, manifest, window) {
                guard let chunk = result else {
                    return .failure(Damage(text: "chunk \(index) is missing or has another checksum"))
                }
                payload += chunk
            }
            next = window.upperBound
        }
        return .success(payload)
    }

    /// The chunks in order; nil for one that is missing or damaged.
    private func chunks(
        of subject: SnapshotSubject, _ manifest: SnapshotManifest, _ window: Range<Int>
    ) async throws(NATSError) -> [(Int, [UInt8]?)] {
        typealias Read = (index: Int, result: Result<[UInt8]?, NATSError>)
        let read = await withTaskGroup(of: Read.self) { group in
            for index in window {
                let chunkSubject = chunkSubject(subject, manifest, index)
                group.addTask {
                    do throws(NATSError) {
                        return (index, .success(try await self.chunk(manifest.chunks[index], on: chunkSubject)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var read: [Read] = []
            for await one in group { read.append(one) }
            return read
        }
        var chunks: [(Int, [UInt8]?)] = []
        for one in read.sorted(by: { $0.index < $1.index }) { chunks.append((one.index, try one.result.get())) }
        return chunks
    }

    /// From any replica, in its plain form; from the leader when that is not what the manifest says.
    private func chunk(_ chunk: SnapshotManifest.Chunk, on subject: String) async throws(NATSError) -> [UInt8]? {
        func isWhole(_ bytes: [UInt8]) -> Bool { bytes.count == chunk.bytes && Hashing.hash64(bytes) == chunk.hash }
        do throws(NATSError) {
            if let bytes = try await jetStream.anyReplicaMessage(on: subject, of: stream), isWhole(bytes) { return bytes }
        } catch {
            guard error.code == .noResponders else { throw error }
        }
        guard let record = try await jetStream.lastMessage(on: subject, of: stream), isWhole(record.payload) else { return nil }
        return record.payload
    }
}
