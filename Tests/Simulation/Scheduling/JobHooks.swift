internal import Glibc

/// Takes every job that Swift's concurrency would give to its pool of threads.
///
/// The runtime offers a hook for each way a job can come in. They are of the whole process: one simulation at a time.
@safe enum JobHooks {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void
    private typealias DelayHook = @convention(thin) (UInt64, UnownedJob, OpaquePointer) -> Void

    // Written by the simulation's thread before it makes its first job, and read on that thread.
    nonisolated(unsafe) private static var take: ((UnownedJob) -> Void)?

    /// From now on jobs go to `take`. One that comes from another thread, or that waits for a time of the machine, ends the
    /// process: such a run could not be repeated.
    static func install(_ take: @escaping (UnownedJob) -> Void) {
        unsafe Self.take = take
        place("swift_task_enqueueGlobal_hook", Hook.self) { job, _ in JobHooks.came(job) }
        place("swift_task_enqueueMainExecutor_hook", Hook.self) { job, _ in JobHooks.came(job) }
        unsafe place("swift_task_enqueueGlobalWithDelay_hook", DelayHook.self) { _, _, _ in
            preconditionFailure("a job waits for the machine's time: in a simulation all time is the clock's")
        }
    }

    private static func came(_ job: UnownedJob) {
        unsafe precondition(pthread_equal(pthread_self(), Scheduler.thread) != 0, "a job came from another thread")
        unsafe take?(job)
    }

    private static func place<Function>(_ name: String, _ type: Function.Type, _ hook: Function) {
        guard let symbol = unsafe dlsym(dlopen(nil, RTLD_NOW), name) else {
            preconditionFailure("Swift's runtime has no \(name)")
        }
        unsafe symbol.assumingMemoryBound(to: Function?.self).pointee = hook
    }
}
