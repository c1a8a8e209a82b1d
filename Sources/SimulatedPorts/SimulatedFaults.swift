/// What may go wrong with a store, drawn from the seed: the same seed and the same order of calls give the same faults.
/// Shares are in thousandths of the calls concerned.
package struct SimulatedFaults: Sendable {
    package var seed: UInt64
    /// Appends that are written and answered `ambiguous`: the acknowledgement was lost.
    package var lostAcknowledgements: Int
    /// Appends that are not written and answered `ambiguous`.
    package var lostAppends: Int
    /// Completions that come a few milliseconds late, mostly after those of later appends.
    package var lateCompletions: Int
    /// Calls that are answered `unavailable`.
    package var unavailable: Int
    /// Calls at which a log loses its leader: it and the next few appends are answered `unavailable` or `ambiguous`.
    package var leaderGaps: Int
    /// Snapshots whose writer fails before the manifest: never seen, and `put` throws `ambiguous`.
    package var tornSnapshots: Int
    /// Snapshots that are damaged after they were put: passed over with a report.
    package var damagedSnapshots: Int

    package init(
        seed: UInt64, lostAcknowledgements: Int = 0, lostAppends: Int = 0, lateCompletions: Int = 0, unavailable: Int = 0,
        leaderGaps: Int = 0, tornSnapshots: Int = 0, damagedSnapshots: Int = 0
    ) {
        self.seed = seed
        self.lostAcknowledgements = lostAcknowledgements
        self.lostAppends = lostAppends
        self.lateCompletions = lateCompletions
        self.unavailable = unavailable
        self.leaderGaps = leaderGaps
        self.tornSnapshots = tornSnapshots
        self.damagedSnapshots = damagedSnapshots
    }

    package static let none = SimulatedFaults(seed: 0)

    /// A bit of everything.
    package static func some(seed: UInt64) -> SimulatedFaults {
        SimulatedFaults(
            seed: seed, lostAcknowledgements: 30, lostAppends: 30, lateCompletions: 100, unavailable: 30, leaderGaps: 5,
            tornSnapshots: 100, damagedSnapshots: 100)
    }
}

/// One thing that goes wrong with one append.
package enum AppendFault: Equatable, Sendable {
    /// Written, and answered `ambiguous`.
    case writtenAmbiguous
    /// Not written, and answered `ambiguous`.
    case lostAmbiguous
    /// Decided as usual; the answer comes a few milliseconds later than it could, mostly after those of later appends.
    case late
    /// Decided as usual; the answer comes when the test says so: ``SimulatedLogStore/deliverHeld()``.
    case held
    /// Not written, and answered `unavailable`.
    case unavailable
    /// This and the next `appends` - 1 are not written: answered `unavailable` and `ambiguous` by turns.
    case leaderGap(appends: Int)
}
