internal import Model

extension SegmentsReport {
    /// Every segment of the configuration in its order.
    init(_ totals: Sums, rules: RuleSet, lag: UInt64) {
        func amount(_ counter: Counter, _ segment: Segment) -> Int64 {
            totals.counters[Sums.CounterKey(counter: counter, rule: SumDelta.key(ofSegment: segment.number))] ?? 0
        }
        let rows = rules.segments.map { segment in
            Row(
                name: segment.name, title: segment.title, members: amount(.members, segment),
                reachableMembers: amount(.reachableMembers, segment))
        }
        let customers = totals.counters[Sums.CounterKey(counter: .customers, rule: RuleID(0))] ?? 0
        self.init(rows: rows, customers: customers, lagCommits: lag)
    }
}
