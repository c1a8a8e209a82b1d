internal import Engine
package import Model

/// How a worker is run.
package struct WorkerOptions: Sendable {
    /// Name, for people, and a random instance that is new at each start.
    package var id: WorkerID
    /// Threads that shards are spread over; one per core is what pays.
    package var threads: Int
    /// Bytes of IN or of LOG after which a shard takes its next snapshot at the latest.
    package var snapshotEveryBytes: Int
    /// Version of the deciding code that it takes itself for. Only tests say another one than what Engine has.
    package var brain: UInt32 = brainVersion
    /// Tells programs apart that may fail differently, though they decide alike.
    package var build = "unnamed"
    /// It is the only worker of its process, and says where it was when that traps.
    package var leavesLastWord = false
    /// Makes what each of the threads is; called so often at the start. A thread of its own, unless a simulation decides
    /// itself what runs next.
    package var makeExecutor: @Sendable () -> any SerialExecutor

    package init(
        id: WorkerID, threads: Int, snapshotEveryBytes: Int = .max,
        makeExecutor: @escaping @Sendable () -> any SerialExecutor = { ThreadExecutor() }
    ) {
        self.id = id
        self.threads = max(threads, 1)
        self.snapshotEveryBytes = snapshotEveryBytes
        self.makeExecutor = makeExecutor
    }
}
