internal import Model

/// What the dispatcher knows of one open action.
struct TrackedAction: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        /// In its shard's queue.
        case waiting
        /// Not before the instant.
        case resting(until: Instant)
        /// A permit was asked for; `isLate` when the answer does not come.
        case asked(AttemptID, at: Instant, isLate: Bool)
        /// It may be sent and waits for a connection.
        case granted(GrantedAction)
        case sending(AttemptID)
        /// The outcome is on its way into the log.
        case reporting(OutcomeReport)
        /// The log has the outcome since `at`; the shard closes the action.
        case reported(OutcomeReport, at: Instant)
        /// Another dispatcher has the permit; known since `at`.
        case elsewhere(AttemptID, at: Instant)
    }

    /// Both change when the customer is merged into another.
    var shard: ShardID
    var customer: CustomerKey
    /// When its timer was first due.
    let due: Instant
    let deadline: Instant
    var phase = Phase.waiting
    /// Attempts that failed, for which the message itself was the reason.
    var failures = 0
    /// Permits denied for now.
    var setbacks = 0
    /// It was this one that found the provider away: when the provider is tried again, another goes first.
    var foundAway = false
    /// Our attempts up to this number are used up: a grant for one of them must not send again.
    var usedThrough: UInt64 = 0
    /// The attempt of another dispatcher that the shard named last.
    var holder: AttemptID?
    /// The shard closed it while it was being sent.
    var isClosed = false

    init(shard: ShardID, customer: CustomerKey, due: Instant, deadline: Instant) {
        self.shard = shard
        self.customer = customer
        self.due = due
        self.deadline = deadline
    }

    /// No permit of ours is held or used at the moment: nothing is under way.
    var isAtRest: Bool {
        switch phase {
        case .waiting, .resting, .asked, .elsewhere: true
        case .granted, .sending, .reporting, .reported: false
        }
    }
}
