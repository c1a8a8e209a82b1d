import Foundation
import Synchronization
import TestSupport

/// A finished run of the `reprise` binary that was built beside the tests.
struct CommandRun: Sendable {
    var status: Int32
    var output: String
    var errors: String

    /// Where it is.
    static func binary() throws -> String {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<3 {
            let path = folder.appendingPathComponent("reprise").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
            folder.deleteLastPathComponent()
        }
        throw TestSupportError("no reprise beside \(CommandLine.arguments[0]): build all with `swift build --build-tests`")
    }

    /// Runs it to its end. The environment is as small as a service's, and what is given.
    static func reprise(_ arguments: [String], environment: [String: String] = [:]) async throws -> CommandRun {
        let files = try ScratchFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try binary())
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try files.handle("output")
        process.standardError = try files.handle("errors")
        try await end(process)
        try Task.checkCancellation()
        return CommandRun(status: process.terminationStatus, output: try files.text("output"), errors: try files.text("errors"))
    }

    /// Starts it and returns when it has ended, which a cancelled task brings about: one that runs has no status to be asked
    /// for.
    private static func end(_ process: Process) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
                process.terminationHandler = { _ in ended.resume() }
                do {
                    try Task.checkCancellation()
                    try process.run()
                } catch {
                    process.terminationHandler = nil
                    ended.resume(throwing: error)
                }
            }
        } onCancel: {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }
}

/// A folder that is removed with the value's end.
final class ScratchFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("reprise-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        // What is left in the temporary folder does no harm.
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func handle(_ name: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path(name), contents: nil),
            let handle = FileHandle(forWritingAtPath: path(name))
        else { throw TestSupportError("\(path(name)) cannot be written") }
        return handle
    }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
}
