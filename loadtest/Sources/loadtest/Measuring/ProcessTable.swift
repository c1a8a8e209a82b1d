import Foundation

/// A process of the cluster, as the start script wrote it down: `<folder>/<name>` holds its id and its start time.
///
/// The start time, in the kernel's ticks since boot, tells it from a later process of the same id.
struct ClusterProcess: Hashable, Sendable {
    let name: String
    let id: Int32
    let started: String

    /// Memory as the kernel sees it now; nil when the process has ended.
    func memory() -> ProcessMemory? {
        guard isAlive else { return nil }
        return ProcessMemory(status: Self.read("/proc/\(id)/status"))
    }

    var isAlive: Bool {
        let stat = Self.read("/proc/\(id)/stat")
        // The program's name may hold anything: count from behind its last bracket.
        guard let bracket = stat.lastIndex(of: ")") else { return false }
        let fields = stat[stat.index(after: bracket)...].split(separator: " ")
        return fields.count > 19 && fields[0] != "Z" && fields[19] == started
    }

    /// Processor time that it has used, user's and system's; nil when it has ended.
    func processorSeconds() -> Double? {
        guard isAlive else { return nil }
        let stat = Self.read("/proc/\(id)/stat")
        guard let bracket = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: bracket)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// How many files, sockets too, it holds open; nil when it has ended.
    func openFiles() -> Int? {
        guard isAlive else { return nil }
        return try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count
    }

    /// Ends it as a failing machine would.
    func kill9() throws {
        guard isAlive else { throw LoadError("\(name) has ended before it was killed") }
        guard kill(id, SIGKILL) == 0 else { throw LoadError("\(name), process \(id), cannot be killed: error \(errno)") }
    }

    /// Sends it a signal.
    func signal(_ number: Int32) throws {
        guard isAlive else { throw LoadError("\(name) has ended before signal \(number)") }
        guard kill(id, number) == 0 else { throw LoadError("\(name), process \(id), takes no signal: error \(errno)") }
    }

    /// When the kernel started a process, in ticks since boot; empty when there is none.
    static func startTime(of id: Int32) -> String {
        let stat = read("/proc/\(id)/stat")
        guard let bracket = stat.lastIndex(of: ")") else { return "" }
        let fields = stat[stat.index(after: bracket)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : ""
    }

    static func all(in folder: String) throws -> [ClusterProcess] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw LoadError("the folder of process ids, \(folder), cannot be read: \(error)")
        }
        return try names.map { name in
            let words = read(folder + "/" + name).split(whereSeparator: \.isWhitespace)
            guard words.count == 2, let id = Int32(words[0]) else {
                throw LoadError("\(folder)/\(name) should hold a process id and a start time")
            }
            return ClusterProcess(name: name, id: id, started: String(words[1]))
        }
    }

    /// This process.
    static func own(_ name: String) -> ClusterProcess {
        let stat = read("/proc/self/stat")
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        return ClusterProcess(name: name, id: getpid(), started: fields.count > 20 ? String(fields[20]) : "")
    }

    /// Empty when there is no such file: a process may end at any time.
    private static func read(_ path: String) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "" }
        let bytes = try? file.readToEnd()
        return String(decoding: bytes ?? Data(), as: UTF8.self)
    }
}

/// Resident memory in bytes, from `/proc/<id>/status`.
struct ProcessMemory: Equatable, Sendable {
    var now: UInt64
    /// The most it ever was.
    var peak: UInt64

    /// Of this process.
    static var own: ProcessMemory? { ClusterProcess.own("loadtest").memory() }

    /// Nil unless both lines are there.
    init?(status: String) {
        func bytes(_ name: String) -> UInt64? {
            for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard words.count >= 2, let kilobytes = UInt64(words[1]) else { return nil }
                return kilobytes << 10
            }
            return nil
        }
        guard let now = bytes("VmRSS"), let peak = bytes("VmHWM") else { return nil }
        self.now = now
        self.peak = peak
    }
}
