import Checkers
import Engine
import Foundation
import Model
import Ports

/// All checks over all that is left of a run: streams, mailbox, ledger, sums. What a log, an action and the sums must be is
/// said by the checkers that the simulation has too; what the shop's books must be, here.
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
        let replay = ReplayChecker(installation: installation, configuration: recorder.all(.configuration))
        var profiles: [CustomerKey: Int64] = [:]
        for shard in installation.shards.all {
            let outcome = examine(shard, replay, &verdict)
            verdict.add(outcome.violations)
            profiles.merge(outcome.views.mapValues(\.orderCount)) { $0 + $1 }
        }
        coordinator(&verdict)
        verdict.violations += BookCheck.compare(ledger, with: books)
        if let report { verdict.add(books.sums.compare(report)) }
        verdict.violations += orders(profiles)
        let mailbox = try Mailbox(folder: maildir)
        verdict.violations += mailbox.violations
        verdict.mails = mailbox.actions.count
        for action in mailbox.actions { books.mail(action) }
        verdict.add(books.actions.violations(atRest: true))
        count(&verdict)
    }

    private mutating func examine(
        _ shard: ShardID, _ replay: ReplayChecker, _ verdict: inout Verdict
    ) -> ReplayChecker.Outcome {
        let inputs = recorder.all(.input(shard))
        for record in inputs { books.input(record, shard: shard) }
        var chain = CommitLogChecker(shard: shard, timeMode: installation.timeMode)
        var commits: [Commit] = []
        for record in recorder.all(.commits(shard)) {
            guard let commit = chain.feed(record) else { continue }
            books.commit(commit)
            commits.append(commit)
        }
        // Another brain's commits are its own to run again.
        let own = commits.prefix { $0.brain == brainVersion }
        verdict.commits += commits.count
        for commit in commits { verdict.brains["\(commit.brain)", default: 0] += 1 }
        verdict.commitsRunAgain += own.count
        verdict.takeovers += chain.takeovers
        verdict.add(chain.violations)
        let last = inputs.last?.sequence ?? 0
        if chain.inputSequence != last {
            verdict.violations.append("I1 IN.\(shard): applied to \(chain.inputSequence) of \(last)")
        }
        let map = installation.shards
        let customers = Set(books.orders.values.map(\.customer).filter { map.shard(of: $0) == shard })
        return replay.run(
            shard, inputs: inputs, commits: Array(own), behind: commits[own.endIndex...].flatMap(\.steps),
            customers: customers)
    }

    private func coordinator(_ verdict: inout Verdict) {
        var check = CoordinatorLogChecker(shards: installation.shards.shards)
        for record in recorder.all(.coordinator) { check.feed(record) }
        verdict.coordinatorEpochs = check.epoch
        verdict.add(check.violations)
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
        verdict.sent = books.sums.count(.sent) + books.sums.count(.recorded)
        verdict.uncertain = books.sums.count(.uncertain)
        verdict.undeliverable = books.sums.count(.undeliverable)
        verdict.withdrawn = books.sums.count(.withdrawn)
        verdict.attributed = books.sums.attributed
        verdict.revenue = books.sums.counters[.revenue] ?? 0
    }
}
