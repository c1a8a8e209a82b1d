import Foundation
import Testing

/// A run of the `simulate` program that was built beside these tests.
struct SimulateRun: Sendable {
    let status: Int32
    let output: String

    /// Runs it to its end. A thread of its own waits: the pool's threads are for the other tests.
    init(_ arguments: String...) async throws {
        let program = try Self.program()
        let run = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<SimulateRun, any Error>) in
            Thread.detachNewThread {
                continuation.resume(with: Result { try SimulateRun(program, arguments) })
            }
        }
        self = run
    }

    private init(_ program: URL, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
        output = String(decoding: text, as: UTF8.self)
    }

    /// What a run of one seed says of its trace.
    var trace: Substring? { output.split(separator: "\n").first { $0.contains("trace ") } }

    private static func program() throws -> URL {
        var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4 {
            let path = folder.appending(path: "simulate")
            if FileManager.default.isExecutableFile(atPath: path.path) { return path }
            folder.deleteLastPathComponent()
        }
        return try #require(
            Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent().appending(path: "simulate") }
                .first { FileManager.default.isExecutableFile(atPath: $0.path) }, "simulate is built beside the tests")
    }
}
