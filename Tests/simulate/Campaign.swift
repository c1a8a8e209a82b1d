internal import Foundation
internal import Simulation
internal import Synchronization

/// Many seeds in child processes: what a dead run holds is never freed, and a trap in one seed ends no other.
final class Campaign: Sendable {
    private static let seedsPerProcess = 25

    private let first: UInt64
    private let seeds: Int
    private let jobs: Int
    private let sabotage: Sabotage?
    private let state = Mutex(State())

    private struct State {
        var next = 0
        var result = CampaignResult()
    }

    init(first: UInt64, seeds: Int, jobs: Int, sabotage: Sabotage?) {
        self.first = first
        self.seeds = seeds
        self.jobs = jobs
        self.sabotage = sabotage
    }

    func run() throws -> CampaignResult {
        print("seeds \(first) to \(first + UInt64(seeds) - 1), \(jobs) processes\(sabotage.map { ", sabotage \($0.rawValue)" } ?? "")")
        let begin = Date()
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in
            while let part = take() { run(part) }
        }
        return state.withLock { state in
            state.result.seconds = Date().timeIntervalSince(begin)
            state.result.first = first
            return state.result
        }
    }

    private func take() -> Range<UInt64>? {
        state.withLock { state in
            guard state.next < seeds else { return nil }
            let start = state.next
            state.next = min(seeds, start + Self.seedsPerProcess)
            return first + UInt64(start)..<first + UInt64(state.next)
        }
    }

    /// Runs the seeds; after one that ended the process, goes on with the next.
    private func run(_ part: Range<UInt64>) {
        var rest = part
        while !rest.isEmpty {
            do {
                let (results, ending) = try runProcess(rest)
                state.withLock { state in for result in results { state.result.add(result) } }
                rest = rest.dropFirst(results.count)
                if let ending, let culprit = rest.first {
                    state.withLock { $0.result.addCrash(culprit, ending) }
                    rest = rest.dropFirst()
                }
            } catch {
                state.withLock { $0.result.addCrash(rest.lowerBound, "\(error)") }
                return
            }
        }
    }

    private func runProcess(_ part: Range<UInt64>) throws -> (results: [SimulationResult], ending: String?) {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0])
        process.arguments = ["--child", "--first", "\(part.lowerBound)", "--seeds", "\(part.count)"]
        if let sabotage { process.arguments?.append(contentsOf: ["--sabotage", sabotage.rawValue]) }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let decoder = JSONDecoder()
        let results = text.split(separator: 10).compactMap { try? decoder.decode(SimulationResult.self, from: $0) }
        if results.count == part.count { return (results, nil) }
        return (results, "its process ended with \(process.terminationReason == .exit ? "status" : "signal") \(process.terminationStatus)")
    }
}
