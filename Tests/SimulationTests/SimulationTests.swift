import Simulation
import Testing

/// A few seeds; many more: `./cluster/test simulate`.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SimulationTests {
    @Test("a seed repeats its run to the last step, in another process too", arguments: [13])
    func repeats(seed: Int) async throws {
        let first = try await SimulateRun("--seed", "\(seed)", "--quiet")
        let second = try await SimulateRun("--seed", "\(seed)", "--quiet")
        #expect(first.status == 0, "\(first.output)")
        let trace: Substring = try #require(first.trace)
        #expect(trace == second.trace)
        let other = try await SimulateRun("--seed", "\(seed + 1)", "--quiet")
        #expect(other.trace != trace)
    }

    @Test("I2 I4 I5 I6 I7 I10 I11 what is promised holds under every fault of these seeds")
    func holds() async throws {
        let run = try await SimulateRun("--first", "13", "--seeds", "2", "--jobs", "1")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("2 seeds, 0 broken"))
    }

    /// How the checkers call what is broken on purpose, and the first seed to try: not every run meets it.
    static func expectation(_ sabotage: Sabotage) -> (promise: String, seed: Int) {
        switch sabotage {
        case .noFence: ("I4 chain of hashes", 9)
        case .suffixLost: ("I4 chain of hashes", 9)
        case .lossUnsaid: ("lost suffix is said", 6)
        case .snapshotOfAnother: ("I4 live state", 5)
        case .messagesLost: ("messages between shards", 9)
        case .lettersDoubled: ("I7 dead letters", 9)
        case .noPermit: ("I9 permit first", 9)
        case .sentAgain: ("I7 nothing vanishes", 5)
        case .inputChanged: ("I4 replay", 9)
        case .effectsChanged: ("I4 chain of hashes", 2)
        case .sumsChanged: ("I10 sums", 9)
        }
    }

    @Test("what is broken on purpose is found", arguments: Sabotage.allCases)
    func found(sabotage: Sabotage) async throws {
        let (promise, first) = Self.expectation(sabotage)
        var outputs = ""
        for seed in first..<first + 5 {
            let run = try await SimulateRun("--seed", "\(seed)", "--quiet", "--sabotage", sabotage.rawValue)
            if run.output.contains("BROKEN \(promise)") {
                #expect(run.status == 1)
                return
            }
            outputs += run.output
        }
        Issue.record("not found: \(outputs)")
    }
}
