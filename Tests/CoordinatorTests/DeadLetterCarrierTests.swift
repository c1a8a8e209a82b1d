import Logging
import Model
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

/// F7 I7: what commits set aside stands in DEAD, each once, whoever carries it and whatever becomes of acknowledgements.
@Suite struct DeadLetterCarrierTests {
    private func letters(_ shard: Int, commits: ClosedRange<UInt64>) -> [[DeadEntry]] {
        var number: UInt64 = 0
        return commits.map { commit in
            (0..<2).map { index in
                number += 1
                return .setAside(
                    DeadEntryOrigin(shard: ShardID(index: shard), commit: commit, index: UInt32(index)),
                    SetAside(
                        number: number, inputSequence: commit, index: 0, arrived: .distantPast, reason: "r",
                        message: [UInt8](repeating: 1, count: 100_000)))
            }
        }
    }

    private func carryAll(_ carrier: DeadLetterCarrier, _ commits: [[DeadEntry]]) async throws {
        for entries in commits {
            while true {
                do {
                    try await carrier.carry(entries)
                    break
                } catch let error as LogError where error.code == .unavailable {
                    continue
                }
            }
        }
    }

    @Test(arguments: [UInt64(0), 1, 2, 3])
    func `I7 several carriers at once, and one that starts over, write each entry once`(seed: UInt64) async throws {
        let logs = SimulatedLogStore(clock: ManualClock(), faults: seed == 0 ? .none : .some(seed: seed))
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let shards = (0..<3).map { letters($0, commits: 1...8) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                let carrier = DeadLetterCarrier(logs: logs, log: log)
                for commits in shards { group.addTask { try await carryAll(carrier, commits) } }
            }
            try await group.waitForAll()
        }
        try await carryAll(DeadLetterCarrier(logs: logs, log: log), shards[0])
        let written = try logs.contents(of: .deadLetters).flatMap { try DeadRecord.decoded($0.payload).entries }
        #expect(written.count == 3 * 8 * 2)
        for (shard, commits) in shards.enumerated() {
            #expect(written.filter { $0.origin?.shard == ShardID(index: shard) } == commits.flatMap(\.self))
        }
    }

    @Test func `I7 what DEAD cannot take is not passed over`() async throws {
        let logs = SimulatedLogStore(clock: ManualClock())
        logs.setBound(.deadLetters, bytesMax: 250_000)
        let carrier = DeadLetterCarrier(logs: logs, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await carrier.carry(letters(0, commits: 1...1)[0])
        let second = letters(0, commits: 1...2)[1]
        let error = await #expect(throws: LogError.self) { try await carrier.carry(second) }
        #expect(error?.code == .full)
        logs.setBound(.deadLetters, bytesMax: nil)
        try await carrier.carry(second)
        #expect(logs.contents(of: .deadLetters).count == 2)
    }
}
