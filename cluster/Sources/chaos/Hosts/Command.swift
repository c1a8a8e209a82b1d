import Foundation

/// What the person who runs it is told: what is wrong, where, what is allowed.
struct ChaosError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Short programs that are run to their end.
enum Command {
    struct Outcome: Sendable {
        var status: Int32
        var output: String
    }

    /// Runs it; both outputs together. Whatever its end, it is returned.
    static func attempt(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("chaos-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: file.path, contents: nil),
            let handle = FileHandle(forWritingAtPath: file.path)
        else { throw ChaosError("\(file.path) cannot be written") }
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardOutput = handle
        process.standardError = handle
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        // A task that is cancelled still waits for the end: these programs are short.
        await Task { for await _ in ended.stream {} }.value
        return Outcome(status: process.terminationStatus, output: try String(contentsOf: file, encoding: .utf8))
    }

    /// Runs it and returns what it says; throws when it fails.
    @discardableResult
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> String {
        let outcome = try await attempt(arguments, environment: environment)
        guard outcome.status == 0 else {
            throw ChaosError("\(arguments.joined(separator: " ")) ended with \(outcome.status): \(outcome.output)")
        }
        return outcome.output
    }
}
