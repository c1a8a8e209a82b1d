import Engine
import Foundation
import Model
import TestSupport
import Testing

/// Two builds, of which one's brain has the next version and decides otherwise: its actions have a deadline a minute later.
/// `build_next_brain` of cluster/lib makes it; without it there is nothing to try.
@Suite(.serialized, .enabled(if: NextBrain.binary != nil, "no second build: ./cluster/test upgrade makes it"))
struct UpgradeClusterTests {
    /// Of the brain of this build, and of the other one's.
    private let own = brainVersion
    private let next = brainVersion + 1
    private let customers = 30
    private let days = 40

    private func status(_ cluster: TestCluster) async throws -> ClusterStatus {
        try JSONDecoder().decode(ClusterStatus.self, from: Data(try await cluster.attempt(["status", "--json"]).output.utf8))
    }

    /// Whether workers with this brain serve so many shards.
    private func serves(_ brain: UInt32, atLeast shards: Int, _ cluster: TestCluster) async throws -> Bool {
        let workers = try await status(cluster).workers.filter { $0.alive && $0.brain == brain }
        return workers.reduce(0) { $0 + $1.shards.count { $0.phase == .serving } } >= shards
    }

    private func within(
        _ workers: Int, restoring backup: String? = nil, binaries: [String: String] = [:],
        _ body: (TestCluster) async throws -> Void
    ) async throws {
        let cluster = try await TestCluster.start(workers: workers, shards: 8, restoring: backup, binaries: binaries)
        do {
            if backup == nil {
                try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", SampleShop.rules)])
            }
            try await body(cluster)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }

    /// Sends the orders of these days and returns the report behind them.
    @discardableResult private func replay(_ cluster: TestCluster, days: Range<Int>) async throws -> MechanicsReport {
        let before = SampleShop.orders(customers: customers, days: days.lowerBound)
        let through = SampleShop.orders(customers: customers, days: days.upperBound)
        // For no days there is the heading alone.
        let heading = SampleShop.orders(customers: customers, days: 0)
        let part = heading + through.dropFirst(before.count)
        let orders = try cluster.folder.write("orders-\(days.lowerBound).csv", part)
        return try JSONDecoder().decode(
            MechanicsReport.self, from: Data(try await cluster.run(["replay", orders, "--json"]).utf8))
    }

    /// Each commit decides as its own brain does, none follows another brain's but from where that may be, nothing is
    /// decided twice, and the figures are those of the commits.
    private func check(_ cluster: TestCluster, _ report: MechanicsReport, trusted: Bool = false, mails: Bool = true) async throws
    {
        let contents = try await LogContents.read(cluster)
        var opened: [ActionID: UInt32] = [:]
        for commits in contents.commits {
            for (index, commit) in commits.enumerated() {
                if index > 0, commits[index - 1].brain != commit.brain {
                    #expect(commits[index - 1].kind == .releasePoint || trusted && commit.kind == .trusted)
                }
                for step in commit.steps {
                    for case .actionOpened(let action) in try step.decodedEffects() {
                        #expect(opened.updateValue(commit.brain, forKey: action.action) == nil, "decided twice")
                        let later = commit.brain == next ? Milliseconds.minute : 0
                        #expect(action.deadline == action.decided + 3 * Milliseconds.day + later)
                    }
                }
            }
        }
        #expect(Set(opened.values) == [own, next], "both brains have decided something")
        #expect(report.figures == (try contents.figures()))
        let orders = SampleShop.orders(customers: customers, days: days).split(separator: "\n").count - 1
        #expect(report.orders == Int64(orders))
        #expect(try contents.sum(.orders) == report.orders && contents.sum(.revenue) == report.revenue)
        #expect(try contents.sum(.timersArmed) == report.rows.reduce(0) { $0 + $1.timersArmed })
        if mails { #expect(try cluster.mails().count == Int(report.rows.reduce(0) { $0 + $1.sent })) }
    }

    @Test(.timeLimit(.minutes(6)))
    func `a rolling restart with another brain, one worker killed in it: nothing lost or twice (I1 I4 I5 I11)`() async throws {
        let nextBuild = try #require(NextBrain.binary)
        try await within(2) { cluster in
            // So that each brain decides, however fast the machine is: a part before, one meanwhile, one behind.
            try await replay(cluster, days: 0..<days / 3)
            async let meanwhile = replay(cluster, days: days / 3..<days * 2 / 3)
            try cluster.startWorker("worker-3", binary: nextBuild)
            try await eventually("some shards move to the next brain", within: .seconds(60)) {
                try await serves(next, atLeast: 2, cluster)
            }
            try await cluster.stopCleanly(["worker-1"])
            try cluster.startWorker("worker-1", binary: nextBuild)
            try await eventually("the restarted worker has its share", within: .seconds(60)) {
                try await serves(next, atLeast: 4, cluster)
            }
            // Its shards are the next brain's now: another worker of that brain takes them over.
            try await cluster.kill("worker-1")
            try await eventually("all shards are served again", within: .seconds(60)) {
                let workers = try await status(cluster).workers.filter(\.alive)
                return workers.count == 2 && workers.flatMap(\.shards).count { $0.phase == .serving } == 8
            }
            try await cluster.stopCleanly(["worker-2"])
            try cluster.startWorker("worker-2", binary: nextBuild)
            _ = try await meanwhile
            try await eventually("everything runs the next brain", within: .seconds(60)) {
                try await serves(next, atLeast: 8, cluster)
            }
            let report = try await replay(cluster, days: days * 2 / 3..<days)
            #expect(try await status(cluster).faults.isEmpty)
            try await check(cluster, report)
        }
    }

    private struct Manifest: Decodable {
        struct Position: Decodable { var brain: UInt32 }

        var positions: [Position]
    }

    @Test(.timeLimit(.minutes(6)))
    func `a backup made while shards change to another brain goes on with both, and then with the next (F8 I4 I11)`() async throws
    {
        let nextBuild = try #require(NextBrain.binary)
        let folder = try ScratchFolder()
        let backup = folder.path("backup")
        try await within(2) { cluster in
            try await replay(cluster, days: 0..<days / 3)
            async let meanwhile = replay(cluster, days: days / 3..<days)
            try cluster.startWorker("worker-3", binary: nextBuild)
            try await eventually("some shards move to the next brain", within: .seconds(60)) {
                try await serves(next, atLeast: 1, cluster)
            }
            try await cluster.run(["backup", backup])
            _ = try await meanwhile
        }
        let manifest = try Data(contentsOf: URL(fileURLWithPath: backup + "/manifest.json"))
        let positions = try JSONDecoder().decode(Manifest.self, from: manifest).positions
        #expect(Set(positions.map(\.brain)) == [own, next], "at the cut some had changed and some had not")
        try await within(2, restoring: backup, binaries: ["worker-2": nextBuild]) { cluster in
            try await cluster.run(["delivery", "release", "--send-all"])
            try await replay(cluster, days: 0..<days * 2 / 3)
            try await cluster.stopCleanly(["worker-1"])
            try await eventually("everything runs the next brain", within: .seconds(60)) {
                try await serves(next, atLeast: 8, cluster)
            }
            let report = try await replay(cluster, days: days * 2 / 3..<days)
            #expect(try await status(cluster).faults.isEmpty)
            // Mails of the first life are not in this one's mailbox.
            try await check(cluster, report, mails: false)
        }
    }

    @Test(.timeLimit(.minutes(6)))
    func `after a crash another brain waits, until the old one comes back or the log is trusted (I4 I5 I10 I11)`() async throws {
        let nextBuild = try #require(NextBrain.binary)
        try await within(1) { cluster in
            try await replay(cluster, days: 0..<days / 2)
            try await cluster.kill("worker-1")
            try cluster.startWorker("worker-2", binary: nextBuild)
            try await eventually("all shards wait", within: .seconds(60)) {
                try await status(cluster).faults.count { $0.contains("waits for a worker with brain \(own)") } == 8
            }
            let shown = try await cluster.attempt(["status"])
            #expect(shown.status == 2 && shown.output.contains("reprise recover --trust-log 0"), "\(shown.output)\(shown.errors)")
            let asked = try await cluster.attempt(["recover", "--trust-log", "0", "3"])
            #expect(asked.status == 1 && asked.errors.contains("nothing was done"), "not without a word")
            let told = try await cluster.run(["recover", "--trust-log", "--yes", "0", "3"])
            #expect(told.contains("shard 3: its log is trusted up to commit"))
            try await eventually("the trusted shards are served", within: .seconds(60)) {
                try await serves(next, atLeast: 2, cluster)
            }
            #expect(try await status(cluster).faults.count == 6, "and no others")
            let again = try await cluster.attempt(["recover", "--trust-log", "--yes", "0"])
            #expect(again.status == 1 && again.errors.contains("does not wait"), "\(again.errors)")

            // The old brain comes back: the others go on as after any crash, and then move as planned.
            try cluster.startWorker("worker-1")
            try await eventually("all shards are served", within: .seconds(60)) {
                try await status(cluster).workers.filter(\.alive).flatMap(\.shards).count { $0.phase == .serving } == 8
            }
            let report = try await replay(cluster, days: days / 2..<days)
            try await check(cluster, report, trusted: true)
            let contents = try await LogContents.read(cluster)
            #expect(contents.commits[3].count { $0.kind == .trusted } == 1 && contents.commits[3].contains { $0.brain == next })
            #expect(contents.commits.filter { $0.contains { $0.kind == .trusted } }.count == 2)
        }
    }
}

/// Where the second build is; nil = there is none.
private enum NextBrain {
    static let binary: String? = {
        let path = (try? CommandRun.binary()).map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("next-brain/reprise").path
        }
        return path.flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
    }()
}
