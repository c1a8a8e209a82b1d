import ArgumentParser
import Foundation
import Model
import Ports
import Workload

struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Send a steady load for minutes, and see that memory, open files, streams and waiting do not grow.",
        discussion: """
            First as many events as fill what is kept of customers and message ids. The first third of the minutes counts for \
            nothing. Exit code 1 when the answers of the workload are wrong, or something grew by more than it may.
            """)

    /// Events sent behind the soak's end, at full speed.
    private static let slackSeconds: UInt64 = 20

    @OptionGroup var options: MovingOptions
    @Option(help: "How long.") var minutes: Double = 10

    func validate() throws {
        guard minutes >= 0.25, minutes <= 24 * 60 else { throw ValidationError("--minutes: 0.25 to 1440") }
    }

    func run() async throws {
        let run = try await options.run(seconds: UInt64(minutes * 60) + Self.slackSeconds)
        let processes = try ClusterProcess.all(in: options.pids)
        let duration = Duration.seconds(minutes * 60)
        let (shards, logs) = (run.connection.installation.shards, run.connection.logs)
        let outcome = try await run.run { scene in
            try await Self.watch(scene, processes, shards, logs, for: duration)
        }
        run.connection.close()
        let report = SoakReport(
            minutes: minutes, customers: run.plan.workload.customers, events: run.plan.workload.events, rate: run.plan.rate,
            shards: shards.shards, samples: outcome.found.samples, latencies: outcome.found.latencies,
            problems: outcome.problems)
        print(options.json ? try report.jsonText() : report.text)
        guard report.problems.isEmpty else { throw LoadError(report.problems.joined(separator: "; ")) }
    }

    struct Found: Sendable {
        var samples: [SoakSample] = []
        /// Of all batches, milliseconds.
        var latencies: [Double] = []
    }

    /// A sample a second.
    private static func watch(
        _ scene: MovingRun.Scene, _ processes: [ClusterProcess], _ shards: ShardMap, _ logs: any LogStore,
        for duration: Duration
    ) async throws -> Found {
        let began = ContinuousClock.now
        var found = Found()
        var progress = Progress()
        while began.duration(to: .now) < duration {
            try await Task.sleep(until: began + .seconds(found.samples.count + 1))
            let latencies = scene.watch.takeLatencies()
            found.latencies += latencies
            let sample = SoakSample(
                seconds: (began.duration(to: .now) / .seconds(1) * 10).rounded() / 10, processes: try look(processes),
                streamBytes: await streamBytes(shards, logs), latency: Percentiles(latencies))
            found.samples.append(sample)
            let memory = sample.processes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.memoryBytes >> 20) MB" }
            progress.show(
                "\(Int(sample.seconds)) of \(Int(duration / .seconds(1))) s: \(memory.joined(separator: ", ")), streams "
                    + "\((sample.streamBytes ?? 0) >> 20) MB, batches \(sample.latency.text)")
        }
        return found
    }

    private static func look(_ processes: [ClusterProcess]) throws -> [String: SoakSample.Process] {
        var seen: [String: SoakSample.Process] = [:]
        for process in processes {
            guard let memory = process.memory(), let files = process.openFiles() else {
                throw LoadError("\(process.name) has ended; its log says why")
            }
            seen[process.name] = SoakSample.Process(memoryBytes: memory.now, openFiles: files)
        }
        return seen
    }

    /// Nil when one of the streams does not answer in time, as on a disk that others keep busy.
    private static func streamBytes(_ shards: ShardMap, _ logs: any LogStore) async -> UInt64? {
        var sum: UInt64 = 0
        for shard in shards.all {
            guard let input = try? await logs.state(of: .input(shard)), let commits = try? await logs.state(of: .commits(shard))
            else { return nil }
            sum += input.bytes + commits.bytes
        }
        return sum
    }
}
