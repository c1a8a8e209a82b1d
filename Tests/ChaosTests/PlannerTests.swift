import Testing

@testable import chaos

@Suite struct PlannerTests {
    private func plan(replicas: Int = 3, seed: UInt64, minutes: Double, _ kinds: Set<Fault.Kind> = Set(Fault.Kind.allCases))
        -> [Fault]
    {
        Planner.plan(
            Topology(replicas: replicas, workers: 3), seed: seed, Planner.Settings(seconds: minutes * 60, kinds: kinds))
    }

    @Test func `a seed gives one plan, another seed another`() {
        #expect(plan(seed: 7, minutes: 5) == plan(seed: 7, minutes: 5))
        #expect(plan(seed: 7, minutes: 5) != plan(seed: 8, minutes: 5))
    }

    @Test(arguments: [1, 3]) func `twenty minutes have every kind of fault, and every role is hit`(replicas: Int) {
        for seed in 1...20 as ClosedRange<UInt64> {
            let faults = plan(replicas: replicas, seed: seed, minutes: 20)
            #expect(Set(faults.map(\.kind)) == Set(Fault.Kind.allCases), "seed \(seed)")
            for kind in [Fault.Kind.kill, .freeze, .partition] {
                let roles = Set(faults.filter { $0.kind == kind }.flatMap(\.hosts).map(\.role))
                #expect(roles == Set(Role.allCases), "seed \(seed), \(kind)")
            }
        }
    }

    @Test func `everything is healed before the end, and no host is hit twice at once`() {
        for seed in 1...50 as ClosedRange<UInt64> {
            let faults = plan(seed: seed, minutes: 6)
            #expect(faults.allSatisfy { $0.endSeconds <= 360 && $0.atSeconds >= 0 && $0.seconds >= 0 })
            for (index, one) in faults.enumerated() {
                for other in faults[(index + 1)...] where other.atSeconds < one.endSeconds {
                    #expect(Set(one.hosts).isDisjoint(with: other.hosts), "seed \(seed): \(one.text) and \(other.text)")
                }
            }
        }
    }

    @Test func `nats-servers are hit one fault at a time, with time to come back`() {
        for seed in 1...50 as ClosedRange<UInt64> {
            let faults = plan(seed: seed, minutes: 10).filter { $0.hosts.contains { $0.role == .nats } }
            for (one, next) in zip(faults, faults.dropFirst()) {
                #expect(next.atSeconds >= one.endSeconds + 12, "seed \(seed): \(one.text), then \(next.text)")
            }
        }
    }

    @Test func `with another build to change to, everything is restarted early, in a run of two minutes too`() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let settings = Planner.Settings(seconds: 120, kinds: Set(Fault.Kind.allCases), rollsFirst: true)
            let faults = Planner.plan(Topology(replicas: 3, workers: 3), seed: seed, settings)
            #expect(faults.first { $0.kind == .rolling }.map { $0.atSeconds < 40 } == true, "seed \(seed)")
        }
    }

    @Test func `a freeze longer than every time-out hits one host while the others go on having faults`() {
        let faults = plan(seed: 1, minutes: 20)
        let long = faults.filter { $0.kind == .longFreeze }
        #expect(long.allSatisfy { $0.seconds == 130 })
        #expect(long.contains { one in faults.contains { $0.atSeconds > one.atSeconds && $0.endSeconds < one.endSeconds } })
    }

    @Test func `only the kinds that are asked for are drawn`() {
        let faults = plan(seed: 3, minutes: 3, [.freeze, .split])
        #expect(Set(faults.map(\.kind)) == [.freeze, .split])
        #expect(faults.filter { $0.kind == .split }.allSatisfy { Set($0.hosts).count == 2 })
    }
}
