internal import Model
internal import Ports
internal import Synchronization

/// A part of a snapshot on its way into the stream: some chunks under way at once, the manifest when all are there.
final class JetStreamSnapshotWriter: SnapshotWriter {
    private struct State {
        var chunks: [SnapshotManifest.Chunk] = []
        var underWay = 0
        var failure: LogError?
        /// Who waits for a chunk under way to end.
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let store: JetStreamSnapshotStore
    private let subject: SnapshotSubject
    private let head: SnapshotHead
    private let manifest: SnapshotManifest?
    private let writing = UInt64.random(in: 0...UInt64.max)
    private let state = Mutex(State())

    init(store: JetStreamSnapshotStore, subject: SnapshotSubject, head: SnapshotHead, upon manifest: SnapshotManifest?) {
        self.store = store
        self.subject = subject
        self.head = head
        self.manifest = manifest
    }

    private var base: UInt64 { manifest?.base ?? head.commit }

    func append(_ chunk: [UInt8]) async throws(LogError) {
        try await wait(until: Limits.snapshotChunksAtOnce - 1)
        let described = SnapshotManifest.Chunk(chunk)
        let index = state.withLock { state in
            state.chunks.append(described)
            state.underWay += 1
            return state.chunks.count - 1
        }
        let subject = "\(store.prefix(subject)).c.\(base).\(head.commit).\(writing).\(index)"
        Task { ended(await store.publish(chunk, on: subject)) }
    }

    private func ended(_ failure: LogError?) {
        let waiter = state.withLock { state in
            state.underWay -= 1
            state.failure = state.failure ?? failure
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Returns when at most so many chunks are under way; throws when one could not be written.
    private func wait(until most: Int) async throws(LogError) {
        while true {
            let (failure, waits) = state.withLock { ($0.failure, $0.underWay > most) }
            if let failure { throw failure }
            guard waits else { return }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.underWay > most else { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        }
    }

    func finish() async throws(LogError) -> SnapshotManifest {
        try await wait(until: 0)
        let part = SnapshotManifest.Part(head: head, writing: writing, chunks: state.withLock { $0.chunks })
        let written = manifest?.adding(part) ?? SnapshotManifest(whole: part)
        let stored = JetStreamSnapshotStore.Stored(base: base, commit: head.commit)
        if let failure = await store.publish(written.encoded(), on: store.manifestSubject(subject, stored)) { throw failure }
        try await store.removeOld(of: subject)
        return written
    }
}
