internal import ArgumentParser
internal import Foundation
internal import Simulation

/// Runs simulations by seed; see `docs/reliability.md`.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the cluster in one thread, with faults, and checks what it promises. One seed is one run.",
        discussion: "A seed repeats its run to the last step, in every process. Ends with 1 when a promise was broken.")

    @Option(help: "How many seeds to run.")
    var seeds = 500

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "Runs this seed alone and prints what happens.")
    var seed: UInt64?

    @Option(help: "Processes at a time.")
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Writes the result to this file, as JSON.")
    var json: String?

    @Option(help: "Breaks something on purpose outside of the roles: \(Sabotage.allCases.map(\.rawValue).joined(separator: ", ")).")
    var sabotage: Sabotage?

    @Flag(help: "Only says how the run of --seed ends.")
    var quiet = false

    @Flag(help: .hidden)
    var child = false

    func validate() throws {
        guard seeds >= 1, jobs >= 1 else { throw ValidationError("--seeds and --jobs must be at least 1") }
    }

    func run() throws {
        // The order of sets and dictionaries is part of a run: a process that hashes at random begins anew.
        guard ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] != nil else { return try beginAnew() }
        if child { return try runChild() }
        if let seed { return try runOne(seed) }
        let campaign = Campaign(first: first, seeds: seeds, jobs: jobs, sabotage: sabotage)
        let result = try campaign.run()
        result.printSummary()
        if let json { try result.write(to: json) }
        if !result.failures.isEmpty { throw ExitCode(1) }
    }

    private func beginAnew() throws {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0])
        process.arguments = Array(CommandLine.arguments.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_DETERMINISTIC_HASHING": "1"]) { $1 }
        try process.run()
        process.waitUntilExit()
        throw ExitCode(process.terminationReason == .exit ? process.terminationStatus : 2)
    }

    private func runOne(_ seed: UInt64) throws {
        let options = SimulationOptions(seed: seed, sabotage: sabotage)
        print(options.description)
        let result = try Simulation.run(options, isPrinting: !quiet)
        for (name, count) in result.counts.sorted(by: { $0.key < $1.key }) { print("  \(count)\t\(name)") }
        print("seed \(seed): \(result.jobs) jobs in \(result.worldMilliseconds) ms of its world, trace \(result.trace)")
        for violation in result.violations { print("BROKEN \(violation)") }
        if !result.violations.isEmpty { throw ExitCode(1) }
    }

    /// Seeds one after another, a line of JSON each. The parent reads them, and knows by the last one where this died.
    private func runChild() throws {
        for seed in first..<(first + UInt64(seeds)) {
            let result = try Simulation.run(SimulationOptions(seed: seed, sabotage: sabotage))
            var line = try JSONEncoder().encode(result)
            line.append(10)
            FileHandle.standardOutput.write(line)
        }
    }
}

extension Sabotage: ExpressibleByArgument {}
