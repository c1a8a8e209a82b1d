import Foundation
import Model

/// The mailbox against the log: every message at most once, and for each that was permitted it is known what became of it
/// (I7, I11). Pure but for reading the folder.
struct MailCheck: Sendable {
    /// How often each action's message arrived.
    private(set) var mails: [ActionID: Int] = [:]
    private(set) var violations: [String] = []

    /// Reads a maildir's `new`.
    init(folder: URL) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let data = try Data(contentsOf: folder.appendingPathComponent(name))
            add(String(decoding: data, as: UTF8.self), name)
        }
    }

    init(mails: [String]) {
        for (index, mail) in mails.enumerated() { add(mail, "mail \(index)") }
    }

    private mutating func add(_ mail: String, _ name: String) {
        let line = mail.split(whereSeparator: \.isNewline).first { $0.hasPrefix("X-Reprise-Action: ") }
        guard let line, let action = ActionID(text: String(line.dropFirst("X-Reprise-Action: ".count))) else {
            violations.append("I11 \(name) in the mailbox names no action")
            return
        }
        mails[action, default: 0] += 1
    }

    /// Everything that does not fit, at most so many lines.
    func compare(with actions: [ActionID: Books.Action]) -> [String] {
        var found = violations
        for (mail, count) in mails.sorted(by: { $0.key < $1.key }) {
            if count > 1 { found.append("I11 the message of action \(mail) arrived \(count) times") }
            if actions[mail] == nil { found.append("I5 the message of action \(mail) arrived, and nobody decided it") }
        }
        for (id, action) in actions.sorted(by: { $0.key < $1.key }) {
            if let what = problem(action, arrived: mails[id] != nil) { found.append("action \(id): \(what)") }
        }
        return found
    }

    private func problem(_ action: Books.Action, arrived: Bool) -> String? {
        if action.openings != 1 { return "I5 opened \(action.openings) times" }
        // Closed by being opened: it goes nowhere.
        if action.channel == .record { return arrived ? "I11 only recorded, and a message arrived" : nil }
        guard action.closings.count == 1, let end = action.closings.first else {
            return "I7 closed \(action.closings.count) times"
        }
        if arrived && action.grants.isEmpty { return "I9 its message arrived without a permit" }
        switch end.outcome {
        case .sent: return arrived ? nil : "I7 counted as sent, and no message arrived"
        // May have arrived or not: that is what the word says. Its reason must be there.
        case .uncertain: return end.detail.isEmpty ? "I7 uncertain without a reason" : nil
        case .undeliverable:
            if arrived { return "I11 counted as undeliverable, and its message arrived" }
            return end.detail.isEmpty && end.reason == .none ? "I7 undeliverable without a reason" : nil
        case .withdrawn:
            if arrived { return "I11 withdrawn, and its message arrived" }
            return end.reason == .none && end.detail.isEmpty ? "I7 withdrawn without a reason" : nil
        case .recorded, .failedForNow, .notTried: return "I7 closed as \(end.outcome.name)"
        }
    }
}
