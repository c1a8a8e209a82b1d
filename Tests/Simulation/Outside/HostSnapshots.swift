internal import Model
package import Ports
package import SimulatedPorts

/// The snapshot store as one host reaches it: a put takes a while, and a host that crashes meanwhile has put nothing.
// Sendable: used on the simulation's thread alone.
package final class HostSnapshots: SnapshotStore, @unchecked Sendable {
    private let store: SimulatedSnapshotStore
    private let clock: HostClock
    private let server: LogServer
    /// Chunks of the part before, by subject; for a store that mixes up what it is given.
    private var before: [SnapshotSubject: [[UInt8]]] = [:]

    package init(store: SimulatedSnapshotStore, clock: HostClock, server: LogServer) {
        self.store = store
        self.clock = clock
        self.server = server
    }

    package func write(
        _ head: SnapshotHead, of subject: SnapshotSubject, upon manifest: SnapshotManifest?
    ) async throws(LogError) -> any SnapshotWriter {
        HostSnapshotWriter(
            store: self, subject: subject, inner: try await store.write(head, of: subject, upon: manifest))
    }

    package func load(
        _ subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> LoadedSnapshot? {
        try await store.load(subject, atMost: atMost, report: report)
    }

    package func kept(of subject: SnapshotSubject) async throws(LogError) -> [SnapshotManifest] {
        try await store.kept(of: subject)
    }

    fileprivate func passSomeTime(_ subject: SnapshotSubject) async throws(LogError) {
        do { try await clock.sleep(until: clock.now() + 5 + Int64(server.random.next() % 40)) } catch {
            throw LogError(.unavailable, "\(subject): given up")
        }
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
            if chunks.count % 4 == 0 { try await store.passSomeTime(subject) }
        }

        func finish() async throws(LogError) -> SnapshotManifest {
            try await store.passSomeTime(subject)
            for chunk in store.mixUp(chunks, subject) { try await inner.append(chunk) }
            return try await inner.finish()
        }
    }
}
