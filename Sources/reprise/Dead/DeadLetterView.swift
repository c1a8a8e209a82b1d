import Foundation
import Model
import PurchaseFiles

/// What was set aside, for people and programs.
struct DeadLetterView: Encodable {
    var id: String
    /// `waiting`, `replayed` or `discarded`.
    var state: String
    /// Why it was discarded.
    var why: String?
    /// The commit in which it was taken again.
    var replayCommit: UInt64?
    var reason: String
    /// What it is, in a few words.
    var what: String
    var customer: String
    var arrived: String
    var commit: UInt64
    var inputSequence: UInt64
    var index: UInt32
    /// Under which id it was set aside before.
    var replayOf: String?
    var bytes: Int
    /// What it says, when asked for: the events in readable form, or the bytes in hexadecimal.
    var content: [String]?

    init(_ letter: DeadLetterBook.Letter, withContent: Bool = false) {
        let event = letter.event
        id = letter.id.description
        switch letter.state {
        case .waiting: state = "waiting"
        case .replayed(let commit): (state, replayCommit) = ("replayed", commit)
        case .discarded(_, let reason): (state, why) = ("discarded", reason)
        }
        reason = event.reason
        arrived = CalendarDate.text(event.arrived)
        commit = letter.commit
        inputSequence = event.inputSequence
        index = event.index
        replayOf = event.replayOf == 0 ? nil : DeadLetterID(shard: letter.id.shard, number: event.replayOf).description
        bytes = Int(event.size)
        (what, customer, content) = Self.describe(event)
        if !withContent { content = nil }
    }

    private static func describe(_ event: SetAside) -> (String, String, [String]) {
        if event.message.isEmpty { return ("wake-up", "", []) }
        let hexadecimal = stride(from: 0, to: event.message.count, by: 32).map { start in
            event.message[start..<min(start + 32, event.message.count)].map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined(separator: " ")
        }
        // What cannot be read is shown as it is.
        guard let message = try? InputMessage.decoded(event.message), case .events(let events) = message, !events.isEmpty else {
            return ("message of \(event.size) bytes", "", hexadecimal)
        }
        let what = events.count == 1 ? words(for: events[0].body) : "\(events.count) events"
        return (what, events.count == 1 ? events[0].customer.text : "", events.map(line))
    }

    private static func words(for body: Event.Body) -> String {
        switch body {
        case .order(let order): "order \(order.orderID) \(order.change)"
        case .product(let product): "product \(product.product.id) \(product.kind)"
        case .identify: "identify"
        case .engagement(let engagement): "message \(engagement.kind)"
        case .named(let name, _): "track '\(name)'"
        case .alias: "alias"
        case .permitRequest: "permit request"
        case .outcome: "outcome"
        }
    }

    private static func line(_ event: Event) -> String {
        var parts = [CalendarDate.text(event.time), event.customer.text, words(for: event.body)]
        switch event.body {
        case .order(let order):
            if let revenue = order.revenue { parts.append("worth \(revenue) \(order.currency)") }
            parts += order.lines.map { "\($0.quantity) x \($0.product.id) at \($0.price)" }
        case .identify(let identify):
            parts += identify.traits.map { "\($0.name)=\($0.value)" }
            parts += identify.consents.map { "consent \($0.channel.name)=\($0.granted)" }
        case .named(_, let properties): parts.append(String(decoding: properties, as: UTF8.self))
        case .alias(let previous): parts.append("of \(previous)")
        case .permitRequest(let action, let attempt): parts.append("for action \(action), attempt \(attempt)")
        case .outcome(let action, let attempt, let outcome, let detail):
            parts.append("of action \(action), attempt \(attempt): \(outcome.name) \(detail)")
        case .product, .engagement: break
        }
        return parts.joined(separator: "  ")
    }

    var text: String {
        var lines = [
            "\(id)   \(state)" + (why.map { ": \($0)" } ?? "") + (replayCommit.map { " in commit \($0)" } ?? ""),
            "  reason: \(reason)",
            "  stood in: input \(inputSequence) of its shard, event \(index); came \(arrived)",
            "  set aside in: commit \(commit)",
        ]
        if let replayOf { lines.append("  replayed from: \(replayOf)") }
        lines.append("  what: \(what), \(bytes) bytes as a message")
        lines += (content ?? []).map { "    " + $0 }
        return lines.joined(separator: "\n")
    }
}
