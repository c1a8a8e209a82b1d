import Foundation
import JetStreamPorts
import Logging
import Model
import NATS
import Ports
import TestSupport

/// One run: starts the cluster, lets faults and load act on it, heals it, awaits quiet, and checks what is left.
struct ChaosRun: Sendable {
    let cluster: Cluster
    let faults: [Fault]
    let seed: UInt64
    let minutes: Double
    let ordersPerSecond: Double
    let board: Board

    /// After the end of faults and load: how long all that was accepted may take to be applied and delivered.
    private static let quietLimit = Duration.seconds(240)

    /// - Parameter verdict: gets what is found out.
    func run(into verdict: inout Verdict) async throws {
        board.enter("starting the cluster")
        let mailbox = try await cluster.start()
        defer { withExtendedLifetime(mailbox) {} }
        board.enter("under faults and load")
        var log = Logger(label: "chaos", factory: { StreamLogHandler.standardError(label: $0) })
        log.logLevel = .critical
        let connection = try await NATSConnection.connect(
            NATSConnection.Options(urls: cluster.natsURLs, name: "chaos"), waitUpTo: .seconds(30), log: log)
        defer { connection.close() }
        let opened = try await JetStreamInstallation.open(connection: connection, log: log)
        verdict.serverVersions = Set(await connection.serverVersions().values.map(\.description)).sorted()
        let recorder = Recorder(logs: opened.logs, shards: opened.settings.shards)
        let following = Task {
            do { try await recorder.follow() } catch is CancellationError {} catch { board.fault("I1 \(error)") }
        }
        defer { following.cancel() }
        let ledger = try await act()
        board.enter("waiting for quiet")
        let quiet = Quiet(
            logs: opened.logs, messaging: opened.messaging, shards: opened.settings.shards, recorder: recorder, board: board)
        let calm = try await quiet.wait(within: Self.quietLimit)
        var examination = Examination(
            installation: opened.settings, recorder: recorder, ledger: ledger, maildir: cluster.maildir)
        verdict.quietSeconds = calm.seconds
        verdict.violations += calm.violations
        board.enter("checking")
        try await examination.run(report: calm.report, into: &verdict)
    }

    /// Faults, load and the supervisor, until faults and load are over.
    private func act() async throws -> Ledger {
        let book = LedgerBook()
        let load = OrderLoad(
            gateways: cluster.gateways, writeKey: Cluster.writeKey, seed: seed, ordersPerSecond: ordersPerSecond, customers: 800,
            book: book)
        board.begin()
        let end = board.began + .seconds(minutes * 60)
        let supervisor = Task { try await supervise() }
        defer { supervisor.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await load.run(until: end) }
            group.addTask { try await Injector(cluster: cluster, faults: faults, board: board).run() }
            group.addTask { try await tell(book, until: end) }
            try await group.waitForAll()
        }
        board.say("faults and load are over; reminders still fire for \(ChaosRules.quietSeconds) s")
        try await Task.sleep(for: .seconds(ChaosRules.quietSeconds))
        return book.ledger
    }

    private func supervise() async throws {
        while true {
            for (host, words) in try await cluster.supervise() { board.ended(host, words) }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func tell(_ book: LedgerBook, until end: ContinuousClock.Instant) async throws {
        while ContinuousClock.now + .seconds(20) < end {
            try await Task.sleep(for: .seconds(20))
            board.say("  \(book.ledger.acknowledged.count) orders acknowledged")
        }
    }
}
