internal import Engine
package import Model

/// Runs a shard's whole LOG again, from its first commit and over its IN, in a shard of its own: every step must come out as
/// it was recorded, and every state that is met on the way must be the same by snapshot (I4).
package struct ReplayChecker {
    /// By revision, ascending from 1: the records of CONFIG.
    private let configuration: [LogRecord]
    private let installation: Installation

    package init(installation: Installation, configuration: [LogRecord]) {
        self.installation = installation
        self.configuration = configuration
    }

    /// What a run showed.
    package struct Outcome {
        package var violations: [Violation]
        /// The state's bytes at the end, in chunks; empty where it was not reached.
        package var state: [[UInt8]] = []
        /// What the asked customers' own shards show of them in the end.
        package var views: [CustomerKey: CustomerView] = [:]
    }

    /// - Parameters:
    ///   - inputs: all of IN.
    ///   - commits: all of LOG that this build's brain decided, in order, up to the first of another one.
    ///   - behind: the steps from there on. They cannot come out the same: what they record is taken as the truth, and only
    ///     what follows from IN is this build's own.
    ///   - customers: who are shown in the end.
    ///   - live: snapshots that owners wrote, in parts, by the number of their commit.
    package func run(
        _ shard: ShardID, inputs: [LogRecord], commits: [Commit], behind: [Step] = [], customers: Set<CustomerKey> = [],
        live: [UInt64: [[[UInt8]]]] = [:]
    ) -> Outcome {
        do {
            let whole = try Replay(shard, installation, configuration, inputs)
            let half = commits.count / 2
            try whole.run(commits[..<half], live)
            // A second one goes on from a snapshot in the middle: it must end like the first.
            let second = try Replay(shard, installation, configuration, inputs, from: [whole.shard.encoded()])
            try whole.run(commits[half...], live)
            try second.run(commits[half...], [:])
            let state = whole.shard.encoded()
            guard state == second.shard.encoded() else {
                let what = Violation("I4 snapshot and tail", "shard \(shard) ends otherwise than by a full replay")
                return Outcome(violations: [what], state: state)
            }
            try whole.trust(behind)
            var outcome = Outcome(violations: [], state: state)
            for customer in customers { outcome.views[customer] = whole.shard.view(of: customer) }
            return outcome
        } catch let violation as Violation {
            return Outcome(violations: [violation])
        } catch {
            return Outcome(violations: [Violation("I4 replay", "shard \(shard): \(error)")])
        }
    }
}

/// One run over the records.
private final class Replay {
    let shard: Shard
    private let installation: Installation
    private let configuration: [LogRecord]
    private var inputs = InputQueue()

    init(
        _ id: ShardID, _ installation: Installation, _ configuration: [LogRecord], _ records: [LogRecord],
        from snapshot: [[[UInt8]]]? = nil
    ) throws {
        self.installation = installation
        self.configuration = configuration
        let revision = try snapshot.map { try Shard.revision(of: $0) } ?? 0
        shard = Shard(
            id: id, installation: installation, rules: try Self.rules(revision, configuration), executor: NoExecutor())
        if let snapshot { try shard.restore(snapshot) }
        for record in records where record.sequence >= max(shard.inputSequence, 1) { inputs.append(record) }
    }

    private static func rules(_ revision: UInt64, _ configuration: [LogRecord]) throws -> CompiledRules {
        guard revision > 0 else { return CompiledRules(RuleSet()) }
        guard let record = configuration.first(where: { $0.sequence == revision }) else {
            throw Violation("I4 configuration", "revision \(revision) is named and not in CONFIG")
        }
        return CompiledRules(try RuleSet.decoded(record.payload, revision: revision))
    }

    func run(_ commits: ArraySlice<Commit>, _ live: [UInt64: [[[UInt8]]]]) throws {
        for commit in commits {
            for step in commit.steps { try run(step) }
            shard.follow(commit.kind, commit.takeover, commit.attempt)
            guard let parts = live[commit.number] else { continue }
            let written = try Replay(shard.id, installation, configuration, [], from: parts)
            guard try written.shard.encoded() == state(under: written.shard.rules.set.revision) else {
                throw Violation(
                    "I4 live state", "shard \(shard.id): the snapshot at commit \(commit.number) is not what a replay comes to")
            }
        }
    }

    /// As it is now, with rules that were taken on since the last step.
    private func state(under revision: UInt64) throws -> [[UInt8]] {
        guard revision != shard.rules.set.revision else { return shard.encoded() }
        let copy = try Replay(shard.id, installation, configuration, [], from: [shard.encoded()])
        copy.shard.adopt(try Self.rules(revision, configuration))
        return copy.shard.encoded()
    }

    private func run(_ step: Step) throws {
        try adopt(step)
        let again = try shard.replay(step, &inputs)
        guard again == step else {
            throw Violation(
                "I4 replay", "shard \(shard.id): the step up to \(step.inputSequence)/\(step.eventsThrough) comes out otherwise")
        }
    }

    func trust(_ steps: [Step]) throws {
        let trusted = TrustedReplay(shard)
        for step in steps {
            try adopt(step)
            _ = try trusted.replay(step, &inputs)
        }
        if !steps.isEmpty { _ = trusted.finish() }
    }

    private func adopt(_ step: Step) throws {
        guard step.configuration != shard.rules.set.revision else { return }
        shard.adopt(try Self.rules(step.configuration, configuration))
    }
}

/// Of a shard that is used by its caller alone, on the caller's thread.
private final class NoExecutor: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) { preconditionFailure("a replay is synchronous") }
    func checkIsolated() {}
}
