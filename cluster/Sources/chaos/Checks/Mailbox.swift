import Foundation
import Model

/// The messages of a mailbox, by the action that each names.
struct Mailbox: Sendable {
    private(set) var actions: [ActionID] = []
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
        actions.append(action)
    }
}
