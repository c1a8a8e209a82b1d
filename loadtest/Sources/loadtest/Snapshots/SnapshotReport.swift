import Foundation
import Workload

/// What a run found out; its JSON is what the program prints.
struct SnapshotReport: Encodable {
    /// With a snapshot under way, or with none.
    struct Measured: Encodable, Equatable {
        /// Milliseconds from a batch's sending to its commit, load spread evenly.
        var latency: Percentiles
        var bursts: Int
        /// Median over the bursts.
        var eventsPerSecond: Double
        /// Percent of a core that the workers used, load spread evenly; nil = not known.
        var processorPercent: Double?

        enum CodingKeys: String, CodingKey {
            case bursts
            case latency = "latency_milliseconds"
            case eventsPerSecond = "events_per_second"
            case processorPercent = "processor_percent"
        }
    }

    /// Of what may be lost of the throughput.
    static let percentMax = 20.0

    var scenario = "snapshot"
    var customers: UInt64
    var events: UInt64
    var rate: UInt64
    var shards: Int
    var snapshots: Int
    var wholeSnapshots: Int
    var snapshotBytesMax: Int
    var snapshotSecondsMax: Double
    var with: Measured
    var without: Measured
    /// By how much the bursts went slower; nil when there were none of one kind.
    var slowdownPercent: Double?
    var slowdownPercentMax = Self.percentMax
    var correct: Bool
    var problems: [String]
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, events, rate, shards, snapshots, with, without, correct, problems, context
        case wholeSnapshots = "whole_snapshots"
        case snapshotBytesMax = "snapshot_bytes_max"
        case snapshotSecondsMax = "snapshot_seconds_max"
        case slowdownPercent = "slowdown_percent"
        case slowdownPercentMax = "slowdown_percent_max"
    }

    init(_ found: SnapshotCommand.Found, _ plan: MovingRun.Plan, shards: Int, problems: [String]) {
        customers = plan.workload.customers
        events = plan.workload.events
        rate = plan.rate
        self.shards = shards
        snapshots = found.windows.count
        wholeSnapshots = found.windows.count { $0.isWhole }
        snapshotBytesMax = found.windows.map(\.bytes).max() ?? 0
        snapshotSecondsMax = ((found.windows.map(\.seconds).max() ?? 0) * 100).rounded() / 100
        func measured(_ batches: [CommitWatch.Batch], _ bursts: [Burst], _ processor: Double?) -> Measured {
            let speeds = bursts.map(\.eventsPerSecond).sorted()
            return Measured(
                latency: Percentiles(batches.map(\.milliseconds)), bursts: bursts.count,
                eventsPerSecond: speeds.isEmpty ? 0 : speeds[speeds.count / 2].rounded(),
                processorPercent: processor)
        }
        with = measured(
            found.even.filter { found.touches($0.sent, $0.committed) },
            found.bursts.filter { found.touches($0.began, $0.ended) }, found.processor.with)
        without = measured(
            found.even.filter { !found.touches($0.sent, $0.committed) },
            found.bursts.filter { !found.touches($0.began, $0.ended) }, found.processor.without)
        if with.bursts > 0 && without.bursts > 0 {
            slowdownPercent = ((1 - with.eventsPerSecond / without.eventsPerSecond) * 1000).rounded() / 10
        }
        correct = problems.isEmpty
        self.problems = problems
        if found.windows.isEmpty { self.problems.append("no snapshot was written: give it a longer --part") }
    }

    var text: String {
        """
        \(customers) customers on \(shards) shards, \(rate) events/s; \(snapshots) snapshots, \(wholeSnapshots) of them whole, \
        the largest \(snapshotBytesMax / 1_000_000) MB, the longest \(snapshotSecondsMax) s
        batches until their commits: \(with.latency.text) with a snapshot under way, \(without.latency.text) with none
        bursts: \(Int(with.eventsPerSecond)) events/s (\(with.bursts)) and \(Int(without.eventsPerSecond)) (\(without.bursts)): \
        slower by \(slowdownPercent.map { "\($0) %" } ?? "an unknown share"), at most \(Int(slowdownPercentMax)) % are wanted
        the workers used \(with.processorPercent ?? 0) % of a core with a snapshot under way, \
        \(without.processorPercent ?? 0) % with none
        answers: \(correct ? "right" : "WRONG")
        """
    }
}
