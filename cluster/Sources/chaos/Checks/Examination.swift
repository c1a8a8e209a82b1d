import Foundation
import Model
import Ports

/// All checks over all that is left of a run: streams, mailbox, ledger, sums.
struct Examination {
    let installation: Installation
    let recorder: Recorder
    let ledger: Ledger
    let maildir: URL

    private var books = Books()

    init(installation: Installation, recorder: Recorder, ledger: Ledger, maildir: URL) {
        self.installation = installation
        self.recorder = recorder
        self.ledger = ledger
        self.maildir = maildir
    }

    /// - Parameter report: what the coordinator tells; nil when it never had all commits, which is a violation already.
    mutating func run(report: MechanicsReport?, into verdict: inout Verdict) async throws {
        for name in recorder.names {
            verdict.records += recorder.all(name).count
            verdict.violations += try await recorder.compareAgain(name)
        }
        let revisions = try revisions()
        var profiles: [CustomerKey: Int64] = [:]
        for shard in installation.shards.all {
            let outcome = try await examine(shard, revisions, &verdict)
            profiles.merge(outcome.orders) { $0 + $1 }
        }
        verdict.violations += try coordinator(&verdict)
        verdict.violations += BookCheck.compare(ledger, with: books)
        if let report { verdict.violations += BookCheck.compare(report, with: books) }
        verdict.violations += orders(profiles)
        let mail = try MailCheck(folder: maildir)
        verdict.violations += mail.compare(with: books.actions)
        verdict.mails = mail.mails.values.reduce(0, +)
        count(&verdict)
    }

    private func revisions() throws -> [UInt64: RuleSet] {
        var revisions: [UInt64: RuleSet] = [:]
        for record in recorder.all(.configuration) {
            revisions[record.sequence] = try RuleSet.decoded(record.payload, revision: record.sequence)
        }
        return revisions
    }

    private mutating func examine(
        _ shard: ShardID, _ revisions: [UInt64: RuleSet], _ verdict: inout Verdict
    ) async throws -> ReplayCheck.Outcome {
        let inputs = recorder.all(.input(shard))
        for record in inputs { books.input(record, shard: shard) }
        var chain = LogCheck(shard: shard)
        var commits: [Commit] = []
        for record in recorder.all(.commits(shard)) {
            guard let commit = chain.follow(record) else { continue }
            books.commit(commit)
            commits.append(commit)
        }
        verdict.commits += commits.count
        verdict.takeovers += chain.takeovers
        verdict.violations += chain.violations
        let last = inputs.last?.sequence ?? 0
        if chain.input.sequence != last {
            verdict.violations.append("I1 IN.\(shard): applied to \(chain.input.sequence) of \(last)")
        }
        let map = installation.shards
        let customers = Set(books.orders.values.map(\.customer).filter { map.shard(of: $0) == shard })
        let outcome = await ReplayCheck().run(
            shard, installation, inputs: inputs, commits: commits, revisions: revisions, customers: customers)
        verdict.violations += outcome.violations
        return outcome
    }

    private func coordinator(_ verdict: inout Verdict) throws -> [String] {
        var check = CoordinatorCheck()
        for record in recorder.all(.coordinator) {
            let decision = try JSONDecoder().decode(CoordinatorRecord.self, from: Data(record.payload))
            check.follow(decision, sequence: record.sequence)
        }
        verdict.coordinatorEpochs = check.epoch
        return check.violations
    }

    /// Every order counts once in its customer's profile.
    private func orders(_ profiles: [CustomerKey: Int64]) -> [String] {
        var expected: [CustomerKey: Int64] = [:]
        for order in books.orders.values { expected[order.customer, default: 0] += 1 }
        return expected.sorted { $0.key < $1.key }.compactMap { customer, count in
            profiles[customer] == count
                ? nil : "I1 \(customer) has \(profiles[customer] ?? 0) orders in the profile, \(count) in IN"
        }
    }

    private func count(_ verdict: inout Verdict) {
        verdict.requests = ledger.requests
        verdict.retries = ledger.retries
        verdict.repeats = ledger.repeats
        verdict.acknowledged = ledger.acknowledged.count
        verdict.unknown = ledger.unknown.count
        verdict.refused = ledger.refused.count
        verdict.longestSilenceMilliseconds = ledger.longestSilence
        verdict.actions = books.actions.count
        for sums in books.rules.values {
            verdict.sent += sums.sent + sums.recorded
            verdict.uncertain += sums.uncertain
            verdict.undeliverable += sums.undeliverable
            verdict.withdrawn += sums.withdrawn
            verdict.attributed += sums.revenue
        }
        verdict.revenue = books.counters[.revenue] ?? 0
    }
}
