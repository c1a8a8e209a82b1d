internal import Model
package import Ports
package import SimulatedPorts

/// The snapshot store as one host reaches it: every call travels there and back, and now and then has no answer. A put takes
/// a while, and a host that crashes meanwhile has put nothing.
// Sendable: used on the simulation's thread alone.
package final class HostSnapshots: SnapshotStore, @unchecked Sendable {
    private let store: SimulatedSnapshotStore
    private let host: Host
    private let server: LogServer
    /// Chunks of the part before, by subject; for a store that mixes up what it is given.
    private var before: [SnapshotSubject: [[UInt8]]] = [:]

    package init(store: SimulatedSnapshotStore, host: Host, server: LogServer) {
        self.store = store
        self.host = host
        self.server = server
    }

    package func write(
        _ head: SnapshotHead, of subject: SnapshotSubject, upon manifest: SnapshotManifest?
    ) async throws(LogError) -> any SnapshotWriter {
        try await travel(subject)
        return HostSnapshotWriter(
            store: self, subject: subject, inner: try await store.write(head, of: subject, upon: manifest))
    }

    package func load(
        _ subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> LoadedSnapshot? {
        let loaded = try await store.load(subject, atMost: atMost, report: report)
        try await travel(subject)
        if let parts = loaded?.parts.count, parts > 1 { server.count("snapshot: increments loaded") }
        return loaded
    }

    package func kept(of subject: SnapshotSubject) async throws(LogError) -> [SnapshotManifest] {
        let kept = try await store.kept(of: subject)
        try await travel(subject)
        return kept
    }

    package func chunk(
        _ index: Int, ofPart part: Int, of manifest: SnapshotManifest, _ subject: SnapshotSubject
    ) async throws(LogError) -> [UInt8]? {
        let chunk = try await store.chunk(index, ofPart: part, of: manifest, subject)
        try await travel(subject)
        return chunk
    }

    fileprivate func travel(_ subject: SnapshotSubject) async throws(LogError) {
        let fails = server.random.chance(perMille: server.rates.unavailable)
        await pass(milliseconds: 2 * server.latency() + (fails ? 100 : host.readDelayMilliseconds))
        if fails { throw LogError(.unavailable, "\(subject): no answer") }
    }

    fileprivate func passSomeTime() async { await pass(milliseconds: 5 + Int64(server.random.next() % 40)) }

    private func pass(milliseconds: Int64) async {
        let (scheduler, host) = (server.scheduler, host)
        await withCheckedContinuation { continuation in
            scheduler.after(milliseconds: milliseconds, for: host) { continuation.resume() }
        }
    }

    fileprivate func written(_ manifest: SnapshotManifest, of subject: SnapshotSubject) {
        server.count(
            "snapshot: \(manifest.parts.count > 1 ? "increment" : "whole"), \(subject == .coordinator ? "sums" : "shard")")
    }

    /// What the store is given in place of a part's chunks.
    fileprivate func mixUp(_ chunks: [[UInt8]], _ subject: SnapshotSubject) -> [[UInt8]] {
        guard server.sabotage == .snapshotOfAnother else { return chunks }
        defer { before[subject] = chunks }
        return before[subject] ?? chunks
    }

    /// A part that is gathered, and put at its end.
    // Sendable: used on the simulation's thread alone.
    private final class HostSnapshotWriter: SnapshotWriter, @unchecked Sendable {
        private let store: HostSnapshots
        private let subject: SnapshotSubject
        private let inner: any SnapshotWriter
        private var chunks: [[UInt8]] = []

        init(store: HostSnapshots, subject: SnapshotSubject, inner: any SnapshotWriter) {
            self.store = store
            self.subject = subject
            self.inner = inner
        }

        func append(_ chunk: [UInt8]) async throws(LogError) {
            chunks.append(chunk)
            if chunks.count % 4 == 0 { await store.passSomeTime() }
        }

        func finish() async throws(LogError) -> SnapshotManifest {
            await store.passSomeTime()
            for chunk in store.mixUp(chunks, subject) { try await inner.append(chunk) }
            let manifest = try await inner.finish()
            store.written(manifest, of: subject)
            return manifest
        }
    }
}
