package import Foundation
internal import Synchronization

/// A process that a test started. It ends with the test process, however that ends: a shell in between waits for the end of
/// its input and then kills it.
package final class ChildProcess: Sendable {
    /// Of the program itself, not of the shell.
    package let processID: Int32
    private let shell: Process
    private let input: Pipe
    private let killed = Mutex(false)

    /// - Parameters:
    ///   - arguments: the program's path, then its arguments.
    ///   - output: a file that gets what it writes.
    package init(_ arguments: [String], output: URL, environment: [String: String] = [:]) throws {
        shell = Process()
        input = Pipe()
        let started = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        let script = #"out=$1; shift; "$@" >"$out" 2>&1 </dev/null & p=$!; echo $p; exec >/dev/null 2>&1; read -r _; kill -9 $p"#
        shell.arguments = ["-c", script, "sh", output.path] + arguments
        shell.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        shell.standardInput = input
        shell.standardOutput = started
        try shell.run()
        guard let line = String(data: started.fileHandleForReading.availableData, encoding: .utf8),
            let number = Int32(line.trimmingCharacters(in: .whitespacesAndNewlines))
        else { throw TestSupportError("\(arguments.first ?? "nothing") could not be started") }
        processID = number
    }

    /// Zombies run no more.
    package var isRunning: Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8) else { return false }
        return status.split(separator: ")").last?.hasPrefix(" Z") == false
    }

    package func send(signal: Int32) throws {
        guard kill(processID, signal) == 0 else {
            throw TestSupportError("process \(processID) got no signal \(signal): error \(errno)")
        }
    }

    /// Stops it with SIGSTOP and returns when every thread of it stands: until then it may still answer.
    package func freeze() async throws {
        try send(signal: SIGSTOP)
        try await eventually("process \(processID) stands") {
            let tasks = "/proc/\(self.processID)/task"
            return try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { task in
                let status = try? String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)
                return status?.split(separator: ")").last?.hasPrefix(" T") ?? true
            }
        }
    }

    /// Kills it with -9 and returns when it is gone.
    package func killAndWait() async throws {
        let first = killed.withLock { killed in
            defer { killed = true }
            return !killed
        }
        guard first else { return }
        if kill(processID, SIGKILL) != 0, errno != ESRCH { throw TestSupportError("process \(processID) cannot be killed") }
        try input.fileHandleForWriting.close()
        try await eventually("process \(processID) is gone") { !self.isRunning }
    }
}

package struct TestSupportError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Waits until the condition holds; throws, naming it, when it does not in time.
package func eventually(
    _ what: String, within limit: Duration = .seconds(90), _ condition: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw TestSupportError("not within \(limit): \(what)")
}
