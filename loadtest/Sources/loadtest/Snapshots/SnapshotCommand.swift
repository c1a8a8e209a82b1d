import ArgumentParser
import Foundation
import Model
import Ports
import Workload

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Measure by how much a worker with many customers is slower while it writes snapshots.",
        discussion: """
            A steady load, first spread evenly: what batches wait until their commits while a snapshot is under way, and while \
            none is. Then the load of each second at once: how many events a second are committed of it. Exit code 1 when the \
            answers of the workload are wrong, or no snapshot was seen.
            """)

    private static let slackSeconds: UInt64 = 20
    private static let burstMilliseconds = 1000

    @OptionGroup var options: MovingOptions
    @Option(help: "Of each part.") var part: Int = 60

    func validate() throws {
        guard (5...3600).contains(part) else { throw ValidationError("--part: 5 to 3600 seconds") }
    }

    func run() async throws {
        let run = try await options.run(seconds: UInt64(2 * part) + Self.slackSeconds)
        let part = Duration.seconds(part)
        let (shards, snapshots) = (run.connection.installation.shards, run.connection.snapshots)
        let workers = try ClusterProcess.all(in: options.pids).filter { $0.name.hasPrefix("worker") }
        let outcome = try await run.run { scene in
            let (watch, processors) = (SnapshotWatch(), ProcessorWatch())
            return try await withThrowingTaskGroup(of: Found?.self) { group in
                group.addTask {
                    try await watch.follow(shards.all, snapshots)
                    return nil
                }
                group.addTask {
                    try await processors.follow(workers)
                    return nil
                }
                group.addTask { try await Self.measure(scene, watch, processors, part) }
                defer { group.cancelAll() }
                while let found = try await group.next() {
                    if let found { return found }
                }
                throw LoadError("the snapshots were not followed to the end")
            }
        }
        run.connection.close()
        let report = SnapshotReport(outcome.found, run.plan, shards: shards.shards, problems: outcome.problems)
        print(options.json ? try report.jsonText() : report.text)
        guard report.problems.isEmpty else { throw LoadError(report.problems.joined(separator: "; ")) }
    }

    struct Found: Sendable {
        /// Batches of the even part, and the bursts of the other.
        var even: [CommitWatch.Batch]
        var bursts: [Burst]
        var windows: [SnapshotWatch.Window]
        /// Percent of a core that the workers used in the even part, with a snapshot under way and with none.
        var processor: (with: Double?, without: Double?)

        /// Whether a snapshot was under way at any time between the two.
        func touches(_ began: ContinuousClock.Instant, _ ended: ContinuousClock.Instant) -> Bool {
            windows.contains { $0.began <= ended && began <= $0.ended }
        }
    }

    private static func measure(
        _ scene: MovingRun.Scene, _ watch: SnapshotWatch, _ processors: ProcessorWatch, _ part: Duration
    ) async throws -> Found {
        let began = ContinuousClock.now
        _ = scene.watch.takeBatches()
        var progress = Progress()
        progress.say("spread evenly")
        try await Task.sleep(for: part)
        let even = scene.watch.takeBatches()
        let ended = ContinuousClock.now
        progress.say("\(watch.windows.count) snapshots; now the load of each second at once")
        scene.tempo.set(tickMilliseconds: burstMilliseconds)
        try await Task.sleep(for: part)
        let bursts = Burst.found(in: scene.watch.takeBatches())
        progress.say("\(watch.windows.count) snapshots")
        var found = Found(even: even, bursts: bursts, windows: watch.windows, processor: (nil, nil))
        let isEven = { (from: ContinuousClock.Instant, to: ContinuousClock.Instant) in from >= began && to <= ended }
        found.processor.with = processors.percent { isEven($0, $1) && found.touches($0, $1) }
        found.processor.without = processors.percent { isEven($0, $1) && !found.touches($0, $1) }
        return found
    }
}

/// Batches that were sent at once.
struct Burst: Equatable, Sendable {
    /// Batches whose sending lies further apart belong to two bursts.
    private static let gap = Duration.milliseconds(300)

    var events: Int
    var began: ContinuousClock.Instant
    /// When the last of them was committed.
    var ended: ContinuousClock.Instant

    var eventsPerSecond: Double { Double(events) / max(began.duration(to: ended) / .seconds(1), 0.001) }

    static func found(in batches: [CommitWatch.Batch]) -> [Burst] {
        var bursts: [Burst] = []
        var lastSent: ContinuousClock.Instant?
        for batch in batches.sorted(by: { $0.sent < $1.sent }) {
            if let lastSent, lastSent.duration(to: batch.sent) < gap, var burst = bursts.popLast() {
                burst.events += batch.events
                burst.ended = max(burst.ended, batch.committed)
                bursts.append(burst)
            } else {
                bursts.append(Burst(events: batch.events, began: batch.sent, ended: batch.committed))
            }
            lastSent = batch.sent
        }
        return bursts
    }
}
