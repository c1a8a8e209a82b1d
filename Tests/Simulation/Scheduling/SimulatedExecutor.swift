/// In place of a thread: its jobs run on the simulation's, one after another in the order in which they came.
package final class SimulatedExecutor: SerialExecutor {
    private let scheduler: Scheduler
    private let lane: UInt64

    init(_ scheduler: Scheduler, lane: UInt64) {
        self.scheduler = scheduler
        self.lane = lane
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        unsafe scheduler.push(UnownedJob(job), on: asUnownedSerialExecutor(), lane: lane)
    }
}
