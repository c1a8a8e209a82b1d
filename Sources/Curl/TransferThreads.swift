internal import Dispatch
internal import Foundation
internal import Synchronization

/// Threads of its own on which blocking transfers run, so that none blocks Swift's cooperative pool. Each has an easy
/// handle, and so its connections, for itself. The threads end when this is released and their work is done.
final class TransferThreads: Sendable {
    typealias Job = @Sendable (EasyHandle) -> Void

    private let queue = JobQueue()
    private let count: Int

    init(count: Int, name: String) {
        precondition(count >= 1, "at least one thread")
        self.count = count
        for index in 0..<count {
            let thread = Thread { [queue] in
                let handle = EasyHandle()
                while let job = queue.next() { job(handle) }
            }
            thread.name = "\(name)-\(index)"
            thread.start()
        }
    }

    deinit { queue.close(threads: count) }

    /// Runs `body` on the first thread that is free; waits its turn.
    func run<Value: Sendable>(_ body: @escaping @Sendable (EasyHandle) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.add { continuation.resume(returning: body($0)) }
        }
    }
}

/// Jobs in the order they came; taking one waits for it.
private final class JobQueue: Sendable {
    private let jobs = Mutex<[TransferThreads.Job]>([])
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: @escaping TransferThreads.Job) {
        jobs.withLock { $0.append(job) }
        available.signal()
    }

    /// Nil when closed and nothing is left.
    func next() -> TransferThreads.Job? {
        available.wait()
        return jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    func close(threads: Int) {
        for _ in 0..<threads { available.signal() }
    }
}
