internal import Glibc

/// A serial executor that is one thread of its own: a shard's steps, and every customer's actor of it, run there and
/// nowhere else. Made once per core; shards are spread over them.
///
/// Jobs run in the order in which they were enqueued. The thread ends when the last reference to the executor goes.
package final class ThreadExecutor: SerialExecutor {
    private let queue: JobQueue

    /// Starts the thread. Keep the executor for as long as an actor may use it.
    package init() {
        let queue = JobQueue()
        self.queue = queue
        startThread { queue.run() }
    }

    deinit { queue.close() }

    package func enqueue(_ job: consuming ExecutorJob) {
        unsafe queue.push(UnownedJob(job), for: asUnownedSerialExecutor())
    }
}

/// Jobs that wait for the thread. Guarded by a pthread mutex with a condition, as the thread sleeps while there are none.
// Sendable: all of its state is touched under its mutex only.
@safe private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [(UnownedJob, UnownedSerialExecutor)] = unsafe []
    private var isClosed = false

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe pthread_cond_destroy(condition)
        unsafe mutex.deallocate()
        unsafe condition.deallocate()
    }

    func push(_ job: UnownedJob, for executor: UnownedSerialExecutor) {
        unsafe pthread_mutex_lock(mutex)
        unsafe jobs.append((job, executor))
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    func close() {
        unsafe pthread_mutex_lock(mutex)
        isClosed = true
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    func run() {
        while let batch = unsafe take() {
            for unsafe (job, executor) in unsafe batch { unsafe job.runSynchronously(on: executor) }
        }
    }

    /// All jobs that wait, at least one; nil when closed and empty.
    private func take() -> [(UnownedJob, UnownedSerialExecutor)]? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while unsafe jobs.isEmpty {
            if isClosed { return nil }
            unsafe pthread_cond_wait(condition, mutex)
        }
        defer { unsafe jobs.removeAll(keepingCapacity: true) }
        return unsafe jobs
    }
}

private final class ThreadBody {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

/// A detached thread. Traps when the system has none left: nothing could run then.
private func startThread(_ run: @escaping @Sendable () -> Void) {
    let body = unsafe Unmanaged.passRetained(ThreadBody(run)).toOpaque()
    var thread = pthread_t()
    let status = unsafe pthread_create(
        &thread, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            body.run()
            return nil
        }, body)
    precondition(status == 0, "no thread could be started: error \(status)")
    pthread_detach(thread)
}
