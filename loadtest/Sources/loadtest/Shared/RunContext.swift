import Foundation

/// Where a result was measured; the start script says what it knows in the environment.
struct RunContext: Encodable {
    var machine: String
    var cores: Int
    var memoryBytes: UInt64
    var commit: String
    var natsServer: String
    var swift: String

    enum CodingKeys: String, CodingKey {
        case machine, cores, commit, swift
        case memoryBytes = "memory_bytes"
        case natsServer = "nats_server"
    }

    static func current() -> RunContext {
        let environment = ProcessInfo.processInfo.environment
        let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return RunContext(
            machine: processor.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown",
            cores: ProcessInfo.processInfo.activeProcessorCount, memoryBytes: ProcessInfo.processInfo.physicalMemory,
            commit: environment["REPRISE_LOAD_COMMIT"] ?? "unknown",
            natsServer: environment["REPRISE_LOAD_NATS"] ?? "unknown", swift: environment["REPRISE_LOAD_SWIFT"] ?? "unknown")
    }
}

/// Of some measurements, in milliseconds: the nearest rank.
struct Percentiles: Encodable, Equatable {
    var count: Int
    var p50: Double
    var p99: Double
    var max: Double

    /// Zeros of nothing.
    init(_ values: [Double]) {
        let sorted = values.sorted()
        func rank(_ share: Double) -> Double {
            guard let last = sorted.last else { return 0 }
            let index = Int((share * Double(sorted.count)).rounded(.up)) - 1
            let value = sorted.indices.contains(index) ? sorted[index] : last
            return (value * 10).rounded() / 10
        }
        count = sorted.count
        p50 = rank(0.5)
        p99 = rank(0.99)
        max = rank(1)
    }

    var text: String { "p50 \(p50) ms, p99 \(p99) ms, max \(max) ms of \(count)" }
}

/// Of some measurements: what so many percent of them are not above, for a curve.
struct Distribution: Encodable, Equatable {
    private static let shares = stride(from: 0.0, through: 100, by: 5) + [96, 97, 98, 99, 99.5, 99.9]

    var percent: [Double]
    var milliseconds: [Double]

    /// Empty of nothing.
    init(_ values: [Double]) {
        let sorted = values.sorted()
        percent = sorted.isEmpty ? [] : Self.shares.sorted()
        milliseconds = percent.map { share in
            let index = Int((share / 100 * Double(sorted.count)).rounded(.up)) - 1
            return (sorted[min(max(index, 0), sorted.count - 1)] * 10).rounded() / 10
        }
    }
}

extension Encodable {
    /// One JSON object with sorted keys.
    func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
