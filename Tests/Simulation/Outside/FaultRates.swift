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
    /// LOG forgets its newest acknowledged commits once, and the checkers are not told.
    case suffixLost = "suffix-lost"
    /// LOG forgets its newest acknowledged commits once, and what the roles say of it is not heard.
    case lossUnsaid = "loss-unsaid"
    /// IN acknowledges one batch of messages between shards in ten without keeping it.
    case messagesLost = "messages-lost"
    /// DEAD gets each of its records twice.
    case lettersDoubled = "letters-doubled"
    /// A snapshot is of a state that no commit has acknowledged: of the commit before, with the next one's number.
    case snapshotOfAnother = "snapshot-of-another"
    /// The dispatcher sends without waiting for its permit.
    case noPermit = "no-permit"
    /// The dispatcher takes an uncertain message for one that failed, and sends it again.
    case sentAgain = "sent-again"
    /// Orders in IN are changed after the shards have read them.
    case inputChanged = "input-changed"
    /// Now and then a commit's effects vanish on the way into LOG, under a hash that fits.
    case effectsChanged = "effects-changed"
    /// The coordinator's report counts one more.
    case sumsChanged = "sums-changed"
}
