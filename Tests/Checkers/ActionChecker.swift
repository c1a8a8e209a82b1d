package import Model

/// What a shard's IN and LOG say of its actions, and the mail that left for them: decided once, closed once, permitted once,
/// sent at most once (I5, I9, I11).
///
/// Feed the effects of LOG and the events of IN in order each, and the mail as it leaves; then ask for ``violations()``.
package struct ActionChecker: Sendable {
    private struct Action {
        var openings = 0
        var channel = Channel.record
        /// Attempts that got the permit, in order, each once.
        var granted: [AttemptID] = []
        var closings: [Outcome] = []
        var mails: [AttemptID] = []
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
            actions[closed.action, default: Action()].closings.append(closed.outcome)
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

    /// A message left, under this attempt.
    package mutating func feedMail(_ action: ActionID, _ attempt: AttemptID) {
        actions[action, default: Action()].mails.append(attempt)
        if actions[action]?.granted.contains(attempt) != true { actions[action]?.isPremature = true }
    }

    package func violations() -> [Violation] {
        actions.sorted { $0.key < $1.key }.flatMap { check($0.key, $0.value) }
    }

    private func check(_ id: ActionID, _ action: Action) -> [Violation] {
        var found: [Violation] = []
        func report(_ promise: String, _ what: String) { found.append(Violation(promise, "action \(id): \(what)")) }
        if action.openings != 1 { report("I5 one decision", "was opened \(action.openings) times") }
        if action.closings.count > 1 { report("I11 one outcome", "was closed \(action.closings.count) times") }
        if action.mails.count > 1 { report("I11 never twice", "left \(action.mails.count) times") }
        if action.isPremature { report("I9 permit first", "left before the permit of its attempt was in LOG") }
        for attempt in action.granted.dropLast() where !action.failed.contains(attempt) {
            report("I11 no permit twice", "\(action.granted.count) attempts got the permit, and \(attempt) did not fail before")
        }
        if action.closings == [.sent] && action.mails.isEmpty {
            report("I7 nothing vanishes", "is called sent, and nothing left")
        }
        // Who took it for sent is right, and who cannot know; anybody else would send it again, or count it as never sent.
        if let closing = action.closings.first, !action.mails.isEmpty, closing != .sent, closing != .uncertain {
            report("I11 what left is told", "left, and is called \(closing.name)")
        }
        return found
    }
}
