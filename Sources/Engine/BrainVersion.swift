import Model

/// Version of the deciding code, as it stands in commits. Raise it with every change after which an event or a wake-up may
/// decide anything differently, or leave another state: a commit is run again by its own version only (I4).
package let brainVersion: UInt32 = releasedBrainVersion + testedChange.versions

private let releasedBrainVersion: UInt32 = 4

/// What a build with `REPRISE_BRAIN=next` does otherwise. The tests of upgrades make one, to have two builds that decide
/// differently; nobody else should.
struct TestedChange {
    let versions: UInt32
    /// How much later the deadline of an action is. It shows in every effect that opens one.
    let deadlineMilliseconds: Int64
}

#if REPRISE_NEXT_BRAIN
    let testedChange = TestedChange(versions: 1, deadlineMilliseconds: Milliseconds.minute)
#else
    let testedChange = TestedChange(versions: 0, deadlineMilliseconds: 0)
#endif
