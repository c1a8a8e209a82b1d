internal import Model
package import Ports
internal import Synchronization

/// Snapshots in memory: chunks and manifests as bytes, so that damage is damage. Safe to call from any thread.
package final class SimulatedSnapshotStore: SnapshotStore {
    struct ChunkKey: Hashable {
        var subject: SnapshotSubject
        var base: UInt64
        var writing: UInt64
        var index: Int
    }

    struct ManifestKey: Hashable {
        var subject: SnapshotSubject
        var base: UInt64
        var commit: UInt64
    }

    struct State {
        var chunks: [ChunkKey: [UInt8]] = [:]
        var manifests: [ManifestKey: [UInt8]] = [:]
        var faults: SimulatedFaults
        var random: SplitMix
        var isAvailable = true
        var tearNext = false
        var damageNext = false
        var nextWriting: UInt64 = 0
        /// Commits whose snapshot was finished once, kept or not.
        var finished: [SnapshotSubject: Set<UInt64>] = [:]
    }

    let state: Mutex<State>

    package init(faults: SimulatedFaults = .none) {
        state = Mutex(State(faults: faults, random: SplitMix(seed: faults.seed)))
    }

    package func write(
        _ head: SnapshotHead, of subject: SnapshotSubject, upon manifest: SnapshotManifest?
    ) async throws(LogError) -> any SnapshotWriter {
        let writing: UInt64? = state.withLock { state in
            guard state.isAvailable else { return nil }
            state.nextWriting += 1
            return state.nextWriting
        }
        guard let writing else { throw LogError(.unavailable, "\(subject): simulated") }
        return SimulatedSnapshotWriter(store: self, subject: subject, head: head, upon: manifest, writing: writing)
    }

    package func load(
        _ subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> LoadedSnapshot? {
        let (isAvailable, found, reports) = state.withLock { state in
            var reports: [String] = []
            let found = state.load(subject, atMost: atMost, &reports)
            return (state.isAvailable, found, reports)
        }
        guard isAvailable else { throw LogError(.unavailable, "\(subject): simulated") }
        for text in reports { report(text) }
        return found
    }

    package func kept(of subject: SnapshotSubject) async throws(LogError) -> [SnapshotManifest] {
        let (isAvailable, kept) = state.withLock { state in
            (state.isAvailable, state.keys(of: subject).compactMap { key in try? state.manifest(key) })
        }
        guard isAvailable else { throw LogError(.unavailable, "\(subject): simulated") }
        return kept
    }

    package func chunk(
        _ index: Int, ofPart part: Int, of manifest: SnapshotManifest, _ subject: SnapshotSubject
    ) async throws(LogError) -> [UInt8]? {
        let part = manifest.parts[part]
        let key = ChunkKey(subject: subject, base: manifest.base, writing: part.writing, index: index)
        let (isAvailable, found) = state.withLock { ($0.isAvailable, $0.chunks[key]) }
        guard isAvailable else { throw LogError(.unavailable, "\(subject): simulated") }
        return found.flatMap { part.chunks[index].isWhole($0) ? $0 : nil }
    }
}

extension SimulatedSnapshotStore.State {
    /// Newest first.
    func keys(of subject: SnapshotSubject) -> [SimulatedSnapshotStore.ManifestKey] {
        manifests.keys.filter { $0.subject == subject }.sorted { $0.commit > $1.commit }
    }

    func manifest(_ key: SimulatedSnapshotStore.ManifestKey) throws(FormatError) -> SnapshotManifest {
        try SnapshotManifest.decoded(manifests[key] ?? [])
    }

    func load(_ subject: SnapshotSubject, atMost: UInt64, _ reports: inout [String]) -> LoadedSnapshot? {
        for key in keys(of: subject) where key.base <= atMost {
            let manifest: SnapshotManifest
            do throws(FormatError) { manifest = try self.manifest(key) } catch {
                reports.append("\(subject): the manifest of the snapshot at commit \(key.commit) cannot be read: \(error)")
                continue
            }
            var parts: [[[UInt8]]] = []
            for part in manifest.parts where part.head.commit <= atMost {
                let chunks = part.chunks.indices.map { index -> [UInt8] in
                    let key = SimulatedSnapshotStore.ChunkKey(
                        subject: subject, base: manifest.base, writing: part.writing, index: index)
                    return self.chunks[key] ?? []
                }
                if let index = part.chunks.indices.first(where: { !part.chunks[$0].isWhole(chunks[$0]) }) {
                    reports.append(
                        "\(subject): chunk \(index) of the snapshot's part at commit \(part.head.commit) is damaged or missing")
                    break
                }
                parts.append(chunks)
            }
            if !parts.isEmpty { return LoadedSnapshot(manifest: manifest.prefix(parts.count), parts: parts) }
        }
        return nil
    }

    /// Whether the newest snapshot that does not stand upon this whole part is undamaged. Faults never take both: against
    /// that nothing helps.
    func isWhole(_ subject: SnapshotSubject, but base: UInt64) -> Bool {
        guard let key = keys(of: subject).first(where: { $0.base != base }), let manifest = try? manifest(key) else {
            return true
        }
        return manifest.parts.allSatisfy { part in
            part.chunks.indices.allSatisfy { index in
                part.chunks[index].isWhole(
                    chunks[.init(subject: subject, base: key.base, writing: part.writing, index: index)] ?? [])
            }
        }
    }

    mutating func remove(of subject: SnapshotSubject) {
        var bases: [UInt64] = []
        for key in keys(of: subject) {
            if bases.contains(key.base) {
                manifests[key] = nil
            } else {
                bases.append(key.base)
                if bases.count > Limits.snapshotsKept { manifests[key] = nil }
            }
        }
        let kept = bases.prefix(Limits.snapshotsKept)
        chunks = chunks.filter { $0.key.subject != subject || kept.contains($0.key.base) }
    }
}

/// A part on its way into the simulated store.
private final class SimulatedSnapshotWriter: SnapshotWriter {
    private let store: SimulatedSnapshotStore
    private let subject: SnapshotSubject
    private let head: SnapshotHead
    private let manifest: SnapshotManifest?
    private let writing: UInt64
    private let chunks = Mutex<[SnapshotManifest.Chunk]>([])

    init(
        store: SimulatedSnapshotStore, subject: SnapshotSubject, head: SnapshotHead, upon manifest: SnapshotManifest?,
        writing: UInt64
    ) {
        self.store = store
        self.subject = subject
        self.head = head
        self.manifest = manifest
        self.writing = writing
    }

    private var base: UInt64 { manifest?.base ?? head.commit }

    func append(_ chunk: [UInt8]) async throws(LogError) {
        let index = chunks.withLock { chunks in
            chunks.append(SnapshotManifest.Chunk(chunk))
            return chunks.count - 1
        }
        let isAvailable = store.state.withLock { state in
            if state.isAvailable { state.chunks[.init(subject: subject, base: base, writing: writing, index: index)] = chunk }
            return state.isAvailable
        }
        guard isAvailable else { throw LogError(.unavailable, "\(subject): simulated") }
    }

    func finish() async throws(LogError) -> SnapshotManifest {
        let part = SnapshotManifest.Part(head: head, writing: writing, chunks: chunks.withLock { $0 })
        let written = manifest?.adding(part) ?? SnapshotManifest(whole: part)
        let problem: LogError? = store.state.withLock { state in
            guard state.isAvailable else { return LogError(.unavailable, "\(subject): simulated") }
            let torn = state.tearNext || state.random.chance(perMille: state.faults.tornSnapshots)
            state.tearNext = false
            if torn { return LogError(.ambiguous, "\(subject): torn, simulated") }
            let damaged = state.damageNext || state.random.chance(perMille: state.faults.damagedSnapshots)
            state.damageNext = false
            state.manifests[.init(subject: subject, base: base, commit: head.commit)] = written.encoded()
            state.finished[subject, default: []].insert(head.commit)
            if damaged && !part.chunks.isEmpty && state.isWhole(subject, but: base) {
                let index = Int(state.random.next() % UInt64(part.chunks.count))
                state.damage(.init(subject: subject, base: base, writing: writing, index: index))
            }
            state.remove(of: subject)
            return nil
        }
        if let problem { throw problem }
        return written
    }
}

// MARK: What tests say
extension SimulatedSnapshotStore {
    /// The next part fails before its manifest: nothing is seen of it.
    package func tearNext() { state.withLock { $0.tearNext = true } }

    /// The next part is written, and then one of its chunks changes.
    package func damageNext() { state.withLock { $0.damageNext = true } }

    package func setAvailable(_ isAvailable: Bool) { state.withLock { $0.isAvailable = isAvailable } }

    /// The commits of the kept snapshots, ascending.
    package func commits(of subject: SnapshotSubject) -> [UInt64] {
        state.withLock { $0.keys(of: subject).map(\.commit).reversed() }
    }

    /// Whether there was ever a finished snapshot of that commit.
    package func hasFinished(_ subject: SnapshotSubject, commit: UInt64) -> Bool {
        state.withLock { $0.finished[subject]?.contains(commit) ?? false }
    }

    /// The kept snapshots that are whole, each as it was at each of its parts, by commit.
    package func whole(of subject: SnapshotSubject) -> [UInt64: LoadedSnapshot] {
        state.withLock { state in
            var found: [UInt64: LoadedSnapshot] = [:]
            var unused: [String] = []
            for key in state.keys(of: subject) {
                guard let loaded = state.load(subject, atMost: key.commit, &unused) else { continue }
                found[loaded.head.commit] = loaded
            }
            return found
        }
    }

    /// Changes a byte in a chunk of a kept snapshot's part, as a broken disk would; traps when there is none.
    package func damage(_ subject: SnapshotSubject, commit: UInt64, chunk index: Int) {
        state.withLock { state in
            for key in state.keys(of: subject) {
                guard let manifest = try? state.manifest(key),
                    let part = manifest.parts.first(where: { $0.head.commit == commit })
                else { continue }
                return state.damage(.init(subject: subject, base: manifest.base, writing: part.writing, index: index))
            }
            preconditionFailure("\(subject) has no part at commit \(commit)")
        }
    }

    /// Changes a byte in the newest manifest.
    package func damageManifest(of subject: SnapshotSubject) {
        state.withLock { state in
            guard let key = state.keys(of: subject).first else { preconditionFailure("\(subject) has no snapshot") }
            state.manifests[key]?[9] ^= 1
        }
    }
}

extension SimulatedSnapshotStore.State {
    mutating func damage(_ key: SimulatedSnapshotStore.ChunkKey) {
        guard let count = chunks[key]?.count else { return }
        if count == 0 { chunks[key] = [0] } else { chunks[key]?[count / 2] ^= 0x10 }
    }
}
