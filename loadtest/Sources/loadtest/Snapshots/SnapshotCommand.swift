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
        let outcome = try await run.run { scene in
            let watch = SnapshotWatch()
            return try await withThrowingTaskGroup(of: Found?.self) { group in
                group.addTask {
                    try await watch.follow(shards.all, snapshots)
                    return nil
                }
                group.addTask { try await Self.measure(scene, watch, part) }
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
    }

    private static func measure(_ scene: MovingRun.Scene, _ watch: SnapshotWatch, _ part: Duration) async throws -> Found {
        _ = scene.watch.takeBatches()
        var progress = Progress()
        progress.say("spread evenly")
        try await Task.sleep(for: part)
        let even = scene.watch.takeBatches()
        progress.say("\(watch.windows.count) snapshots; now the load of each second at once")
        scene.tempo.set(tickMilliseconds: burstMilliseconds)
        try await Task.sleep(for: part)
        let bursts = Burst.found(in: scene.watch.takeBatches())
        progress.say("\(watch.windows.count) snapshots")
        return Found(even: even, bursts: bursts, windows: watch.windows)
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
