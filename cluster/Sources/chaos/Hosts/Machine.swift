import Curl
import Foundation
import TestSupport

/// One host's process: started, ended, watched. An actor, so that faults and the supervisor do not meet in the middle.
actor Machine {
    /// How the process is started.
    struct Program: Sendable {
        var path: String
        var arguments: [String]
        var environment: [String: String]
    }

    nonisolated let host: Topology.Host
    private let prefix: [String]
    private let logs: URL
    private var program: Program
    private var process: ChildProcess?
    private var isWanted = false
    private var starts = 0

    init(_ host: Topology.Host, prefix: [String], logs: URL, program: Program) {
        self.host = host
        self.prefix = prefix
        self.logs = logs
        self.program = program
    }

    /// Throws when it runs: two of one name would be a mistake of the operator's.
    func start() throws {
        guard process == nil else { throw ChaosError("\(host) already runs") }
        starts += 1
        process = try ChildProcess(
            prefix + [program.path] + program.arguments, output: log(starts), environment: program.environment)
        isWanted = true
    }

    /// From the next start on.
    func change(_ change: @Sendable (inout Program) -> Void) { change(&program) }

    func kill() async throws {
        isWanted = false
        try await process?.killAndWait()
        process = nil
    }

    /// SIGTERM; false when it had to be killed after all. One that was not running has ended well.
    func end(withinSeconds patience: Int = 30) async throws -> Bool {
        isWanted = false
        guard let process else { return true }
        self.process = nil
        try process.send(signal: SIGTERM)
        let deadline = ContinuousClock.now + .seconds(patience)
        while process.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        let ended = !process.isRunning
        try await process.killAndWait()
        return ended
    }

    func freeze() throws { try process?.send(signal: SIGSTOP) }
    func thaw() throws { try process?.send(signal: SIGCONT) }

    /// Starts it again when it ended by itself, as a supervisor would. Returns its last words then.
    func supervise() throws -> String? {
        guard isWanted, let process, !process.isRunning else { return nil }
        self.process = nil
        let words = lastWords()
        try start()
        return words
    }

    private func log(_ start: Int) -> URL { logs.appendingPathComponent("\(host).\(start).log") }

    private func lastWords() -> String {
        guard let text = try? String(contentsOf: log(starts), encoding: .utf8) else { return "it left no log" }
        let lines = text.split(separator: "\n")
        return String(
            (lines.first { $0.contains("Fatal error") || $0.contains("rogram crashed") } ?? lines.last ?? "it said nothing"))
    }
}
