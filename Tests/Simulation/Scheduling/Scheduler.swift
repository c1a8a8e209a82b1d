internal import Glibc
package import Model
internal import SimulatedPorts

/// The one thread of a simulation: says which job runs next, and when the clock moves.
///
///     a job is runnable  --> one of them, drawn by the seed, runs to its end
///     none is            --> the earliest event happens; the time is now its time
///
/// Jobs of one executor run in the order in which they came, as on a real thread; those of the pool in any order.
/// A job belongs to the host that was running when it was made: hosts meet only in events, and each event names its host.
// Sendable: used on its thread alone; `JobHooks` stops the process when another one comes in.
package final class Scheduler: @unchecked Sendable {
    @safe struct Job {
        let job: UnownedJob
        let executor: UnownedSerialExecutor
        /// 0 = the pool.
        let lane: UInt64
        let host: Host
    }

    struct Event {
        let time: Instant
        let number: UInt64
        let host: Host?
        let run: () -> Void
    }

    // Set once, when the first scheduler is made, by the thread that it names.
    nonisolated(unsafe) static var thread = pthread_self()
    private static let pool: UnownedSerialExecutor = unsafe unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)

    package private(set) var now: Instant
    package private(set) var trace = Trace()
    /// Jobs and events so far.
    package private(set) var jobsRun = 0
    package private(set) var eventsRun = 0
    private var random: SplitMix
    private let isShuffled: Bool
    private var runnable: [Job] = []
    private var timeline = Timeline()
    private var nextNumber: UInt64 = 0
    private var nextHost: UInt64 = 0
    private var nextLane: UInt64 = 0
    /// Whose jobs are made now.
    package private(set) var current: Host
    /// What never happened, kept: freeing it could run code of the dead.
    private var graveyard: [Event] = []
    private let outside = Host(name: "outside", number: 0)

    /// - Parameter isShuffled: the order of jobs is drawn; otherwise they run as they came.
    package init(seed: UInt64, start: Instant, isShuffled: Bool) {
        random = SplitMix(seed: seed)
        now = start
        self.isShuffled = isShuffled
        current = outside
        unsafe Self.thread = pthread_self()
        JobHooks.install { [unowned self] job in unsafe push(job, on: Self.pool, lane: 0) }
    }

    // MARK: Hosts

    package func makeHost(_ name: String) -> Host {
        nextHost += 1
        return Host(name: name, number: nextHost)
    }

    package func makeExecutor(for host: Host) -> SimulatedExecutor {
        nextLane += 1
        return SimulatedExecutor(self, lane: nextLane)
    }

    /// Does it as the host: jobs that it makes are the host's.
    package func run(as host: Host?, _ body: () -> Void) {
        let before = current
        current = host ?? outside
        body()
        current = before
    }

    /// From here on nothing of the host ever runs.
    package func crash(_ host: Host) {
        guard host.state != .dead else { return }
        note("crash", host.number)
        host.state = .dead
        // A job that is dropped leaves its task where it stands, for ever.
        runnable.removeAll { $0.host === host }
        graveyard.append(contentsOf: host.heldEvents)
        host.heldEvents = []
        host.onCrash?()
    }

    package func freeze(_ host: Host) {
        guard host.state == .running else { return }
        note("freeze", host.number)
        host.state = .frozen
    }

    package func thaw(_ host: Host) {
        guard host.state == .frozen else { return }
        note("thaw", host.number)
        host.state = .running
        let held = host.heldEvents
        host.heldEvents = []
        for event in held { at(now, for: host, event.run) }
    }

    // MARK: What happens

    func push(_ job: UnownedJob, on executor: UnownedSerialExecutor, lane: UInt64) {
        unsafe runnable.append(Job(job: job, executor: executor, lane: lane, host: current))
    }

    /// Something that happens to a host at a time; nil = to nobody's, the servers and the world.
    package func at(_ time: Instant, for host: Host?, _ run: @escaping () -> Void) {
        nextNumber += 1
        timeline.insert(Event(time: max(time, now), number: nextNumber, host: host, run: run))
    }

    package func after(milliseconds: Int64, for host: Host?, _ run: @escaping () -> Void) {
        at(now + milliseconds, for: host, run)
    }

    /// Into the trace: what has happened is the same in two runs when their traces are.
    package func note(_ what: StaticString, _ number: UInt64, _ detail: @autoclosure () -> String = "") {
        trace.add(what, number, at: now, host: current, detail())
    }

    package func printTrace() { trace.isPrinting = true }

    /// Runs until `isDone`, which is asked after every event, or nothing can happen any more.
    package func run(until isDone: () -> Bool) {
        while true {
            while let job = next() { run(job) }
            if isDone() { return }
            guard let event = timeline.popFirst() else { return }
            now = max(now, event.time)
            happen(event)
        }
    }

    private func next() -> Job? {
        let ready = runnable.indices.filter { runnable[$0].host.state == .running }
        guard let first = ready.first else { return nil }
        var place = isShuffled && ready.count > 1 ? ready[Int(random.next() % UInt64(ready.count))] : first
        let lane = runnable[place].lane
        if lane != 0, let head = ready.first(where: { runnable[$0].lane == lane }) { place = head }
        return runnable.remove(at: place)
    }

    private func run(_ job: Job) {
        jobsRun += 1
        trace.add("job", job.lane, at: now, host: job.host, "")
        run(as: job.host) { unsafe job.job.runSynchronously(on: job.executor) }
        guard let left = job.host.crashAfterJobs else { return }
        job.host.crashAfterJobs = left - 1
        if left <= 1 { crash(job.host) }
    }

    private func happen(_ event: Event) {
        switch event.host?.state {
        case .dead: graveyard.append(event)
        case .frozen: event.host?.heldEvents.append(event)
        case .running, nil:
            eventsRun += 1
            run(as: event.host, event.run)
        }
    }
}
