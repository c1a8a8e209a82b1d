import Simulation
import Testing

/// A few seeds; many more: `./cluster/test simulate`.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SimulationTests {
    @Test("a seed repeats its run to the last step, in another process too", arguments: [6, 12])
    func repeats(seed: Int) throws {
        let runs = try (0..<2).map { _ in try SimulateRun("--seed", "\(seed)", "--quiet") }
        #expect(runs[0].status == 0, "\(runs[0].output)")
        let trace: Substring = try #require(runs[0].trace)
        #expect(trace == runs[1].trace)
        let other = try SimulateRun("--seed", "\(seed + 1)", "--quiet")
        #expect(other.trace != trace)
    }

    @Test("I2 I4 I5 I6 I10 I11 what is promised holds under every fault of these seeds")
    func holds() throws {
        let run = try SimulateRun("--first", "1", "--seeds", "8", "--jobs", "1")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("8 seeds, 0 broken"))
    }

    /// What is broken on purpose, how the checkers call it, and seeds that are enough to meet it.
    static let sabotages: [(Sabotage, String, String, String)] = [
        (.noFence, "I4 chain of hashes", "2", "8"),
        (.suffixLost, "I4 chain of hashes", "1", "1"),
        (.noPermit, "I9 permit first", "1", "1"),
        (.inputChanged, "I4 replay", "1", "1"),
        (.effectsChanged, "I4 chain of hashes", "1", "1"),
        (.sumsChanged, "I10 sums", "1", "1"),
    ]

    @Test("what is broken on purpose is found", arguments: sabotages)
    func found(sabotage: Sabotage, promise: String, first: String, seeds: String) throws {
        let run =
            seeds == "1"
            ? try SimulateRun("--seed", first, "--quiet", "--sabotage", sabotage.rawValue)
            : try SimulateRun("--first", first, "--seeds", seeds, "--jobs", "1", "--sabotage", sabotage.rawValue)
        #expect(run.status == 1)
        #expect(run.output.contains("BROKEN") && run.output.contains(promise), "\(run.output)")
    }
}
