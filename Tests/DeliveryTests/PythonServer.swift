import Foundation

/// A server of Tests/Scripts or cluster/lib, as a process; ended with this object.
final class PythonServer: Sendable {
    let port: Int
    private let process: Process

    static let repository = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

    struct Failure: Error { let message: String }

    /// Waits until it prints its address.
    init(_ script: String, _ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [Self.repository.appending(path: script).path] + arguments
        if script.hasSuffix(".py") { process.arguments?.insert("python3", at: 0) }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = await Self.firstLine(output.fileHandleForReading)
        guard let address = line.firstMatch(of: /127\.0\.0\.1:([0-9]+)/), let port = Int(address.1) else {
            kill(process.processIdentifier, SIGKILL)
            throw Failure(message: "\(script) said: \(line)")
        }
        self.port = port
        self.process = process
    }

    deinit {
        // Not SIGTERM: a child started from a thread of Dispatch inherits its mask, which blocks that.
        kill(process.processIdentifier, SIGKILL)
    }

    private static func firstLine(_ file: FileHandle) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var text = ""
                while !text.contains("\n") {
                    let data = file.availableData
                    if data.isEmpty { break }
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text)
            }
        }
    }

    /// Runs a program to its end with `input` on its standard input.
    static func run(_ arguments: [String], input: [UInt8] = []) async throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        let (inPipe, outPipe) = (Pipe(), Pipe())
        process.standardInput = inPipe
        process.standardOutput = outPipe
        process.standardError = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = {
            end.yield($0.terminationStatus)
            end.finish()
        }
        try process.run()
        let (reading, writing) = (outPipe.fileHandleForReading, inPipe.fileHandleForWriting)
        let output = await withCheckedContinuation { (continuation: CheckedContinuation<[UInt8], Never>) in
            Thread.detachNewThread {
                writing.write(Data(input))
                try? writing.close()
                continuation.resume(returning: Array(reading.readDataToEndOfFile()))
            }
        }
        for await status in ended where status != 0 { throw Failure(message: "\(arguments) ended with \(status)") }
        return output
    }
}

/// A folder that goes with this object.
final class ScratchFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    /// Lines of a file; none when it is not there.
    func lines(_ name: String) -> [String] {
        guard let text = try? String(contentsOf: url.appending(path: name), encoding: .utf8) else { return [] }
        return text.split(separator: "\n").map(String.init)
    }
}
