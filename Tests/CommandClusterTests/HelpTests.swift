import Foundation
import Synchronization
import TestSupport
import Testing

/// What a person meets first: help, and what is said of wrong arguments. No server is needed.
@Suite struct HelpTests {
    static let commands: [[String]] = [
        [], ["status"], ["mechanics"], ["segment"], ["segment", "list"], ["segment", "members"], ["segment", "freeze"],
        ["customer"], ["customer", "show"], ["customer", "timeline"], ["customer", "decisions"], ["mechanics", "show"],
        ["mechanics", "drill"], ["install"], ["rules"], ["rules", "check"],
        ["rules", "apply"], ["rules", "show"], ["import"], ["replay"], ["dead"], ["dead", "list"], ["dead", "show"],
        ["dead", "replay"], ["dead", "discard"], ["clock"], ["clock", "advance"], ["coordinator"],
        ["worker"], ["worker", "run"], ["worker", "drain"], ["worker", "undrain"],
        ["gateway"], ["dispatcher"], ["history"], ["node"], ["backup"], ["backup", "verify"], ["restore"], ["delivery"],
        ["delivery", "status"], ["delivery", "hold"], ["delivery", "release"], ["recover"],
    ]

    @Test(arguments: commands)
    func `G2 every command explains itself`(command: [String]) async throws {
        let run = try await CommandRun.reprise(command + ["--help"])
        #expect(run.status == 0)
        #expect(run.output.contains("OVERVIEW: "))
        #expect(run.output.contains("USAGE: reprise \(command.joined(separator: " "))".trimmingCharacters(in: .whitespaces)))
        for line in run.output.split(separator: "\n") where line.hasPrefix("  --") {
            #expect(!line.hasSuffix("  "), "an option without a word on it: \(line)")
        }
    }

    static let mistakes: [([String], String)] = [
        (["install", "--shards", "48"], "--shards 48: a power of two from 1 to 1024 is wanted"),
        (["install", "--replicas", "2"], "--replicas 2: 1 or 3 is wanted"),
        (["worker", "--name", "Worker 1"], "--name 'Worker 1': 1 to 64 of a-z, 0-9 and - are wanted"),
        (["coordinator", "--data", ".", "--standbys", "3"], "--standbys: 0 to 2, not 3"),
        (["coordinator", "--data", ".", "--worker-timeout", "100"], "--worker-timeout: 1000 to 60000 ms, not 100"),
        (["gateway", "--port", "70000", "--write-key", "w", "--admin-key", "a"], "--port: 1 to 65535, not 70000"),
        (["gateway", "--admin-key", "a"], "a write key is wanted: --write-key, or REPRISE_WRITE_KEY"),
        (["gateway", "--write-key", "w", "--admin-key", "w"], "--admin-key: not one of the write keys"),
        (["dispatcher"], "a mail server is wanted: --smtp smtp://host:port, or REPRISE_SMTP"),
        (["dispatcher", "--smtp", "mail.example.com"], "--smtp 'mail.example.com': smtp://host:port is wanted"),
        (["node", "--role", "gateway"], "a write key is wanted"),
        (["import", "orders.csv", "--from-row", "0"], "--from-row: 1 or more"),
        (["segment", "members", "loyal", "--limit", "0"], "--limit: 1 or more"),
        (["segment", "freeze", "loyal", "--as", ""], "--as: 1 to 252 bytes without control characters"),
        (["replay"], "a file or --simulated is wanted, one of them"),
        (["clock", "advance", "--to", "tomorrow"], "--to 'tomorrow': a time between 1980 and 2099 is wanted"),
        (["rules", "check"], "Missing expected argument '--file <path> ...'"),
        (["launch"], "launch"),
    ]

    @Test(arguments: mistakes)
    func `a wrong argument is named, and what is allowed`(arguments: [String], sentence: String) async throws {
        let run = try await CommandRun.reprise(arguments)
        #expect(run.status == 64)
        #expect(run.errors.contains(sentence), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test func `without a server the address that was tried is named`() async throws {
        let run = try await CommandRun.reprise(["status", "--nats", "nats://127.0.0.1:1"])
        #expect(run.status == 1)
        #expect(run.errors.hasPrefix("Error: NATS cannot be reached at nats://127.0.0.1:1: "))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func `a file of orders that is not there is named`() async throws {
        let run = try await CommandRun.reprise(["import", "/nowhere/orders.csv", "--write-key", "w"])
        #expect(run.status == 1)
        #expect(run.errors == "Error: '/nowhere/orders.csv' cannot be read\n")
    }

    @Test func `rules with a mistake are named by file, line and field`() async throws {
        let folder = try ScratchFolder()
        let file = try folder.write(
            "rules.yaml", "rules:\n  - name: a\n    mechanic: time_since_last_purchase\n    afterr: 3d\n    action: record\n")
        let run = try await CommandRun.reprise(["rules", "check", "-f", file])
        #expect(run.status == 1)
        #expect(run.errors.contains("\(file):4:5: "), "\(run.errors)")
        #expect(run.errors.contains("afterr"))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a command whose test is cancelled is ended, and its test goes on`() async throws {
        let folder = try ScratchFolder()
        let pipe = folder.path("orders.csv")
        let made = unsafe mkfifo(pipe, 0o600)
        #expect(made == 0)
        let command = Task { try await CommandRun.reprise(["import", pipe, "--write-key", "w"]) }
        // It can be written to when the command reads it, which then waits for more.
        let writing = Mutex<Int32>(-1)
        try await eventually("the command reads its file") {
            let file = unsafe open(pipe, O_WRONLY | O_NONBLOCK)
            writing.withLock { $0 = file }
            return file >= 0
        }
        defer { close(writing.withLock { $0 }) }
        command.cancel()
        await #expect(throws: CancellationError.self) { try await command.value }
    }
}
