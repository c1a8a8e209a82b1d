/// What goes wrong with single calls, in thousandths of them; drawn by the seed for a whole run.
package struct FaultRates: Equatable, Sendable {
    /// Appends that never reach the log; the answer is `ambiguous` after the time-out.
    package var lostAppends = 0
    /// Appends that are written, and whose answer is lost: `ambiguous` after the time-out.
    package var lostAcknowledgements = 0
    /// Appends whose answer comes some hundred milliseconds late.
    package var lateAcknowledgements = 0
    /// Appends that come to the log only after their sender was told `ambiguous`.
    package var lateAppends = 0
    /// Appends that come to the log twice; the second answer is the one that is heard.
    package var duplicatedAppends = 0
    /// Questions to a log that are answered `unavailable`.
    package var unavailable = 0
    /// Messages between roles that are lost.
    package var lostMessages = 0

    package init() {}
}

/// What is broken on purpose, outside of the roles, to see that the checkers find it.
package enum Sabotage: String, CaseIterable, Sendable {
    /// The logs take every append, whatever sequence it expects: nobody is fenced.
    case noFence = "no-fence"
    /// LOG acknowledges one commit in thirty without keeping it.
    case commitsLost = "commits-lost"
    /// LOG forgets its newest acknowledged commits once, when nobody looks.
    case suffixLost = "suffix-lost"
    /// A snapshot is of a state that no commit has acknowledged: of the commit before, with the next one's number.
    case snapshotOfAnother = "snapshot-of-another"
    /// The dispatcher sends without waiting for its permit.
    case noPermit = "no-permit"
    /// The dispatcher takes an uncertain message for one that failed, and sends it again.
    case sentAgain = "sent-again"
    /// One event in IN is changed after a shard has read it.
    case inputChanged = "input-changed"
    /// One commit's effects are changed in LOG, with a fitting hash.
    case effectsChanged = "effects-changed"
    /// The coordinator's report counts one more.
    case sumsChanged = "sums-changed"
}
