import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import TestSupport
import Testing

/// A whole installation into a folder and out of it again, with real processes and servers.
@Suite(.serialized) struct BackupClusterTests {
    private static let customers = 50
    private static let days = 50

    /// The logs as they were put back, before anybody served them.
    private struct AtCut {
        /// Actions for which somebody had the permit, unless it was given back, and those that have their outcome.
        var permitted: Set<ActionID> = []
        var closed: Set<ActionID> = []
        var underWay: Set<ActionID> { permitted.subtracting(closed) }
    }

    private func report(_ text: String) throws -> MechanicsReport {
        try JSONDecoder().decode(MechanicsReport.self, from: Data(text.utf8))
    }

    private func prepared(_ cluster: TestCluster) async throws -> String {
        try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", SampleShop.rules)])
        return try cluster.folder.write("orders.csv", SampleShop.orders(customers: Self.customers, days: Self.days))
    }

    /// The actions whose mails a mailbox has, by their Message-ID.
    private func actions(_ mails: [String]) -> [String] {
        mails.compactMap { mail in
            let line = mail.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("message-id:") }
            return line.flatMap { $0.split(separator: "<").last?.split(separator: "@").first.map(String.init) }
        }
    }

    private func commits(_ cluster: TestCluster) async throws -> UInt64 {
        let connection = try await cluster.nats.connect()
        defer { connection.close() }
        let installation = try await JetStreamInstallation.open(connection: connection, log: testLog)
        var sum: UInt64 = 0
        for shard in installation.settings.shards.all { sum += try await installation.logs.state(of: .commits(shard)).last }
        return sum
    }

    /// The first record that is left of shard 0's input.
    private func firstInput(_ cluster: TestCluster) async throws -> UInt64 {
        let connection = try await cluster.nats.connect()
        defer { connection.close() }
        return try await JetStream(connection, log: testLog).streamState("reprise_IN_0").first
    }

    private func atCut(_ logs: LogContents) throws -> AtCut {
        var cut = AtCut()
        for effect in try logs.effects() {
            switch effect {
            case .permitGranted(let grant): cut.permitted.insert(grant.action)
            case .actionClosed(let closing): cut.closed.insert(closing.action)
            default: break
            }
        }
        return cut
    }

    /// Backs a cluster up while days pass in it and a worker is killed; returns what it came to and its mails. With
    /// `newRules` the first twenty days pass under the rules before.
    private func firstLife(
        _ backup: String, more: [String: String], newRules: String? = nil
    ) async throws -> (MechanicsReport, mails: [String]) {
        let cluster = try await TestCluster.start(workers: 2, shards: 4, more: more)
        do {
            let orders = try await prepared(cluster)
            if let newRules {
                let part = SampleShop.orders(customers: Self.customers, days: 20)
                try await cluster.run(["replay", try cluster.folder.write("part.csv", part), "--json"])
                try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("new.yaml", newRules)])
            }
            let before = try await commits(cluster)
            let victim = String(try cluster.processID("worker-1"))
            // Not to be cancelled when something fails meanwhile: the command ends with its cluster.
            let replay = Task { try await cluster.run(["replay", orders, "--json", "--kill-process", victim]) }
            try await eventually("the load is under way", within: .seconds(120)) {
                try await self.commits(cluster) > before + 40
            }
            if !more.isEmpty {
                try await eventually("an input was trimmed", within: .seconds(40)) { try await self.firstInput(cluster) > 1 }
            }
            try await cluster.run(["backup", backup])
            let whole = try report(await replay.value)
            let refused = try await cluster.attempt(["backup", backup])
            #expect(refused.status == 1 && refused.errors.contains("not empty"))
            let mails = try cluster.mails()
            try await cluster.stop()
            return (whole, mails)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
    }

    /// Runs against a cluster that comes out of the backup; ends it whatever happens.
    private func secondLife(
        _ backup: String, workers: Int, more: [String: String] = [:], _ body: (TestCluster) async throws -> Void
    ) async throws {
        let cluster = try await TestCluster.start(workers: workers, shards: 4, restoring: backup, more: more)
        do {
            try await body(cluster)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }

    @Test(.timeLimit(.minutes(10)))
    func `F8 I10 I11 a backup of a running cluster goes on with other workers, and comes to the same figures`() async throws {
        let folder = try ScratchFolder()
        let backup = folder.path("backup")
        let (expected, firstMails) = try await firstLife(backup, more: [:])
        #expect(try await CommandRun.reprise(["backup", "verify", backup]).status == 0)
        try await secondLife(backup, workers: 3) { cluster in
            let cut = try atCut(try await LogContents.read(cluster))
            #expect(try await cluster.run(["status"]).contains("HELD"))
            let refused = try await cluster.attempt(["delivery", "release"])
            #expect(refused.status == 1 && refused.errors.contains("--uncertain-due-before"))
            #expect(try cluster.mails().isEmpty)
            let again = try await cluster.attempt(["restore", backup])
            #expect(again.status == 1 && again.errors.contains("There is an installation"))

            let report = try await replayAgain(cluster)
            #expect(report.orders == expected.orders && report.customers == expected.customers)
            #expect(report.revenue == expected.revenue)
            #expect(report.rows.map(\.executions) == expected.rows.map(\.executions))
            let lost = expected.rows.reduce(0) { $0 + $1.sent } - report.rows.reduce(0) { $0 + $1.sent }
            #expect(lost >= 0 && lost <= cut.underWay.count, "\(lost) not sent, \(cut.underWay.count) were under way")
            if lost == 0 { #expect(report.rows == expected.rows) }

            let logs = try await LogContents.read(cluster)
            #expect(report.figures == (try logs.figures()))
            let (first, second) = (actions(firstMails), actions(try cluster.mails()))
            #expect(first.count == firstMails.count && Set(first).count == first.count)
            #expect(!second.isEmpty && Set(second).count == second.count)
            let decided = Set(cut.permitted.map(\.description))
            #expect(decided.isDisjoint(with: second), "what had its permit before the cut was sent again")
            #expect(Set(first).union(second).count >= Int(expected.rows.reduce(0) { $0 + $1.sent }))
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `F8 I10 a backup of trimmed logs stands on its snapshots`() async throws {
        let folder = try ScratchFolder()
        let backup = folder.path("backup")
        let often = ["REPRISE_SNAPSHOT_EVERY": "5"]
        let (expected, _) = try await firstLife(backup, more: often)
        try await secondLife(backup, workers: 1, more: often) { cluster in
            #expect(try await firstInput(cluster) > 1)
            let report = try await replayAgain(cluster)
            #expect(report.orders == expected.orders && report.customers == expected.customers)
            #expect(report.revenue == expected.revenue)
            #expect(report.rows.map(\.executions) == expected.rows.map(\.executions))
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `F8 I4 a backup whose logs span a change of the rules goes on under the new ones`() async throws {
        let folder = try ScratchFolder()
        let backup = folder.path("backup")
        let rules = SampleShop.rules.replacing("after: 9d", with: "after: 7d")
        let (expected, _) = try await firstLife(backup, more: [:], newRules: rules)
        try await secondLife(backup, workers: 3) { cluster in
            for commits in try await LogContents.read(cluster).commits {
                #expect(Set(commits.flatMap { $0.steps.map(\.configuration) }).count == 2, "one change in each shard's part")
            }
            let report = try await replayAgain(cluster)
            #expect(report.orders == expected.orders && report.customers == expected.customers)
            #expect(report.revenue == expected.revenue)
            #expect(report.rows.map(\.executions) == expected.rows.map(\.executions))
            #expect(report.figures == (try await LogContents.read(cluster).figures()))
        }
    }

    /// The same days once more: what is known is recognised, the rest goes on.
    private func replayAgain(_ cluster: TestCluster) async throws -> MechanicsReport {
        #expect(try await cluster.run(["delivery", "release", "--send-all"]).contains("released"))
        let orders = try cluster.folder.write(
            "orders.csv", SampleShop.orders(customers: Self.customers, days: Self.days))
        return try report(await cluster.run(["replay", orders, "--json"]))
    }

    private struct DeliveryAnswer: Decodable {
        struct Permit: Decodable { var action: String }

        struct Open: Decodable {
            var waiting: Int
            var permitted: [Permit]
        }

        var delivery: DeliveryRecord
        var open: Open
    }

    @Test(.timeLimit(.minutes(10)))
    func `F8 I11 what another installation may have sent is listed as uncertain, the rest is sent`() async throws {
        let folder = try ScratchFolder()
        let backup = folder.path("backup")
        let cluster = try await TestCluster.start(workers: 1, shards: 4)
        do {
            let orders = try await prepared(cluster)
            try await cluster.run(["delivery", "hold", "--reason", "a test"])
            try await cluster.run(["import", orders])
            for day in ["2024-01-08", "2024-01-12"] { try await cluster.run(["clock", "advance", "--to", day]) }
            try await eventually("actions wait") { try await self.waiting(cluster).open.waiting > 20 }
            #expect(try cluster.mails().isEmpty)
            try await cluster.run(["backup", backup])
            try await resumes(backup, cluster)
            try await cluster.stop()
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await secondLife(backup, workers: 2) { cluster in
            let held = try await waiting(cluster)
            #expect(held.delivery.isHeld && held.delivery.isRestored && held.open.waiting > 20)
            let bound = try middle(of: try await LogContents.read(cluster))
            let text = Date(timeIntervalSince1970: Double(bound.milliseconds) / 1000).formatted(.iso8601)
            try await cluster.run(["delivery", "release", "--uncertain-due-before", text])
            try await eventually("nothing is open any more", within: .seconds(60)) {
                let open = try await self.waiting(cluster).open
                return open.waiting == 0 && open.permitted.isEmpty
            }
            var (late, early, uncertain, sent) = (Set<ActionID>(), Set<ActionID>(), Set<ActionID>(), Set<ActionID>())
            for effect in try await LogContents.read(cluster).effects() {
                switch effect {
                case .actionOpened(let opened) where opened.due < bound: early.insert(opened.action)
                case .actionOpened(let opened): late.insert(opened.action)
                case .actionClosed(let closed) where closed.outcome == .uncertain: uncertain.insert(closed.action)
                case .actionClosed(let closed) where closed.outcome == .sent: sent.insert(closed.action)
                default: break
                }
            }
            // Some of either are withdrawn, as their deadlines have passed or the customer bought.
            #expect(!uncertain.isEmpty && uncertain.isSubset(of: early))
            #expect(!sent.isEmpty && sent.isSubset(of: late))
            #expect(Set(actions(try cluster.mails())) == Set(sent.map(\.description)))
        }
    }

    /// An instant before which half of the open actions were due. Of either half some are not wanted any more.
    private func middle(of logs: LogContents) throws -> Instant {
        var open: [ActionID: Instant] = [:]
        for effect in try logs.effects() {
            switch effect {
            case .actionOpened(let opened): open[opened.action] = opened.due
            case .actionClosed(let closed): open[closed.action] = nil
            default: break
            }
        }
        return try #require(open.values.sorted().dropFirst(open.count / 2).first)
    }

    private func waiting(_ cluster: TestCluster) async throws -> DeliveryAnswer {
        try JSONDecoder().decode(
            DeliveryAnswer.self, from: Data(try await cluster.run(["delivery", "status", "--json"]).utf8))
    }

    private struct ManifestID: Decodable { var id: String }

    /// A restore that ended in the middle is seen by nobody, and goes on when it is asked for again; then every record is as
    /// it was, with its time.
    private func resumes(_ backup: String, _ source: TestCluster) async throws {
        let nats = try await NATSServers.start()
        let environment = ["REPRISE_NATS": nats.url]
        let manifest = try Data(contentsOf: URL(fileURLWithPath: backup + "/manifest.json"))
        let id = try JSONDecoder().decode(ManifestID.self, from: manifest).id
        let (from, connection) = (try await source.nats.connect(), try await nats.connect())
        defer {
            from.close()
            connection.close()
        }
        let original = try await JetStreamInstallation.open(connection: from, log: testLog)
        let begun = try await InstallationRestore.begin(original.settings, backup: id, connection: connection, log: testLog)
        let some = try await original.logs.read(.input(ShardID(1)), from: 1).next(max: 3)
        #expect(try await begun.begin(.input(ShardID(1)), first: 1) == 0)
        try await begun.append(some, to: .input(ShardID(1)))

        let status = try await CommandRun.reprise(["status"], environment: environment)
        #expect(status.status == 1 && status.errors.contains("being restored"))
        let install = try await CommandRun.reprise(["install", "--shards", "4"], environment: environment)
        #expect(install.status == 1 && install.errors.contains("being restored"))
        let restored = try await CommandRun.reprise(["restore", backup], environment: environment)
        #expect(restored.status == 0, "\(restored.errors)")

        let copy = try await JetStreamInstallation.open(connection: connection, log: testLog)
        for name in original.settings.shards.all.flatMap({ [LogName.input($0), .commits($0)] }) + [.configuration] {
            let last = try await copy.logs.state(of: name).last
            let (wanted, found) = (try await original.logs.read(name, from: 1), try await copy.logs.read(name, from: 1))
            var next: UInt64 = 1
            while next <= last {
                let records = try await found.next(max: 1)
                #expect(try await wanted.next(max: 1) == records)
                #expect(try await copy.logs.record(next, of: name)?.time == records.first?.time)
                next += 1
            }
        }
        try await nats.stop()
    }
}
