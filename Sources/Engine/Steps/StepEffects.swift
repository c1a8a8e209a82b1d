import Model

/// Gathers what a step decides, already in the form in which it stands in the commit.
struct StepEffects: Sendable {
    private(set) var writer = ByteWriter(reserving: 4096)
    private var counters = [Int64](repeating: 0, count: Counter.allCases.count)
    private var armed: [RuleID: Int64] = [:]

    /// Bytes of effects so far, sums not included.
    var byteCount: Int { writer.count }

    mutating func add(_ effect: Effect) { effect.write(to: &writer) }

    mutating func add(_ counter: Counter, _ amount: Int64) { counters[Int(counter.rawValue)] += amount }

    mutating func addArmed(_ rule: RuleID, _ amount: Int64) { armed[rule, default: 0] += amount }

    /// The effects, the sums last; ready for the next step.
    mutating func take() -> [UInt8] {
        var deltas: [SumDelta] = []
        for counter in Counter.allCases where counters[Int(counter.rawValue)] != 0 {
            deltas.append(SumDelta(counter, amount: counters[Int(counter.rawValue)]))
            counters[Int(counter.rawValue)] = 0
        }
        for (rule, amount) in armed.sorted(by: { $0.key < $1.key }) where amount != 0 {
            deltas.append(SumDelta(.timersArmed, rule: rule, amount: amount))
        }
        armed.removeAll(keepingCapacity: true)
        if !deltas.isEmpty { Effect.sums(deltas).write(to: &writer) }
        defer { writer = ByteWriter(reserving: 4096) }
        return writer.bytes
    }
}
