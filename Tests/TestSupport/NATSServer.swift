package import Foundation
package import Logging
package import NATS

/// A real nats-server with JetStream on a free port of this machine, its data in a folder of its own. It can be killed,
/// frozen and restarted on the same port with the same data. Ends with the test process at the latest.
package final class NATSServer: @unchecked Sendable {
    // @unchecked: `process` is replaced only by `restart`, which a test calls while it calls nothing else.
    package let port: Int
    package let folder: URL
    private let binary: String
    private let configuration: String
    private var process: ChildProcess
    private var starts = 1

    package var url: String { "nats://127.0.0.1:\(port)" }
    package var processID: Int32 { process.processID }

    private init(binary: String, port: Int, folder: URL, configuration: String) throws {
        self.binary = binary
        self.port = port
        self.folder = folder
        self.configuration = configuration
        process = try Self.launch(binary, port: port, folder: folder, configuration: configuration, start: 1)
    }

    /// Starts one and waits until JetStream answers.
    ///
    /// - Parameter configuration: more lines for its configuration file.
    package static func start(configuration: String = "") async throws -> NATSServer {
        let server = try launch(configuration: configuration)
        try await server.waitUntilReady()
        return server
    }

    /// Starts one; it may not answer yet.
    static func launch(configuration: String) throws -> NATSServer {
        let binary = try findBinary()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reprise-nats-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return try NATSServer(binary: binary, port: try freePort(), folder: folder, configuration: configuration)
    }

    /// Where nats-server is: `NATS_SERVER`, or where ./cluster/demo and ./cluster/test put it, or the PATH.
    package static func findBinary() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["NATS_SERVER"] {
            guard FileManager.default.isExecutableFile(atPath: named) else {
                throw TestSupportError("NATS_SERVER names \(named), which is no program")
            }
            return named
        }
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let places =
            [root.appendingPathComponent(".build-tools/nats-server/bin").path]
            + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for place in places {
            let path = "\(place)/nats-server"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw TestSupportError(
            "no nats-server found: run ./cluster/test, which installs it, or set NATS_SERVER to the path of one")
    }

    /// A connection to it, which the caller closes.
    package func connect(_ adapt: (inout NATSConnection.Options) -> Void = { _ in }) async throws -> NATSConnection {
        var options = NATSConnection.Options(urls: [url], name: "test")
        adapt(&options)
        return try await NATSConnection.connect(options, waitUpTo: .seconds(10), log: testLog)
    }

    package func freeze() async throws { try await process.freeze() }
    package func thaw() throws { try process.send(signal: SIGCONT) }
    package func kill() async throws { try await process.killAndWait() }

    /// Starts it again after `kill`, on the same port with the same data.
    package func restart() async throws {
        starts += 1
        process = try Self.launch(binary, port: port, folder: folder, configuration: configuration, start: starts)
        try await waitUntilReady()
    }

    /// Kills it and removes its data.
    package func stop() async throws {
        try await process.killAndWait()
        try FileManager.default.removeItem(at: folder)
    }

    func waitUntilReady() async throws {
        let connection: NATSConnection
        do {
            connection = try await connect()
        } catch {
            let log = try? String(contentsOf: folder.appendingPathComponent("log-\(starts).txt"), encoding: .utf8)
            throw TestSupportError("nats-server does not answer: \(error)\n\(log ?? "")")
        }
        defer { connection.close() }
        try await eventually("JetStream answers") {
            do {
                _ = try await connection.request("$JS.API.INFO", [], timeout: .seconds(1))
                return true
            } catch {
                return false
            }
        }
    }

    private static func launch(
        _ binary: String, port: Int, folder: URL, configuration: String, start: Int
    ) throws -> ChildProcess {
        let file = folder.appendingPathComponent("nats.conf")
        let text = """
            host: 127.0.0.1
            port: \(port)
            jetstream { store_dir: "\(folder.appendingPathComponent("data").path)", max_file_store: 64GB }
            \(configuration)
            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try ChildProcess([binary, "-c", file.path], output: folder.appendingPathComponent("log-\(start).txt"))
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
package func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw TestSupportError("no socket: error \(errno)") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let named = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe (bind(descriptor, generic, size) == 0 && getsockname(descriptor, generic, &size) == 0)
        }
    }
    guard named else { throw TestSupportError("no free port: error \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Says only what is worth a look when a test fails.
package let testLog: Logger = {
    var log = Logger(label: "test")
    log.logLevel = .error
    return log
}()
