import Foundation

/// What was seen of the cluster in one second of a soak.
struct SoakSample: Encodable, Sendable {
    struct Process: Encodable, Sendable {
        var memoryBytes: UInt64
        var openFiles: Int

        enum CodingKeys: String, CodingKey {
            case memoryBytes = "rss_bytes"
            case openFiles = "open_files"
        }
    }

    /// Since the soak began.
    var seconds: Double
    var processes: [String: Process]
    /// Of IN and LOG of all shards, as nats-server says; nil when it did not answer in time.
    var streamBytes: UInt64?
    /// Milliseconds from a batch's sending to its commit, of those committed in this second.
    var latency: Percentiles

    enum CodingKeys: String, CodingKey {
        case seconds, processes
        case streamBytes = "stream_bytes"
        case latency = "latency_milliseconds"
    }
}

/// How something grew: the first third of the soak is its warm-up and counts for nothing.
struct Growth: Encodable, Equatable, Sendable {
    /// Medians of the second third and of the last.
    var before: Double
    var after: Double
    /// Of a straight line through both thirds, by least squares.
    var perHour: Double
    /// By how much `after` may be over `before`.
    var allowed: Double

    enum CodingKeys: String, CodingKey {
        case before, after, allowed
        case perHour = "per_hour"
    }

    var isAllowed: Bool { after - before <= allowed }

    /// - Parameters:
    ///   - values: by the second; at least three.
    ///   - least: what is allowed of anything, however small. Also a share of `before`.
    init(of values: [(seconds: Double, value: Double)], least: Double, share: Double) {
        let third = values.count / 3
        before = Self.median(values[third..<2 * third].map(\.value))
        after = Self.median(values[(2 * third)...].map(\.value))
        allowed = max(least, before * share)
        perHour = Self.slope(values[third...]) * 3600
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    private static func slope(_ values: ArraySlice<(seconds: Double, value: Double)>) -> Double {
        let count = Double(values.count)
        let x = values.reduce(0) { $0 + $1.seconds } / count
        let y = values.reduce(0) { $0 + $1.value } / count
        let spread = values.reduce(0) { $0 + ($1.seconds - x) * ($1.seconds - x) }
        guard spread > 0 else { return 0 }
        return values.reduce(0) { $0 + ($1.seconds - x) * ($1.value - y) } / spread
    }
}

/// What a soak found out; its JSON is what the program prints.
struct SoakReport: Encodable {
    struct Process: Encodable {
        var name: String
        var memory: Growth
        var openFiles: Growth

        enum CodingKeys: String, CodingKey {
            case name
            case memory = "rss_bytes"
            case openFiles = "open_files"
        }
    }

    /// Of a process's memory; nats-server's garbage collector leaves more to chance.
    private static let memoryLeastBytes = 16.0 * 1024 * 1024
    private static let memoryShare = 0.1
    private static let natsLeastBytes = 96.0 * 1024 * 1024
    private static let natsShare = 0.25
    private static let filesLeast = 8.0
    private static let filesShare = 0.1
    /// Streams grow until they are trimmed, then fall.
    private static let streamLeastBytes = 32.0 * 1024 * 1024
    private static let streamShare = 0.25
    /// Of the median of a second's batches, from sending to commit: what others do to the disk does not reach it.
    private static let latencyLeastMilliseconds = 50.0
    private static let latencyShare = 1.0
    /// No batch may take longer, whatever keeps the disk busy.
    private static let latencyMillisecondsMax = 30_000.0

    var scenario = "soak"
    var minutes: Double
    var customers: UInt64
    var events: UInt64
    var rate: UInt64
    var shards: Int
    var processes: [Process]
    var streamBytes: Growth
    var latency: Percentiles
    /// Of the median of each second.
    var latencyGrowth: Growth
    var correct: Bool
    var problems: [String]
    var samples: [SoakSample]
    var context = RunContext.current()

    enum CodingKeys: String, CodingKey {
        case scenario, minutes, customers, events, rate, shards, processes, correct, problems, samples, context
        case streamBytes = "stream_bytes"
        case latency = "latency_milliseconds"
        case latencyGrowth = "latency_p50_milliseconds"
    }

    /// - Parameter problems: what is wrong with the answers.
    init(
        minutes: Double, customers: UInt64, events: UInt64, rate: UInt64, shards: Int, samples: [SoakSample],
        latencies: [Double], problems wrong: [String]
    ) {
        self.minutes = minutes
        self.customers = customers
        self.events = events
        self.rate = rate
        self.shards = shards
        // One in five: enough to see the course.
        self.samples = samples.enumerated().filter { $0.offset.isMultiple(of: 5) }.map(\.element)
        let names = samples.first?.processes.keys.sorted() ?? []
        processes = names.map { name in
            func growth(_ least: Double, _ share: Double, _ value: (SoakSample.Process) -> Double) -> Growth {
                Growth(
                    of: samples.compactMap { sample in sample.processes[name].map { (sample.seconds, value($0)) } },
                    least: least, share: share)
            }
            let isNATS = name.hasPrefix("nats")
            return Process(
                name: name,
                memory: growth(isNATS ? Self.natsLeastBytes : Self.memoryLeastBytes, isNATS ? Self.natsShare : Self.memoryShare) {
                    Double($0.memoryBytes)
                },
                openFiles: growth(Self.filesLeast, Self.filesShare) { Double($0.openFiles) })
        }
        streamBytes = Growth(
            of: samples.compactMap { sample in sample.streamBytes.map { (sample.seconds, Double($0)) } },
            least: Self.streamLeastBytes, share: Self.streamShare)
        latency = Percentiles(latencies)
        latencyGrowth = Growth(
            of: samples.map { ($0.seconds, $0.latency.p50) }, least: Self.latencyLeastMilliseconds, share: Self.latencyShare)
        correct = wrong.isEmpty
        problems = wrong
        problems += grown
        if latency.max > Self.latencyMillisecondsMax {
            problems.append("a batch took \(Int(latency.max)) ms until its commit, allowed \(Int(Self.latencyMillisecondsMax))")
        }
    }

    /// What grew by more than it may.
    private var grown: [String] {
        var found: [String] = []
        for process in processes where !process.memory.isAllowed {
            found.append("the memory of \(process.name) \(Self.megabytes(process.memory))")
        }
        for process in processes where !process.openFiles.isAllowed {
            let files = process.openFiles
            found.append(
                "\(process.name) held \(Int(files.before)) files, then \(Int(files.after)), allowed \(Int(files.allowed)) more")
        }
        if !streamBytes.isAllowed { found.append("the streams' size \(Self.megabytes(streamBytes))") }
        if !latencyGrowth.isAllowed {
            found.append(
                "the median of a second's batches went from \(Int(latencyGrowth.before)) ms to \(Int(latencyGrowth.after)) ms, "
                    + "allowed \(Int(latencyGrowth.allowed)) ms more")
        }
        return found
    }

    private static func megabytes(_ growth: Growth) -> String {
        func text(_ bytes: Double) -> String { String(format: "%.1f MB", bytes / 1e6) }
        return "went from \(text(growth.before)) to \(text(growth.after)), allowed \(text(growth.allowed)) more; "
            + "\(text(growth.perHour)) an hour"
    }

    var text: String {
        var lines = ["\(events) events of \(customers) customers, \(rate) a second for \(minutes) minutes"]
        for process in processes {
            lines.append(
                "\(process.name): memory \(Self.megabytes(process.memory)); files \(Int(process.openFiles.before)), "
                    + "then \(Int(process.openFiles.after))")
        }
        lines.append("streams \(Self.megabytes(streamBytes))")
        lines.append("batches until their commits: \(latency.text)")
        lines.append("answers: \(correct ? "right" : "WRONG")")
        return lines.joined(separator: "\n")
    }
}
