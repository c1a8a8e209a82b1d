import Foundation

/// The cluster's workers: more are started, some killed or frozen. Each stands in the start script's folder of process ids,
/// so that the script ends it.
struct WorkerFleet: Sendable {
    /// The `reprise` program.
    let binary: String
    let pids: String

    func worker(_ name: String) throws -> ClusterProcess {
        let all = try ClusterProcess.all(in: pids)
        guard let process = all.first(where: { $0.name == name }) else {
            throw LoadError("there is no '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
        }
        return process
    }

    /// Starts a worker under this name, of which none may run.
    func start(_ name: String) throws { try start(name, ["worker", "--name", name]) }

    /// Starts any role; `environment` goes before what this program has.
    func start(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let path = URL(fileURLWithPath: pids).deletingLastPathComponent().appending(path: "logs/\(name).log").path
        guard FileManager.default.fileExists(atPath: path) || FileManager.default.createFile(atPath: path, contents: nil),
            let log = FileHandle(forWritingAtPath: path)
        else { throw LoadError("\(path) cannot be written") }
        try log.seekToEnd()
        process.standardOutput = log
        process.standardError = log
        try process.run()
        let started = ClusterProcess.startTime(of: process.processIdentifier)
        try Data("\(process.processIdentifier) \(started)\n".utf8).write(to: URL(fileURLWithPath: pids + "/" + name))
    }

    /// Runs a command of `reprise` to its end.
    func run(_ arguments: [String], environment: [String: String] = [:]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        // Not ended by the task's cancelling: a process that runs has no status to be asked for.
        try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in ended.resume() }
            do { try process.run() } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
        guard process.terminationStatus == 0 else {
            throw LoadError("reprise \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
        }
    }
}
