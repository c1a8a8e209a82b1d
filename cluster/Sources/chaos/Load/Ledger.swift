import Model
import Synchronization

/// What became of every order that was sent: the shop's own books, against which everything is compared.
struct Ledger: Equatable, Sendable {
    struct Order: Equatable, Sendable {
        var customer: CustomerKey
        /// Minor units.
        var revenue: Int64
    }

    /// Answered with 200: must be applied, once.
    var acknowledged: [String: Order] = [:]
    /// Refused for good: must not be there.
    var refused: [String: Order] = [:]
    /// Sent, and no answer ever came: may be there, once.
    var unknown: [String: Order] = [:]
    var requests = 0
    var retries = 0
    /// Requests that were sent once more though they had been answered.
    var repeats = 0
    /// The longest time without an acknowledgement, milliseconds.
    var longestSilence: Int64 = 0
}

/// The ledger while it is written; safe to use from any task.
final class LedgerBook: Sendable {
    private struct State {
        var ledger = Ledger()
        var lastAnswer: ContinuousClock.Instant
    }

    enum Fate { case acknowledged, refused, unknown }

    private let state: Mutex<State>

    init() { state = Mutex(State(lastAnswer: .now)) }

    var ledger: Ledger { state.withLock { $0.ledger } }

    func note(_ orders: [(String, Ledger.Order)], _ fate: Fate) {
        let now = ContinuousClock.now
        state.withLock { state in
            for (id, order) in orders {
                switch fate {
                case .acknowledged: state.ledger.acknowledged[id] = order
                case .refused: state.ledger.refused[id] = order
                case .unknown: state.ledger.unknown[id] = order
                }
            }
            guard fate == .acknowledged else { return }
            let silence = Int64(state.lastAnswer.duration(to: now) / .milliseconds(1))
            state.ledger.longestSilence = max(state.ledger.longestSilence, silence)
            state.lastAnswer = now
        }
    }

    func count(_ change: @Sendable (inout Ledger) -> Void) { state.withLock { change(&$0.ledger) } }
}
