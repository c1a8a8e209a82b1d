package import Model

/// What a shard's IN and LOG say of its actions, and the mail that left for them: decided once, closed once, permitted once,
/// sent at most once, and none missing without its reason (I5, I7, I9, I11).
///
/// Feed the effects of LOG and the events of IN in order each, and the mail as it leaves; then ask for ``violations``.
package struct ActionChecker: Sendable {
    private struct Action {
        var openings = 0
        var channel = Channel.record
        /// Attempts that got the permit, in order, each once.
        var granted: [AttemptID] = []
        var closings: [ActionClosed] = []
        var mails = 0
        var failed: Set<AttemptID> = []
        /// Mail that left before its permit was in LOG.
        var isPremature = false
    }

    private var actions: [ActionID: Action] = [:]
    /// Actions that still want an outcome.
    package private(set) var open = 0

    package init() {}

    package mutating func feed(_ effect: Effect) {
        switch effect {
        case .actionOpened(let opened):
            actions[opened.action, default: Action()].openings += 1
            actions[opened.action]?.channel = opened.channel
            if opened.channel != .record { open += 1 }
        case .permitGranted(let grant):
            if actions[grant.action]?.granted.contains(grant.attempt) != true {
                actions[grant.action, default: Action()].granted.append(grant.attempt)
            }
        case .actionClosed(let closed):
            actions[closed.action, default: Action()].closings.append(closed)
            open -= 1
        case .suppressed, .postponed, .permitDenied, .attributed, .setAside, .replayed, .sums, .messageSent, .messagesDelivered,
            .messageApplied, .merged, .duplicateOffered, .actionMoved:
            break
        }
    }

    package mutating func feed(_ event: Event) {
        if case .outcome(let action, let attempt, .failedForNow, _) = event.body {
            actions[action, default: Action()].failed.insert(attempt)
        }
    }

    /// A message left.
    ///
    /// - Parameter attempt: nil where the message does not tell; then any permit will do.
    package mutating func feedMail(_ action: ActionID, _ attempt: AttemptID?) {
        actions[action, default: Action()].mails += 1
        let granted = actions[action]?.granted ?? []
        if attempt.map({ !granted.contains($0) }) ?? granted.isEmpty { actions[action]?.isPremature = true }
    }

    /// Actions so far.
    package var count: Int { actions.count }

    /// - Parameter atRest: nothing more comes: what is open now stays so.
    package func violations(atRest: Bool = false) -> [Violation] {
        actions.sorted { $0.key < $1.key }.flatMap { check($0.key, $0.value, atRest) }
    }

    private func check(_ id: ActionID, _ action: Action, _ atRest: Bool) -> [Violation] {
        var found: [Violation] = []
        func report(_ promise: String, _ what: String) { found.append(Violation(promise, "action \(id): \(what)")) }
        if action.openings != 1 { report("I5 one decision", "was opened \(action.openings) times") }
        if action.closings.count > 1 { report("I11 one outcome", "was closed \(action.closings.count) times") }
        if action.mails > 1 { report("I11 never twice", "left \(action.mails) times") }
        if action.isPremature { report("I9 permit first", "left before the permit of its attempt was in LOG") }
        if atRest && action.closings.isEmpty && action.channel != .record { report("I7 nothing vanishes", "was never closed") }
        for attempt in action.granted.dropLast() where !action.failed.contains(attempt) {
            report("I11 no permit twice", "\(action.granted.count) attempts got the permit, and \(attempt) did not fail before")
        }
        if action.closings.count == 1, let what = Self.problem(of: action.closings[0], left: action.mails > 0) {
            report("I7 nothing vanishes", what)
        }
        return found
    }

    /// What does not fit a message that left or not.
    private static func problem(of closing: ActionClosed, left: Bool) -> String? {
        let hasReason = closing.reason != .none || !closing.detail.isEmpty
        switch closing.outcome {
        case .sent: return left ? nil : "is called sent, and nothing left"
        // May have left or not: that is what the word says.
        case .uncertain: return hasReason ? nil : "is uncertain without a reason"
        case .undeliverable, .withdrawn:
            if left { return "is called \(closing.outcome.name), and left" }
            return hasReason ? nil : "is \(closing.outcome.name) without a reason"
        case .recorded: return left ? "is only recorded, and left" : nil
        case .failedForNow, .notTried: return "was closed as \(closing.outcome.name)"
        }
    }
}
