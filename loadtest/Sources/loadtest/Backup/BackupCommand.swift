import ArgumentParser
import Foundation
import Model
import Workload

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back a cluster up under load, restore it onto another server, and compare what both come to.",
        discussion: "Exit code 1 when the answers of the workload are wrong in either.")

    @OptionGroup var options: MovingOptions
    @Option(help: ArgumentHelp("The other server, empty.", valueName: "url")) var target: String
    @Option(help: ArgumentHelp("Where the backup and the restored coordinator's data go.", valueName: "folder")) var folder:
        String

    func run() async throws {
        let run = try await options.run(seconds: 120)
        let backup = folder + "/backup"
        let outcome = try await run.run { scene in try await Self.backUp(scene, backup) }
        let restored = RestoredCluster(
            url: target, prefix: options.cluster.prefix, folder: folder, fleet: run.fleet, patience: run.patience)
        let verify = try await Self.seconds { try await run.fleet.run(["backup", "verify", backup]) }
        let restore = try await Self.seconds { try await restored.restore(backup) }
        let serving = try await Self.seconds { try await restored.serve() }
        let source = MovingCluster(messaging: run.connection.messaging, patience: run.patience)
        let expected = try await source.figures()
        let found = try await restored.goOn(run.plan)
        run.connection.close()
        var problems = outcome.problems
        if found != expected { problems.append("the restored installation says \(found), the first one \(expected)") }
        let bytes = try Self.bytes(backup)
        let report = BackupReport(
            customers: run.plan.workload.customers, events: run.plan.workload.events,
            shards: run.connection.installation.shards.shards, rate: run.plan.rate, loadSeconds: outcome.loadSeconds,
            bytes: bytes, backup: .init(outcome.found.seconds, bytes), verify: .init(verify, bytes),
            restore: .init(restore, bytes), servingSeconds: BackupReport.rounded(serving), before: outcome.found.before,
            during: outcome.found.during, correct: problems.isEmpty)
        print(options.json ? try report.jsonText() : report.text)
        guard problems.isEmpty else { throw LoadError(problems.joined(separator: "; ")) }
    }

    private struct Found: Sendable {
        var seconds: Double
        var before: Percentiles
        var during: Percentiles
    }

    private static func backUp(_ scene: MovingRun.Scene, _ backup: String) async throws -> Found {
        _ = scene.watch.takeLatencies()
        try await Task.sleep(for: .seconds(5))
        let before = Percentiles(scene.watch.takeLatencies())
        let seconds = try await seconds { try await scene.fleet.run(["backup", backup]) }
        return Found(seconds: seconds, before: before, during: Percentiles(scene.watch.takeLatencies()))
    }

    private static func seconds(_ body: () async throws -> Void) async throws -> Double {
        let began = ContinuousClock.now
        try await body()
        return began.duration(to: .now) / .seconds(1)
    }

    private static func bytes(_ folder: String) throws -> UInt64 {
        let files = FileManager.default
        return try files.subpathsOfDirectory(atPath: folder).reduce(0) { sum, path in
            let attributes = try files.attributesOfItem(atPath: folder + "/" + path)
            guard attributes[.type] as? FileAttributeType == .typeRegular else { return sum }
            return sum + (attributes[.size] as? UInt64 ?? 0)
        }
    }
}

/// What a run found out; its JSON is what the program prints.
struct BackupReport: Encodable {
    struct Pass: Encodable {
        var seconds: Double
        var megabytesPerSecond: Double

        init(_ seconds: Double, _ bytes: UInt64) {
            self.seconds = rounded(seconds)
            megabytesPerSecond = rounded(Double(bytes) / 1_000_000 / seconds)
        }

        enum CodingKeys: String, CodingKey {
            case seconds
            case megabytesPerSecond = "megabytes_per_second"
        }

        var text: String { "\(seconds) s, \(megabytesPerSecond) MB/s" }
    }

    static func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }

    var scenario = "backup"
    var customers: UInt64
    var events: UInt64
    var shards: Int
    var rate: UInt64
    var loadSeconds: Double
    /// Of all files.
    var bytes: UInt64
    var backup: Pass
    var verify: Pass
    var restore: Pass
    /// From the start of the restored coordinator and worker until every shard is served.
    var servingSeconds: Double
    /// Milliseconds of the batches committed in the five seconds before the backup, and during it.
    var before: Percentiles
    var during: Percentiles
    var correct: Bool
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, customers, events, shards, rate, bytes, backup, verify, restore, correct, context
        case loadSeconds = "load_seconds"
        case servingSeconds = "serving_seconds"
        case before = "latency_before_milliseconds"
        case during = "latency_during_milliseconds"
    }

    var text: String {
        """
        \(customers) customers, \(rate) events/s, loaded in \(Int(loadSeconds)) s; \(bytes / 1_000_000) MB
        backup:  \(backup.text); batches before \(before.text); meanwhile \(during.text)
        verify:  \(verify.text)
        restore: \(restore.text); served \(servingSeconds) s after the start
        answers: \(correct ? "right" : "WRONG")
        """
    }
}
