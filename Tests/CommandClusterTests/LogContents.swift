import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import TestSupport

/// What the logs of a cluster hold, read beside whoever else reads them: the truth that figures are compared with.
struct LogContents: Sendable {
    /// By shard.
    var commits: [[Commit]] = []
    var placements: [CoordinatorRecord] = []

    /// Everything that is there now; the hashes must chain.
    static func read(_ cluster: TestCluster) async throws -> LogContents {
        let connection = try await cluster.nats.connect()
        defer { connection.close() }
        let installation = try await JetStreamInstallation.open(connection: connection, log: testLog)
        var contents = LogContents()
        for shard in installation.settings.shards.all {
            var commits: [Commit] = []
            var previous: UInt128 = 0
            for record in try await records(of: .commits(shard), installation.logs) {
                let (commit, hash) = try Commit.decoded(record.payload)
                guard commit.previousHash == previous, commit.number == record.sequence else {
                    throw TestSupportError("commit \(commit.number) of shard \(shard) does not follow the one before")
                }
                previous = hash
                commits.append(commit)
            }
            contents.commits.append(commits)
        }
        for record in try await records(of: .coordinator, installation.logs) {
            contents.placements.append(try JSONDecoder().decode(CoordinatorRecord.self, from: Data(record.payload)))
        }
        return contents
    }

    private static func records(of log: LogName, _ logs: any LogStore) async throws -> [LogRecord] {
        let state = try await logs.state(of: log)
        guard state.first == 1 else { throw TestSupportError("\(log) begins with \(state.first)") }
        let reader = try await logs.read(log, from: 1)
        defer { reader.close() }
        var records: [LogRecord] = []
        while UInt64(records.count) < state.last { records += try await reader.next(max: 256) }
        return records
    }

    func effects() throws -> [Effect] {
        try commits.flatMap { try $0.flatMap { try $0.steps.flatMap { try $0.decodedEffects() } } }
    }

    /// A rule's figures as the commits have them.
    struct Figures: Equatable {
        var executions: Int64 = 0
        var sent: Int64 = 0
        var conversions: Int64 = 0
        var sales: Int64 = 0
        var revenue: Int64 = 0
    }

    func figures() throws -> [String: Figures] {
        var figures: [UInt32: Figures] = [:]
        for effect in try effects() {
            switch effect {
            case .actionOpened(let opened): figures[opened.rule.number, default: Figures()].executions += 1
            case .actionClosed(let closed):
                if closed.outcome == .sent { figures[closed.rule.number, default: Figures()].sent += 1 }
            case .attributed(let credit):
                figures[credit.rule.number, default: Figures()].conversions += credit.conversions
                figures[credit.rule.number, default: Figures()].sales += credit.sales
                figures[credit.rule.number, default: Figures()].revenue += credit.revenue
            default: break
            }
        }
        return Dictionary(uniqueKeysWithValues: figures.map { (String($0.key), $0.value) })
    }

    func sum(_ counter: Counter) throws -> Int64 {
        try effects().reduce(0) { total, effect in
            guard case .sums(let deltas) = effect else { return total }
            return deltas.filter { $0.counter == counter }.reduce(total) { $0 + $1.amount }
        }
    }
}

extension MechanicsReport {
    /// As ``LogContents/figures()`` has them.
    var figures: [String: LogContents.Figures] {
        Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let figures = LogContents.Figures(
                    executions: row.executions, sent: row.sent, conversions: row.conversions, sales: row.sales,
                    revenue: row.revenue)
                return (String(RuleID(name: row.rule).number), figures)
            })
    }
}
