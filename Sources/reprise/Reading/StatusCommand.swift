import ArgumentParser
import Foundation
import Model
import Ports

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show workers and shards: who owns what, how far each is.",
        discussion: """
            PAUSE is the longest pause of its shards when it took them, STANDBY how many it follows for others, LAG how many \
            input messages its shards have not applied yet, OPEN how many actions still want an outcome, ASIDE how many events \
            were set aside and not replayed. Exit code 2 when a shard is not served (with --wait: not within that time).
            """)

    @OptionGroup var installation: InstallationOptions
    @Option(
        help: ArgumentHelp(
            "Wait up to so long until every shard is served and the gateway, where known, is ready.", valueName: "seconds"))
    var wait: Int?
    @Option(help: ArgumentHelp("With --wait: also until so many workers live.", valueName: "number"))
    var workers: Int = 1
    @Flag(help: "Show every shard: its owner, how far it is, its newest snapshot, how large its log is.")
    var shards = false
    @Flag(help: "Print nothing; the exit code says it.")
    var quiet = false
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard wait ?? 0 >= 0 else { throw ValidationError("--wait: 0 seconds or more") }
        guard workers >= 1 else { throw ValidationError("--workers: 1 or more") }
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-status", waiting: .seconds(wait ?? 0))
        let deadline = ContinuousClock.now + .seconds(wait ?? 0)
        while true {
            let status = await ask(cluster.coordinator)
            let ready = (try? status.get()).map { isServed($0) } ?? false
            let gatewayReady = ready ? await isGatewayReady() : false
            if (ready && gatewayReady) || ContinuousClock.now >= deadline {
                try show(try status.get(), await held(cluster))
                guard ready, gatewayReady else { throw ExitCode(2) }
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// A sentence when delivery is held; nil = it is not, or cannot be asked, which the rest of the status says.
    private func held(_ cluster: Cluster) async -> String? {
        guard !quiet, let record = try? await cluster.deliveryRecord(), record.isHeld else { return nil }
        return record.sentence
    }

    private func isStandby(_ worker: WorkerID, _ shard: Int, _ placement: PlacementRecord) -> Bool {
        guard shard < placement.standbys.count else { return false }
        return placement.standbys[shard].contains { placement.alive[$0] == worker }
    }

    private func ask(_ coordinator: CoordinatorClient) async -> Result<ClusterStatus, any Error> {
        do { return .success(try await coordinator.status()) } catch { return .failure(error) }
    }

    private func isServed(_ status: ClusterStatus) -> Bool {
        let alive = status.workers.filter(\.alive)
        let served = Set(alive.flatMap(\.shards).filter { $0.phase == .serving }.map(\.shard))
        return alive.count >= workers && served.count == status.shards
    }

    /// True when no gateway is known: then none is waited for.
    private func isGatewayReady() async -> Bool {
        guard wait != nil, let url = Environment.value("REPRISE_GATEWAY") else { return true }
        return await GatewayConnection(url: url, key: "").isReady()
    }

    private func shardTable(_ status: ClusterStatus) -> String {
        var table = TextTable([
            ("SHARD", .right), ("WORKER", .left), ("PHASE", .left), ("COMMIT", .right), ("SNAPSHOT", .right), ("TAKEN", .left),
            ("LOG", .right),
        ])
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let owned = status.workers.flatMap { worker in worker.shards.map { (worker.id, $0) } }
        for (worker, shard) in owned.sorted(by: { $0.1.shard < $1.1.shard }) {
            let age = shard.snapshotMilliseconds.map { Figures.count(max(now - $0, 0) / 1000) + " s ago" }
            table.row([
                String(shard.shard), worker.description, shard.phase.rawValue, Figures.count(shard.commit),
                shard.snapshotCommit.map { Figures.count($0) } ?? "-", age ?? "-",
                shard.logBytes.map { Figures.bytes($0) } ?? "-",
            ])
        }
        return table.text
    }

    private func show(_ status: ClusterStatus, _ held: String?) throws {
        if quiet { return }
        if json { return try Output.json(status) }
        print("coordinator \(status.coordinator), epoch \(status.epoch); \(status.shards) shards, \(status.timeMode) mode")
        print("")
        var table = TextTable([
            ("WORKER", .left), ("STATE", .left), ("BRAIN", .right), ("HEARD", .right), ("SHARDS", .right), ("SERVING", .right),
            ("STANDBY", .right), ("PAUSE", .right), ("CUSTOMERS", .right), ("OPEN", .right), ("LAG", .right), ("ASIDE", .right),
            ("MEMORY", .right),
        ])
        for worker in status.workers {
            let served = worker.shards.filter { $0.phase == .serving }
            let standby = worker.shards.filter { isStandby(worker.id, $0.shard, status.placement) }
            let pause = served.compactMap(\.pauseMilliseconds).max()
            let lag = served.reduce(UInt64(0)) {
                $0 + ($1.inputLast > $1.inputApplied ? $1.inputLast - $1.inputApplied : 0)
            }
            table.row([
                worker.id.description, worker.alive ? worker.draining ? "draining" : "alive" : "gone",
                worker.brain.map(String.init) ?? "", "\(worker.lastHeardMillisecondsAgo) ms ago",
                String(worker.shards.count - standby.count), String(served.count), String(standby.count),
                pause.map { "\($0) ms" } ?? "-", Figures.count(served.reduce(0) { $0 + $1.customers }),
                Figures.count(served.reduce(0) { $0 + $1.openActions }), Figures.count(lag),
                Figures.count(served.reduce(UInt64(0)) { $0 + $1.setAside - $1.replayed }),
                Figures.bytes(worker.residentBytes),
            ])
        }
        print(table.text)
        print("")
        if shards {
            print(shardTable(status))
            print("")
        }
        for worker in status.workers {
            for shard in worker.shards where shard.problem != nil {
                print("shard \(shard.shard) on \(worker.id): \(shard.problem ?? "")")
            }
        }
        let served = status.workers.flatMap(\.shards).filter { $0.phase == .serving }
        let aside = served.filter { $0.setAside > 0 }.sorted { $0.shard < $1.shard }
        if !aside.isEmpty {
            let counts = aside.map { "\($0.shard): \($0.setAside) (\($0.replayed) replayed)" }.joined(separator: ", ")
            print("set aside by shard: \(counts); see `reprise dead list`")
        }
        for fault in status.faults { print(fault) }
        for problem in status.sumsProblems { print("the sums do not go on: \(problem)") }
        let unowned = status.placement.owners.count { $0 == nil }
        if unowned > 0 { print("\(unowned) shards have no owner") }
        let lag = status.sumsLagCommits
        if let held { print(held + "; see `reprise delivery`") }
        print("sums per mechanic: " + (lag == 0 ? "complete" : "\(Figures.count(lag)) commits behind"))
    }
}
