import Foundation
import Synchronization

/// Looks at the memory of the cluster's processes twenty times a second, on a thread of its own, until it is stopped.
final class MemorySampler: Sendable {
    struct Result: Sendable {
        /// The largest sum over all processes at one time.
        var peakSumBytes: UInt64 = 0
        /// Each process's own peak, by name.
        var peaks: [String: UInt64] = [:]
        /// Those that have ended.
        var ended: Set<String> = []
        var samples = 0
    }

    private let processes: [ClusterProcess]
    private let state = Mutex((result: Result(), stopped: false))

    init(_ processes: [ClusterProcess]) { self.processes = processes }

    func start() {
        let thread = Thread { [self] in
            while state.withLock({ !$0.stopped }) {
                sample()
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        thread.name = "memory-sampler"
        thread.start()
    }

    /// Takes a last sample; the thread ends by itself.
    func stop() -> Result {
        sample()
        return state.withLock { state in
            state.stopped = true
            return state.result
        }
    }

    var ended: Set<String> { state.withLock { $0.result.ended } }

    private func sample() {
        let seen = processes.map { ($0.name, $0.memory()) }
        state.withLock { state in
            var sum: UInt64 = 0
            for (name, memory) in seen {
                guard let memory else {
                    state.result.ended.insert(name)
                    continue
                }
                sum += memory.now
                state.result.peaks[name] = max(state.result.peaks[name] ?? 0, memory.peak)
            }
            state.result.peakSumBytes = max(state.result.peakSumBytes, sum)
            state.result.samples += 1
        }
    }
}
