import Foundation
import Testing

/// The sources keep to what the project has agreed on. Each finding names file, line and what to do.
@Suite struct SourceTidyTests {
    private let files: [SourceFile]

    init() throws {
        files = try SourceFile.all()
    }

    /// Findings that are meant to be: path and rule, and the reason. One that is no longer needed must go.
    private static let allowed: [(path: String, rule: Rule, reason: String)] = [
        (
            "Tests/TestSupport/ChildProcess.swift", .sleeping,
            "`eventually` asks another process again and again: that process cannot wake it"
        ),
        (
            "Tests/GatewayTests/Support/RunningGateway.swift", .sleeping,
            "the machine's clock as a port: sleeping is what it is for"
        ),
    ]

    enum Rule: String, CaseIterable {
        case forced, sleeping, unreasoned, lineLength, fileLength, unfinished
    }

    private struct Finding: CustomStringConvertible {
        let path: String
        let line: Int
        let what: String
        var description: String { "\(path):\(line): \(what)" }
    }

    /// Records what was found and is not allowed, and what is allowed and was not found.
    private func report(_ findings: [Finding], _ rule: Rule) {
        let allowed = Set(Self.allowed.filter { $0.rule == rule }.map(\.path))
        for finding in findings where !allowed.contains(finding.path) { Issue.record("\(finding)") }
        for path in allowed.subtracting(findings.map(\.path)).sorted() {
            Issue.record("\(path): is allowed '\(rule.rawValue)' and no longer needs it")
        }
    }

    /// Each line of code that the expression is found in.
    private func search(_ files: [SourceFile], _ pattern: String, _ what: String) throws -> [Finding] {
        let expression = try Regex(pattern)
        return files.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                line.contains(expression) ? Finding(path: file.path, line: index + 1, what: what) : nil
            }
        }
    }

    @Test func `there is something to look at`() {
        #expect(files.contains { $0.path == "Sources/Model/Event.swift" })
        #expect(files.contains { $0.isTest && $0.target == "TidyTests" })
        #expect(files.contains { $0.target == "Workload" && !$0.isTest })
    }

    @Test func `nothing is forced: no try!, no as!, no unwrapping by !`() throws {
        let sources = files.filter { !$0.isTest }
        var findings = try search(sources, #"\btry!"#, "try! hides an error: let it be thrown")
        findings += try search(sources, #"\bas!"#, "as! traps: use as? and say what is wrong")
        // A value, then `!`, then neither another comparison nor the rest of an operator.
        findings += try search(
            sources, #"[A-Za-z0-9_\)\]\}]!(?![=!])"#, "! traps: use guard, or a type that cannot be nil")
        report(findings, .forced)
    }

    @Test func `tests wait for conditions, they do not sleep`() throws {
        let tests = files.filter(\.isTest)
        var findings = try search(tests, #"\b(Task|Thread)\.sleep\b"#, "wait for the condition instead")
        findings += try search(tests, #"\b(usleep|nanosleep)\s*\("#, "wait for the condition instead")
        findings += try search(tests, #"^(?!.*\bfunc sleep).*[^.\w]sleep\s*\("#, "wait for the condition instead")
        report(findings, .sleeping)
    }

    @Test func `what the compiler cannot check has its reason beside it`() throws {
        var findings: [Finding] = []
        for file in files {
            for (index, line) in file.code.enumerated()
            where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
                var before = index - 1
                while before >= 0, file.lines[before].drop(while: \.isWhitespace).hasPrefix("@") { before -= 1 }
                let hasReason =
                    file.lines[index].contains("//")
                    || (before >= 0 && file.lines[before].drop(while: \.isWhitespace).hasPrefix("//"))
                if !hasReason {
                    findings.append(Finding(path: file.path, line: index + 1, what: "say in a comment above why this is safe"))
                }
            }
        }
        report(findings, .unreasoned)
    }

    @Test func `lines have at most 130 characters`() {
        let findings = files.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                line.count > 130 ? Finding(path: file.path, line: index + 1, what: "\(line.count) characters, at most 130") : nil
            }
        }
        report(findings, .lineLength)
    }

    @Test func `files have at most 400 lines`() {
        let findings = files.compactMap { file in
            file.lines.count > 401
                ? Finding(path: file.path, line: 401, what: "\(file.lines.count - 1) lines, at most 400: a type a file") : nil
        }
        report(findings, .fileLength)
    }

    @Test func `nothing is left unfinished`() throws {
        // Written apart, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "not " + "implemented", "un" + "implemented"]
        let expression = try Regex(#"\b("# + words.joined(separator: "|") + #")\b"#).ignoresCase()
        var findings: [Finding] = files.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                line.firstMatch(of: expression) == nil
                    ? nil : Finding(path: file.path, line: index + 1, what: "finish it, or leave it out")
            }
        }
        let rooms = Dictionary(grouping: files) { "\($0.isTest)/\($0.target)" }
        for (_, room) in rooms where room.count > 1 {
            findings += room.filter { $0.path.hasSuffix("/Room.swift") }
                .map { Finding(path: $0.path, line: 1, what: "the target has real files now: delete this one") }
        }
        report(findings, .unfinished)
    }
}
