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

    /// Backs a cluster up while days pass in it and a worker is killed; returns what it came to and its mails.
    private func firstLife(_ backup: String) async throws -> (MechanicsReport, mails: [String]) {
        let cluster = try await TestCluster.start(workers: 2, shards: 4)
        do {
            let orders = try await prepared(cluster)
            let before = try await commits(cluster)
            let victim = String(try cluster.processID("worker-1"))
            async let replay = cluster.run(["replay", orders, "--json", "--kill-process", victim])
            try await eventually("the load is under way", within: .seconds(120)) {
                try await self.commits(cluster) > before + 40
            }
            try await cluster.run(["backup", backup])
            let whole = try report(await replay)
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

    @Test(.timeLimit(.minutes(10)))
    func `F8 I10 I11 a backup of a running cluster goes on with other workers, and comes to the same figures`() async throws {
        let folder = try ScratchFolder()
        let backup = folder.path("backup")
        let (expected, firstMails) = try await firstLife(backup)
        #expect(try await CommandRun.reprise(["backup", "verify", backup]).status == 0)

        let cluster = try await TestCluster.start(workers: 3, shards: 4, restoring: backup)
        do {
            let cut = try atCut(try await LogContents.read(cluster))
            #expect(try await cluster.run(["status"]).contains("HELD"))
            let refused = try await cluster.attempt(["delivery", "release"])
            #expect(refused.status == 1 && refused.errors.contains("--uncertain-due-before"))
            #expect(try cluster.mails().isEmpty)
            let again = try await cluster.attempt(["restore", backup])
            #expect(again.status == 1 && again.errors.contains("There is an installation"))

            #expect(try await cluster.run(["delivery", "release", "--send-all"]).contains("released"))
            let orders = try cluster.folder.write(
                "orders.csv", SampleShop.orders(customers: Self.customers, days: Self.days))
            let report = try report(await cluster.run(["replay", orders, "--json"]))
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
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }
}
