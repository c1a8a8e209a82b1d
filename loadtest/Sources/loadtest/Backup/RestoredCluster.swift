import ArgumentParser
import Foundation
import Model
import Ports
import Workload

/// An installation that comes out of a backup: one coordinator, one worker.
struct RestoredCluster: Sendable {
    let url: String
    let prefix: String
    let folder: String
    let fleet: WorkerFleet
    let patience: Duration

    private var environment: [String: String] { ["REPRISE_NATS": url] }

    func restore(_ backup: String) async throws { try await fleet.run(["restore", backup], environment: environment) }

    /// Starts the roles and returns when every shard is served.
    func serve() async throws {
        try fleet.start(
            "coordinator-restored", ["coordinator", "--data", folder + "/coordinator-restored"], environment: environment)
        try fleet.start("worker-restored", ["worker", "--name", "worker-restored"], environment: environment)
        let connection = try await ClusterConnection.open(options)
        defer { connection.close() }
        try await MovingCluster(messaging: connection.messaging, patience: patience).settled(owners: 1)
    }

    /// Sends again what came since the customers were known, to the workload's end; what the sums are then.
    func goOn(_ plan: MovingRun.Plan) async throws -> MechanicsReport {
        let connection = try await ClusterConnection.open(options)
        defer { connection.close() }
        let map = connection.installation.shards
        let publisher = try await InputPublisher(logs: connection.logs, shards: map.all)
        let sender = PacedSender(workload: plan.workload, map: map, publisher: publisher, watch: CommitWatch(), tempo: .init())
        try await sender.sendAll(plan.loadEvents..<plan.workload.events)
        let closing = try await sender.close()
        let deadline = ContinuousClock.now + patience
        for shard in map.all {
            while try await read(shard, connection.logs) < closing[shard] ?? 0 {
                guard ContinuousClock.now < deadline else { throw LoadError("restored shard \(shard) does not come to its end") }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        return try await MovingCluster(messaging: connection.messaging, patience: patience).figures()
    }

    private var options: ClusterOptions {
        get throws { try ClusterOptions.parse(["--nats", url, "--prefix", prefix]) }
    }

    /// How far the newest commit with steps has read; 0 = the newest has none.
    private func read(_ shard: ShardID, _ logs: any LogStore) async throws -> UInt64 {
        let last = try await logs.state(of: .commits(shard)).last
        guard last > 0, let record = try await logs.record(last, of: .commits(shard)) else { return 0 }
        return try Commit.decoded(record.payload).commit.steps.last?.inputSequence ?? 0
    }
}

extension MovingCluster {
    /// The sums, when they contain every commit. Left out: `repeats`, and `events`, which counts again what is sent again
    /// when its message id is not known any more.
    func figures() async throws -> MechanicsReport {
        let deadline = ContinuousClock.now + patience
        while true {
            let answer = try await messaging.request("coordinator.mechanics", [], timeout: .seconds(5))
            var report = try JSONDecoder().decode(MechanicsReport.self, from: Data(answer))
            if report.lagCommits == 0 {
                (report.repeats, report.events) = (0, 0)
                return report
            }
            guard ContinuousClock.now < deadline else { throw LoadError("the sums lack \(report.lagCommits) commits") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
