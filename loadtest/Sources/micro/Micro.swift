import Synchronization

/// Runs the pieces of an event's way through the engine, one after another, on one thread, and tells nanoseconds. Under
/// callgrind, where `loadtest/run micro` puts it, instructions and allocations are counted instead.
///
/// No asynchronous `main`, no Foundation, no network: callgrind bears the former not, and the others are slow to start.
@main
enum Micro {
    static func main() throws {
        let chosen = CommandLine.arguments.dropFirst()
        let all = Benchmark.all()
        if let unknown = chosen.first(where: { name in !all.contains { $0.name == name } }) {
            throw BenchError("'\(unknown)' is none of \(all.map(\.name).joined(separator: ", "))")
        }
        for benchmark in all where chosen.isEmpty || chosen.contains(benchmark.name) {
            let bench = try benchmark.prepare(MainThread())
            writeCounts()
            let began = ContinuousClock.now
            let done = try bench.run()
            let seconds = began.duration(to: .now) / .seconds(1)
            writeCounts()
            guard done == bench.times else {
                throw BenchError("\(benchmark.name): \(bench.times) times \(benchmark.unit) is wanted, it was \(done)")
            }
            let nanoseconds = Int(seconds * 1e9 / Double(bench.times))
            // Read by loadtest/lib/micro.py.
            print("\(benchmark.name)\t\(bench.times)\t\(nanoseconds)\t\(benchmark.unit)")
        }
    }
}

private let marks = Atomic(0)

/// Callgrind writes down what it has counted, and begins anew, whenever this is called: before and behind each benchmark.
@inline(never) func writeCounts() { marks.add(1, ordering: .relaxed) }

/// What is wrong with a benchmark.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Stands for the thread that a shard's customers live on: everything here is called on one, and nothing is enqueued.
final class MainThread: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) { fatalError("a benchmark has no asynchronous part") }
    func checkIsolated() {}
    func isIsolatingCurrentContext() -> Bool? { true }
}
