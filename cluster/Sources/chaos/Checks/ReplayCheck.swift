import Engine
import Model

/// Runs a shard's whole history again over its inputs and compares every step with what was recorded (I4); then asks the
/// shard that came out of it for its customers' orders.
actor ReplayCheck {
    private nonisolated let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    struct Outcome: Sendable {
        var violations: [String] = []
        /// Orders by customer, as the profiles say.
        var orders: [CustomerKey: Int64] = [:]
    }

    /// - Parameters:
    ///   - revisions: the rule sets of CONFIG, by revision.
    ///   - customers: whose profiles are looked at in the end.
    func run(
        _ id: ShardID, _ installation: Installation, inputs: [LogRecord], commits: [Commit], revisions: [UInt64: RuleSet],
        customers: Set<CustomerKey>
    ) -> Outcome {
        let shard = Shard(id: id, installation: installation, rules: CompiledRules(RuleSet()), executor: executor)
        var queue = InputQueue()
        for record in inputs { queue.append(record) }
        var outcome = Outcome()
        for commit in commits {
            for (index, step) in commit.steps.enumerated() {
                if step.configuration != shard.rules.set.revision {
                    guard let rules = revisions[step.configuration] else {
                        outcome.violations.append("I4 LOG.\(id): commit \(commit.number) names revision \(step.configuration)")
                        return outcome
                    }
                    shard.adopt(CompiledRules(rules))
                }
                do throws(ReplayFault) {
                    guard try shard.replay(step, &queue) == step else {
                        outcome.violations.append("I4 LOG.\(id): step \(index) of commit \(commit.number) comes out otherwise")
                        return outcome
                    }
                } catch {
                    outcome.violations.append("I4 LOG.\(id): commit \(commit.number) cannot be run again: \(error)")
                    return outcome
                }
            }
        }
        for customer in customers { outcome.orders[customer] = shard.view(of: customer).orderCount }
        return outcome
    }
}
