internal import Model
internal import NATS
package import Ports

/// Snapshots in a stream of their own: `<prefix>.SNAP.<subject>.c.<base>.<commit>.<writing>.<n>` holds a chunk of the part at
/// that commit, `<prefix>.SNAP.<subject>.m.<base>.<commit>` the manifest, written last; `base` is the commit of the whole
/// part, so that all of a snapshot goes at once. Safe to use from any thread; nothing blocks.
package final class JetStreamSnapshotStore: SnapshotStore {
    private let jetStream: JetStream
    private let names: StreamNames
    private var stream: String { names.snapshotStream }

    init(_ jetStream: JetStream, names: StreamNames) {
        self.jetStream = jetStream
        self.names = names
    }

    /// A manifest by its subject.
    struct Stored: Equatable {
        var base: UInt64
        var commit: UInt64
    }

    func prefix(_ subject: SnapshotSubject) -> String { "\(names.prefix).SNAP.\(subject)" }

    func manifestSubject(_ subject: SnapshotSubject, _ stored: Stored) -> String {
        "\(prefix(subject)).m.\(stored.base).\(stored.commit)"
    }

    // MARK: Writing

    package func write(
        _ head: SnapshotHead, of subject: SnapshotSubject, upon manifest: SnapshotManifest?
    ) async throws(LogError) -> any SnapshotWriter {
        JetStreamSnapshotWriter(store: self, subject: subject, head: head, upon: manifest)
    }

    /// Sends one message until it is known to be stored: the same message twice does no harm.
    func publish(_ payload: [UInt8], on subject: String) async -> LogError? {
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

    /// Leaves the newest manifest of each of the newest whole parts, and their chunks.
    func removeOld(of subject: SnapshotSubject) async throws(LogError) {
        do throws(NATSError) {
            var kept: [UInt64] = []
            for stored in try await stored(of: subject) {
                if !kept.contains(stored.base) && kept.count < Limits.snapshotsKept {
                    kept.append(stored.base)
                } else {
                    try await jetStream.purge(stream, matching: manifestSubject(subject, stored))
                }
            }
            guard kept.count == Limits.snapshotsKept, let oldest = kept.min() else { return }
            // Also chunks whose manifest was never written.
            let chunks = try await jetStream.subjects(of: stream, matching: "\(prefix(subject)).c.>")
            let bases = Set(chunks.keys.compactMap { $0.split(separator: ".").dropLast(3).last.flatMap { UInt64($0) } })
            for base in bases where base < oldest {
                try await jetStream.purge(stream, matching: "\(prefix(subject)).c.\(base).>")
            }
        } catch {
            throw LogError(reading: error)
        }
    }

    /// The manifests there are, newest first.
    private func stored(of subject: SnapshotSubject) async throws(NATSError) -> [Stored] {
        let subjects = try await jetStream.subjects(of: stream, matching: "\(prefix(subject)).m.>")
        return subjects.keys.compactMap { name in
            let words = name.split(separator: ".").suffix(2).compactMap { UInt64($0) }
            return words.count == 2 ? Stored(base: words[0], commit: words[1]) : nil
        }.sorted { $0.commit > $1.commit }
    }

    // MARK: Reading

    package func kept(of subject: SnapshotSubject) async throws(LogError) -> [SnapshotManifest] {
        do throws(NATSError) {
            var kept: [SnapshotManifest] = []
            for stored in try await stored(of: subject) where !kept.contains(where: { $0.base == stored.base }) {
                if case .success(let manifest) = try await manifest(of: subject, stored) { kept.append(manifest) }
            }
            return kept
        } catch {
            throw LogError(reading: error)
        }
    }

    package func chunk(
        _ index: Int, ofPart part: Int, of manifest: SnapshotManifest, _ subject: SnapshotSubject
    ) async throws(LogError) -> [UInt8]? {
        let part = manifest.parts[part]
        let name = "\(prefix(subject)).c.\(manifest.base).\(part.head.commit).\(part.writing).\(index)"
        do throws(NATSError) {
            return try await chunk(part.chunks[index], on: name)
        } catch {
            throw LogError(reading: error)
        }
    }

    private struct Damage: Error {
        let text: String
    }

    private func manifest(
        of subject: SnapshotSubject, _ stored: Stored
    ) async throws(NATSError) -> Result<SnapshotManifest, Damage> {
        guard let record = try await jetStream.lastMessage(on: manifestSubject(subject, stored), of: stream) else {
            return .failure(Damage(text: "\(subject): the snapshot at commit \(stored.commit) was removed meanwhile"))
        }
        do throws(FormatError) {
            return .success(try SnapshotManifest.decoded(record.payload))
        } catch {
            return .failure(
                Damage(text: "\(subject): the manifest of the snapshot at commit \(stored.commit) cannot be read: \(error)"))
        }
    }

    package func load(
        _ subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> LoadedSnapshot? {
        do throws(NATSError) {
            var candidates = try await stored(of: subject)
            while !candidates.isEmpty {
                let candidate = candidates.removeFirst()
                guard candidate.base <= atMost else { continue }
                let (found, damage) = try await load(subject, candidate, atMost: atMost)
                if let damage {
                    // Whoever writes meanwhile may have removed what is read here: then there is a newer one.
                    let now = try await stored(of: subject)
                    if now.first != candidate, !now.contains(candidate) {
                        candidates = now
                        continue
                    }
                    report(damage.text)
                }
                if let found { return found }
            }
            return nil
        } catch {
            throw LogError(reading: error)
        }
    }

    /// As many parts as are whole, and what is wrong with the next.
    private func load(
        _ subject: SnapshotSubject, _ stored: Stored, atMost: UInt64
    ) async throws(NATSError) -> (LoadedSnapshot?, Damage?) {
        let manifest: SnapshotManifest
        switch try await self.manifest(of: subject, stored) {
        case .failure(let damage): return (nil, damage)
        case .success(let read): manifest = read
        }
        var parts: [[[UInt8]]] = []
        var damage: Damage?
        for part in manifest.parts where part.head.commit <= atMost {
            let chunks = try await chunks(part, "\(prefix(subject)).c.\(manifest.base).\(part.head.commit).\(part.writing)")
            if let index = chunks.firstIndex(of: nil) {
                damage = Damage(
                    text: "\(subject): chunk \(index) of the snapshot's part at commit \(part.head.commit) is damaged or missing")
                break
            }
            parts.append(chunks.compactMap { $0 })
        }
        return (parts.isEmpty ? nil : LoadedSnapshot(manifest: manifest.prefix(parts.count), parts: parts), damage)
    }

    /// What became of reading one chunk: nil bytes without an error = missing or damaged.
    private struct ChunkRead: Sendable {
        var index: Int
        var bytes: [UInt8]?
        var error: NATSError?
    }

    /// In order; nil for one that is missing or damaged, behind which none may be read.
    private func chunks(_ part: SnapshotManifest.Part, _ subjects: String) async throws(NATSError) -> [[UInt8]?] {
        let chunks = part.chunks
        let reads = await withTaskGroup(of: ChunkRead.self) { group in
            var reads: [ChunkRead] = []
            var next = 0
            while next < chunks.count || reads.count < next {
                while next < chunks.count, next - reads.count < Limits.snapshotChunksAtOnce {
                    let index = next
                    group.addTask { await self.read(chunks[index], at: index, on: "\(subjects).\(index)") }
                    next += 1
                }
                guard let read = await group.next() else { break }
                reads.append(read)
                if read.error != nil { break }
            }
            return reads
        }
        if let error = reads.lazy.compactMap(\.error).first { throw error }
        return reads.sorted { $0.index < $1.index }.map(\.bytes)
    }

    private func read(_ chunk: SnapshotManifest.Chunk, at index: Int, on subject: String) async -> ChunkRead {
        do throws(NATSError) {
            return ChunkRead(index: index, bytes: try await self.chunk(chunk, on: subject))
        } catch {
            return ChunkRead(index: index, error: error)
        }
    }

    /// From any replica, in its plain form; from the leader when that is not what the manifest says.
    private func chunk(_ chunk: SnapshotManifest.Chunk, on subject: String) async throws(NATSError) -> [UInt8]? {
        do throws(NATSError) {
            if let bytes = try await jetStream.anyReplicaMessage(on: subject, of: stream), chunk.isWhole(bytes) { return bytes }
        } catch {
            guard error.code == .noResponders else { throw error }
        }
        guard let record = try await jetStream.lastMessage(on: subject, of: stream), chunk.isWhole(record.payload) else {
            return nil
        }
        return record.payload
    }
}
