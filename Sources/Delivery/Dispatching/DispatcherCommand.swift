internal import Model

/// What the core wants done.
enum DispatcherCommand: Equatable, Sendable {
    /// Write a permit request to IN.
    case ask(PermitRequest)
    /// Render and send; then tell ``DispatcherState/finished(_:_:_:now:)``.
    case send(GrantedAction)
    /// Write an outcome to IN; then tell ``DispatcherState/written(_:now:)``.
    case report(OutcomeReport)
}

struct PermitRequest: Equatable, Sendable {
    var shard: ShardID
    var customer: CustomerKey
    var action: ActionID
    var attempt: AttemptID

    var event: Event {
        Event(customer: customer, time: .distantPast, body: .permitRequest(action: action, attempt: attempt))
    }
}

/// A permit that stands in LOG, and the configuration revision it was given under.
struct GrantedAction: Equatable, Sendable {
    var shard: ShardID
    var grant: PermitGrant
    var configuration: UInt64
}

struct OutcomeReport: Equatable, Sendable {
    var shard: ShardID
    var customer: CustomerKey
    var action: ActionID
    var attempt: AttemptID
    var outcome: Outcome
    var detail: String

    static let detailBytesMax = 500

    var event: Event {
        Event(
            customer: customer, time: .distantPast,
            body: .outcome(action: action, attempt: attempt, outcome: outcome, detail: Self.bounded(detail)))
    }

    /// At most ``detailBytesMax`` bytes, cut between characters and marked.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > detailBytesMax else { return text }
        var kept = ""
        var count = 0
        for character in text {
            count += character.utf8.count
            if count > detailBytesMax - 3 { break }
            kept.append(character)
        }
        return kept + "…"
    }
}

/// What became of one attempt.
enum DeliveryResult: Equatable, Sendable {
    case sent(String)
    /// It certainly did not leave. `provider`: nothing can be sent now, whatever it is.
    case failed(String, provider: Bool)
    /// For good.
    case undeliverable(String)
    /// It may or may not have left.
    case uncertain(String)
}

/// An action that was open when the dispatcher came to know the shard.
struct OpenAction: Equatable, Sendable {
    var action: ActionID
    var customer: CustomerKey
    var rule: RuleID
    var channel: Channel
    /// When its timer was first due; the distant past when the shard did not say.
    var due: Instant
    var deadline: Instant
    /// The attempt that has the permit.
    var holder: AttemptID?
}
