internal import Model

/// Something that happened in a commit and that a record of an input can rest on, or the other way round.
enum Cause: Hashable, Sendable {
    case message(from: ShardID, to: ShardID, counter: UInt64)
    case opened(ActionID, in: ShardID)
    case granted(ActionID, AttemptID)
    case setAside(ShardID, UInt64)
}

/// A record of an input as far as the cut goes.
struct InputEntry: Equatable, Sendable {
    /// Messages of another shard: their counters.
    struct Messages: Equatable, Sendable {
        var from: ShardID
        var first: UInt64
    }

    var sequence: UInt64
    /// Without all of these in the logs it could not have been written.
    var rests: Set<Cause> = []
    /// A clock record: whoever wrote it had waited until all events before it were acknowledged, wherever they went.
    var restsOnAll = false
    var messages: Messages?
}

/// A commit as far as the cut goes.
struct CommitEntry: Equatable, Sendable {
    struct Delivered: Equatable, Sendable {
        var to: ShardID
        var through: UInt64
    }

    var number: UInt64
    /// The last record of its shard's input that it has seen; 0 = it names none.
    var read: UInt64
    /// What rests on it.
    var makes: Set<Cause> = []
    /// What it says the inputs of other shards hold.
    var delivered: [Delivered] = []
}

extension InputEntry {
    /// What cannot be read rests on nothing: it is set aside wherever it comes.
    init(_ record: LogRecord, of shard: ShardID) {
        sequence = record.sequence
        guard let message = try? InputMessage.decoded(record.payload) else { return }
        switch message {
        case .events(let events):
            for event in events {
                switch event.body {
                case .permitRequest(let action, _): rests.insert(.opened(action, in: shard))
                case .outcome(let action, let attempt, _, _): rests.insert(.granted(action, attempt))
                default: break
                }
            }
        case .clock: restsOnAll = true
        case .messages(let source, let first, let bodies):
            messages = Messages(from: source, first: first)
            for index in bodies.indices {
                rests.insert(.message(from: source, to: shard, counter: first + UInt64(index)))
            }
        case .replay(let number, _): rests.insert(.setAside(shard, number))
        }
    }
}

extension CommitEntry {
    init(_ commit: Commit) throws(FormatError) {
        number = commit.number
        read = max(commit.steps.last?.inputSequence ?? 0, commit.takeover?.inputSequence ?? 0)
        if case .event(let sequence, _)? = commit.attempt?.place { read = max(read, sequence) }
        for step in commit.steps {
            for effect in try step.decodedEffects() {
                switch effect {
                case .actionOpened(let opened), .actionMoved(let opened):
                    makes.insert(.opened(opened.action, in: commit.shard))
                case .permitGranted(let grant): makes.insert(.granted(grant.action, grant.attempt))
                case .setAside(let event): makes.insert(.setAside(commit.shard, event.number))
                case .messageSent(let to, let counter, _):
                    makes.insert(.message(from: commit.shard, to: to, counter: counter))
                case .messagesDelivered(let to, let through): delivered.append(Delivered(to: to, through: through))
                default: break
                }
            }
        }
    }
}
